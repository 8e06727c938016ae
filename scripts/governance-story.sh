#!/usr/bin/env bash
# Three banks found a network, admit a fourth with its node, change a policy and remove one of them, while a client sends
# transactions all the time. Reports join time, vote latency and what became of the load; fails when anything was lost.
# Needs a build (`make build`) and the Python environment of scripts/python.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=${SCRATCH:-.build-release}
[ -x "$scratch/release/entente" ] || { echo "no $scratch/release/entente; run 'make build' first" >&2; exit 1; }
[ -x .venv-e2e/bin/python ] || scripts/python.sh
exec "$scratch/release/entente" up -- .venv-e2e/bin/python Tests/EndToEnd/governance_story.py
