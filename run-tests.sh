#!/usr/bin/env bash
# Installs what the tests need, where it is missing, and runs them all.
set -euo pipefail
cd "$(dirname "$0")"

missing=()
command -v cc >/dev/null || missing+=(gcc libc6-dev)
command -v curl >/dev/null || missing+=(curl)
command -v jq >/dev/null || missing+=(jq)
command -v openssl >/dev/null || missing+=(openssl)
command -v prlimit >/dev/null || missing+=(util-linux)
type -P kill >/dev/null || missing+=(procps)
has_postgres() {
    local bin
    for bin in "$(pg_config --bindir 2>/dev/null)" /usr/lib/postgresql/*/bin; do
        [ -x "$bin/initdb" ] && return
    done
    return 1
}
has_postgres || missing+=(postgresql)
# As Debian installs them: for users other than root, /usr/sbin may be missing in PATH.
[ -x /usr/sbin/nginx ] || command -v nginx >/dev/null || missing+=(nginx)
command -v caddy >/dev/null || missing+=(caddy)
command -v systemd-analyze >/dev/null || missing+=(systemd)
command -v promtool >/dev/null || missing+=(prometheus)
command -v chromium-headless-shell >/dev/null || missing+=(chromium-headless-shell fonts-dejavu-core)
command -v npm >/dev/null || missing+=(nodejs npm)
[ ${#missing[@]} = 0 ] || .ci/packages "${missing[@]}"
# moto stands in for SNS, SQS and S3 in the tests of the AWS deployment, and the AWS CLI looks at it.
.ci/venv moto ees-aws-testkit/requirements.txt
# What checks and tests the clients.
.ci/venv client-python clients/python/requirements.txt
.ci/npm clients/typescript

# The emulator of DynamoDB: a program of its own, as it needs another SQLite. Examples in docs find it by
# PATH.
cargo build --locked --manifest-path ees-dynamodb-testkit/emulator/Cargo.toml --target-dir target
export PATH=$PWD/target/debug:$PATH

# Most tests wait for something: more of them than there are cores keep the cores busy.
export RUST_TEST_THREADS=${RUST_TEST_THREADS:-$((3 * $(getconf _NPROCESSORS_ONLN)))}

exec cargo test --workspace --all-features "$@"
