#!/usr/bin/env bash
# Makes the Python environments of the tests, pinned: .venv-e2e with web3.py and Vyper, .venv-ccf with the independent
# ledger reader (package ccf: 7.0.22 where there is a Python of at least 3.12, else 6.0.28).
set -euo pipefail
cd "$(dirname "$0")/.."
wanted=Tests/EndToEnd/requirements.txt
if ! cmp -s "$wanted" .venv-e2e/installed.txt; then
    python3 -m venv .venv-e2e
    .venv-e2e/bin/pip install -q --disable-pip-version-check -r "$wanted"
    cp "$wanted" .venv-e2e/installed.txt
fi
env -u ENTENTE_CCF_PYTHON python3 -c 'import sys; sys.path.insert(0, "Tests/python"); import ccf_check; ccf_check.interpreter()'
