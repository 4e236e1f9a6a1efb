#!/bin/sh
# Builds kubectl-cce_login from this checkout and puts it where kubectl finds it. `./install.sh --help` tells more.
set -eu

name=kubectl-cce_login

usage() {
    cat <<'END'
Build kubectl-cce_login from this checkout and install it. Running it again upgrades.

Usage: ./install.sh [--to DIR] [--uninstall]

  --to DIR      where the program goes [default: ~/.local/bin]
  --uninstall   remove it; offers to forget everything first, and names the contexts that still use it
  --version     show which version this checkout is
  -h, --help    show this help

Needs cargo (https://rustup.rs) and a C compiler. No root is needed.
END
}

say() { printf '%s\n' "$*"; }

fail() {
    printf 'install.sh: error: %s\n' "$1" >&2
    [ $# -lt 2 ] || printf 'hint: %s\n' "$2" >&2
    exit 1
}

misused() {
    printf 'install.sh: error: %s\n' "$1" >&2
    printf 'hint: ./install.sh --help shows what can be given\n' >&2
    exit 2
}

has() { command -v "$1" >/dev/null 2>&1; }

version_of_checkout() { sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1; }

# The version that a program tells, such as 0.1.0; empty if it tells none.
version_of() { "$1" version 2>/dev/null </dev/null | sed -n 's/^kubectl cce-login \([^ ]*\).*/\1/p'; }

is_on_path() {
    case ":${PATH:-}:" in
        *":$1:"*) return 0 ;;
        *) return 1 ;;
    esac
}

check_tools() {
    has cargo || fail 'cargo is missing' 'install Rust from https://rustup.rs, then run this again'
    has "${CC:-cc}" || has gcc || has clang ||
        fail 'a C compiler is missing' 'Debian and Ubuntu: apt-get install gcc; Fedora: dnf install gcc; macOS: xcode-select --install'
}

prepare_directory() {
    mkdir -p -- "$dir" 2>/dev/null || fail "cannot make the directory \`$dir\`" 'choose another one with --to DIR'
    if [ ! -d "$dir" ] || [ ! -w "$dir" ]; then
        fail "the directory \`$dir\` is not writable" 'choose another one with --to DIR'
    fi
    dir=$(CDPATH='' cd -- "$dir" && pwd)
    target=$dir/$name
    [ ! -d "$target" ] || fail "\`$target\` is a directory"
}

# A statically linked program at a fixed address, as kubectl itself is one, starts in half the time, and kubectl starts ours at every call.
links_statically() {
    case $1 in
        *-linux-gnu) printf 'int main(void) { return 0; }\n' | "${CC:-cc}" -static -x c -o "$work/static" - 2>/dev/null ;;
        *) return 1 ;;
    esac
}

# A string of TOML.
quoted() { printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')"; }

build() {
    say "Building $name $(version_of_checkout)"
    messages=$work/messages
    # The messages name the program's file, wherever cargo's settings put it.
    set -- build --release --locked --bin "$name" --message-format=json-render-diagnostics
    host=$(rustc -vV | sed -n 's/^host: //p')
    # The program names no directory of whoever builds it, and the same commit gives the same bytes wherever it is built.
    flags=$(quoted "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo"),$(quoted "--remap-path-prefix=$root=.")
    if links_statically "$host"; then
        # getrandom: a static program has no dynamic linker to ask for the system call, and would open /dev/random instead.
        flags="$flags,'-C','target-feature=+crt-static','-C','relocation-model=static','--cfg','getrandom_backend=\"linux_getrandom\"'"
        set -- "$@" --target "$host"
    fi
    set -- "$@" --config "target.$host.rustflags=[$flags]"
    (cd "$root" && cargo "$@") >"$messages" </dev/null ||
        fail 'the build failed' 'what cargo says above tells why'
    built=$(sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' "$messages" | tail -n 1)
    [ -f "$built" ] || fail 'cargo does not say where the program is'
    new_version=$(version_of "$built")
    [ -n "$new_version" ] || fail "the new program does not run: \`$built version\`"
}

# In one step: a kubectl that starts it meanwhile finds the old one or the new one.
place() {
    staged=$(mktemp "$dir/.$name.XXXXXX") || fail "cannot write to \`$dir\`"
    if ! { cp -- "$built" "$staged" && chmod 755 "$staged" && mv -f -- "$staged" "$target"; }; then
        fail "cannot write \`$target\`"
    fi
    staged=
}

report() {
    case $old_version in
        '') say "Installed $name $new_version to $target" ;;
        "$new_version") say "Installed $name $new_version to $target again" ;;
        *) say "Upgraded $name in $dir from $old_version to $new_version" ;;
    esac
    if is_on_path "$dir"; then
        first=$(command -v "$name" || true)
        if [ "$first" != "$target" ]; then
            say "Mind: another one comes first on your PATH: $first"
        fi
    else
        say "$dir is not on your PATH. Add this line to your shell's start file (~/.profile, ~/.bashrc, ~/.zshrc):"
        # shellcheck disable=SC2016 # for the shell that reads the line
        case $dir in
            "$HOME"/*) printf '    export PATH="$HOME/%s:$PATH"\n' "${dir#"$HOME"/}" ;;
            *) printf '    export PATH="%s:$PATH"\n' "$dir" ;;
        esac
    fi
    if ! has kubectl; then
        say 'kubectl is not on your PATH; whatever else speaks its exec protocol works without it'
    elif PATH=$dir:$PATH kubectl plugin list 2>/dev/null </dev/null | grep -qxF "$target"; then
        say 'kubectl finds it. Next: kubectl cce-login --help'
    else
        fail "kubectl does not list $target as a plugin" "look at what \`kubectl plugin list\` says"
    fi
}

# The contexts whose exec command is ours, one a line, as kubectl reads the kubeconfig.
contexts_of_ours() {
    users=$(kubectl config view -o 'jsonpath={range .users[*]}{.name}{"\t"}{.user.exec.command}{"\n"}{end}' 2>/dev/null </dev/null) || return 1
    contexts=$(kubectl config view -o 'jsonpath={range .contexts[*]}{.name}{"\t"}{.context.user}{"\n"}{end}' 2>/dev/null </dev/null) || return 1
    {
        printf '%s\n' "$users"
        echo
        printf '%s\n' "$contexts"
    } | awk -F '\t' -v name="$name" '
        $0 == "" { in_contexts = 1; next }
        !in_contexts && ($2 == name || substr($2, length($2) - length(name)) == "/" name) { ours[$1] = 1 }
        in_contexts && ($2 in ours) { print $1 }'
}

# The kubeconfig files that mention us, for a machine without kubectl.
files_with_ours() {
    list=${KUBECONFIG:-$HOME/.kube/config}
    old_ifs=$IFS
    IFS=:
    set -f
    for file in $list; do
        if [ -f "$file" ] && grep -q -- "$name" "$file"; then printf '%s\n' "$file"; fi
    done
    set +f
    IFS=$old_ifs
}

# A line for each profile, with where its secret lies.
profiles_with_secrets() {
    "$target" profile list -o yaml </dev/null | awk '
        function value(line) {
            sub(/^[^:]*: */, "", line)
            gsub(/^["\047]|["\047]$/, "", line)
            return line
        }
        /^- name: / { name = value($0) }
        /^  secretIn: / {
            place = value($0)
            if (place == "null") { place = "no secret" }
            else if (place == "keyring") { place = "in the keyring" }
            else { place = "in clear, in a file that only you can read, in " place }
            print "    " name ": " place
        }'
}

uninstall() {
    target=${dir%/}/$name
    [ -e "$target" ] || [ -L "$target" ] || fail "there is no \`$target\`" 'if it is elsewhere, name the directory with --to DIR'
    if [ -t 0 ] && [ -t 2 ]; then
        printf 'Forget its certificates, profiles and their secrets first, and take its contexts out of the kubeconfig? [y/N] ' >&2
        read -r answer || answer=
        case $answer in
            [Yy] | [Yy][Ee][Ss])
                "$target" logout --all --purge --remove-contexts --yes ||
                    fail "\`$target\` is not removed" 'do what is said above, then run this again'
                ;;
        esac
    fi
    if has kubectl && found=$(contexts_of_ours); then what=contexts; else found=$(files_with_ours) what='kubeconfig files'; fi
    profiles=$(profiles_with_secrets 2>/dev/null || true)
    rm -f -- "$target" || fail "cannot remove \`$target\`"
    say "Removed $target"
    completer=${dir%/}/kubectl_complete-cce_login
    if [ -L "$completer" ] && [ ! -e "$completer" ]; then rm -f -- "$completer" && say "Removed $completer"; fi
    if [ -n "$found" ]; then
        say "These $what still use it and no longer work without it:"
        printf '%s\n' "$found" | sed 's/^/    /'
    fi
    if [ -n "$profiles" ]; then
        say 'These profiles stay, and so do their secrets:'
        printf '%s\n' "$profiles"
        say 'To forget them: install it again, then kubectl cce-login logout --all --purge'
    fi
    caches=$HOME/.cache
    [ "$(uname -s 2>/dev/null)" != Darwin ] || caches=$HOME/Library/Caches
    kept=${CCE_LOGIN_CACHE_DIR:-${XDG_CACHE_HOME:-$caches}/cce-login}
    if [ -n "$(ls -A "$kept" 2>/dev/null)" ]; then
        say "Certificates and their keys stay, in clear, in files that only you can read: $kept"
    fi
}

clean_up() {
    [ -z "$staged" ] || rm -f -- "$staged"
    [ -z "$work" ] || rm -rf -- "$work"
}

main() {
    root=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
    staged='' work='' dir='' is_uninstall=false
    while [ $# -gt 0 ]; do
        case $1 in
            -h | --help) usage && exit 0 ;;
            --version) version_of_checkout && exit 0 ;;
            --to)
                dir=${2:-}
                [ -n "$dir" ] || misused '--to needs a directory'
                shift
                ;;
            --to=?*) dir=${1#--to=} ;;
            --uninstall) is_uninstall=true ;;
            *) misused "unknown argument \`$1\`" ;;
        esac
        shift
    done
    [ -n "${HOME:-}" ] || fail 'HOME is not set'
    [ -n "$dir" ] || dir=$HOME/.local/bin
    case $dir in
        /*) ;;
        *) dir=$PWD/$dir ;;
    esac
    if $is_uninstall; then
        uninstall
        return
    fi
    grep -qs '^name = "kubectl-cce-login"' "$root/Cargo.toml" ||
        fail "$root is not a checkout of kubectl-cce-login" 'clone the repository and run install.sh there'
    trap clean_up EXIT
    trap 'exit 130' HUP INT TERM
    work=$(mktemp -d)
    check_tools
    prepare_directory
    old_version=
    [ ! -x "$target" ] || old_version=$(version_of "$target")
    build
    place
    report
}

main "$@"
