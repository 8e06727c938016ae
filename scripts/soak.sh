#!/usr/bin/env bash
# Runs simulations for a while: consensus clusters on all cores but one, whole nodes on the rest; each process has seeds of
# its own. The first broken rule ends it, with a shrunk trace. Options: --minutes N (60), --from SEED (from the clock),
# --jobs N (as many as there are cores, two at least).
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=${SOAK_MINUTES:-60}
from=$(($(date +%s) % 1000000 * 1000000 + 1))
jobs=$(nproc)
while [ $# -gt 0 ]; do
    case "$1" in
        --minutes) minutes=$2 ;;
        --from) from=$2 ;;
        --jobs) jobs=$2 ;;
        *) echo "soak: unknown option $1" >&2; exit 2 ;;
    esac
    shift 2
done
[ "$jobs" -ge 2 ] || jobs=2
bin="${SCRATCH:-.build-release}/release/entente"
folder=$(mktemp -d)
pids=()
stop() { for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; rm -rf "$folder"; }
trap stop EXIT
echo "soak: $minutes minutes, seeds from $from, $jobs processes"
for job in $(seq 1 "$jobs"); do
    model=consensus
    [ $((job % 2)) -eq 0 ] && model=nodes
    "$bin" simulate --model "$model" --minutes "$minutes" --from $((from + job * 100000000)) \
        > "$folder/$job" 2> "$folder/$job.progress" &
    pids+=($!)
done
code=0
for job in $(seq 1 "$jobs"); do
    wait -n || { code=$?; break; }
done
for job in $(seq 1 "$jobs"); do
    if [ "$code" -eq 0 ]; then
        cat "$folder/$job"
    elif grep -q '^repeat with' "$folder/$job"; then
        cat "$folder/$job"
    fi
done
exit "$code"
