#!/usr/bin/env bash
# Makes the Python environments of the tests, pinned: .venv-e2e with web3.py and Vyper, .venv-ccf with the independent
# ledger reader (package ccf: 7.0.22 where there is a Python of at least 3.12, else 6.0.28).
set -euo pipefail
cd "$(dirname "$0")/.."
if [ ! -x .venv-e2e/bin/pytest ]; then
    python3 -m venv .venv-e2e
    .venv-e2e/bin/pip install -q --disable-pip-version-check -r Tests/EndToEnd/requirements.txt
fi
env -u ENTENTE_CCF_PYTHON python3 -c 'import sys; sys.path.insert(0, "Tests/python"); import ccf_check; ccf_check.interpreter()'
