#!/usr/bin/env bash
# The Swift tests under a sanitizer: scripts/sanitize.sh address|thread [options of swift test]. Built in release, in
# a folder of its own; slow tests take several times as long. What is suppressed stands, with its reason, in
# scripts/sanitizers/.
set -euo pipefail
cd "$(dirname "$0")/.."
swift=${SWIFT:-swift}
kind=${1:?address or thread}
shift
suppressions="$PWD/scripts/sanitizers/$kind.txt"
export SWIFT_BACKTRACE=enable=no
case "$kind" in
    address)
        scratch=${SCRATCH:-.build-asan}
        # Leaks are not looked for: the runtime keeps metadata for ever, and a library's globals are not ours to free.
        export ASAN_OPTIONS="detect_leaks=0:abort_on_error=0:suppressions=$suppressions"
        ;;
    thread)
        scratch=${SCRATCH:-.build-tsan}
        export TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1:suppressions=$suppressions"
        ;;
    *) echo "no sanitizer $kind" >&2; exit 2 ;;
esac
nice "$swift" build -c release --sanitize "$kind" --scratch-path "$scratch" --build-tests 2>&1 |
    grep --line-buffered -vE '^\[[0-9]+/[0-9]+\] (Compiling|Write|Emitting|Wrapping)|Cannot export local symbol'
# Not those that start the programs, which are built without a sanitizer, nor those that hold time limits.
nice "$swift" test -c release --sanitize "$kind" --scratch-path "$scratch" --skip-build \
    --skip 'TransportTests|HostTests|BenchTests' "$@"
