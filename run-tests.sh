#!/usr/bin/env bash
# Installs what the tests need, where it is missing, and runs them all.
set -euo pipefail
cd "$(dirname "$0")"

missing=()
command -v cc >/dev/null || missing+=(gcc libc6-dev)
command -v curl >/dev/null || missing+=(curl)
command -v prlimit >/dev/null || missing+=(util-linux)
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
type -P kill >/dev/null || missing+=(procps)
has_postgres() {
    local bin
    for bin in "$(pg_config --bindir 2>/dev/null)" /usr/lib/postgresql/*/bin; do
        [ -x "$bin/initdb" ] && return
    done
    return 1
}
has_postgres || missing+=(postgresql)
if [ ${#missing[@]} -gt 0 ]; then
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    # Debian makes and starts a cluster of its own with the package, which no test needs.
    no_cluster=/etc/postgresql-common/createcluster.d/no-main-cluster.conf
    "${as_root[@]}" mkdir -p "$(dirname $no_cluster)"
    "${as_root[@]}" sh -c "echo 'create_main_cluster = false' >$no_cluster"
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" apt-get install -qy --no-install-recommends "${missing[@]}"
    "${as_root[@]}" rm -f $no_cluster
fi

# moto stands in for SNS, SQS and S3 in the tests of the AWS deployment.
moto=target/moto
if ! cmp -s ees-aws-testkit/requirements.txt "$moto/installed"; then
    python3 -m venv --clear "$moto"
    "$moto/bin/pip" install -q --disable-pip-version-check -r ees-aws-testkit/requirements.txt
    cp ees-aws-testkit/requirements.txt "$moto/installed"
fi

exec cargo test --workspace --all-features "$@"
