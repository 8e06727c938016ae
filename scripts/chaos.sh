#!/usr/bin/env bash
# Real nodes under real faults: scripts/chaos.sh [--minutes N] [--seed S] [...], see Tests/Chaos/README.md. Takes mount
# and network namespaces of its own; without root within a user namespace.
set -euo pipefail
cd "$(dirname "$0")/.."
bin="$PWD/${SCRATCH:-.build-release}/release/entente"
python="$PWD/.venv-e2e/bin/python"
if [ "$(id -u)" -eq 0 ]; then
    spaces=(--mount --net)
else
    spaces=(--user --map-root-user --mount --net)
fi
if ! unshare "${spaces[@]}" true 2>/dev/null; then
    echo "skipped: neither root nor user namespaces here"
    exit 77
fi
PYTHONUNBUFFERED=1 exec unshare "${spaces[@]}" "$python" Tests/Chaos/chaos.py --binary "$bin" "$@"
