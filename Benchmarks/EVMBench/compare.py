#!/usr/bin/env python3
"""Runs the programs of EVMBench beside revm (PyPI pyrevm 0.3.7), turn by turn, and prints rates by CPU time.

    swift build -c release --package-path Benchmarks/EVMBench
    python3 Benchmarks/EVMBench/compare.py Benchmarks/EVMBench/.build/release/EVMBench
"""
import re
import subprocess
import sys
import time
from pathlib import Path

from pyrevm import EVM, AccountInfo, BlockEnv, Env

TURNS = 5
SENDER = "0x" + "00" * 18 + "5e4d"
CONTRACT = "0x" + "00" * 18 + "c0de"
source = (Path(__file__).parent / "Sources/EVMBench/Programs.swift").read_text()
loops = dict(re.findall(r'\("(\w+)", "([0-9a-f]+)"\)', source))
token = "".join(re.findall(r'"([0-9a-f]+)"', source.split("let tokenCode")[1]))


def machine(code):
    evm = EVM(spec_id="CANCUN", env=Env(block=BlockEnv(number=1)))
    evm.insert_account_info(SENDER, AccountInfo(balance=1 << 80, nonce=1))
    evm.insert_account_info(CONTRACT, AccountInfo(nonce=1, code=bytes.fromhex(code)))
    return evm


def revm_loop(code):
    evm = machine(code)
    start = time.process_time_ns()
    evm.message_call(caller=SENDER, to=CONTRACT, gas=1_000_000_000)
    spent = time.process_time_ns() - start
    # The price of being a transaction is not that of the program.
    return evm.result.gas_used - 21_000, spent


def revm_token(calls, holders):
    evm = machine(token)
    from hashlib import sha256

    slot = int.from_bytes(keccak(bytes(32) + bytes.fromhex(SENDER[2:]).rjust(32, b"\0")), "big")
    evm.insert_account_storage(CONTRACT, slot, 1 << 80)
    evm.insert_account_storage(CONTRACT, 1, 1 << 80)
    inputs = [
        bytes.fromhex("a9059cbb") + sha256(str(i).encode()).digest()[:20].rjust(32, b"\0") + (1).to_bytes(32, "big")
        for i in range(holders)
    ]

    def run(count):
        for i in range(count):
            assert evm.message_call(caller=SENDER, to=CONTRACT, calldata=inputs[i % holders], gas=1_000_000)[-1] == 1

    if calls > holders:
        run(holders)
    start = time.process_time_ns()
    run(calls)
    return calls, time.process_time_ns() - start


def keccak(data):
    """Keccak-256 by a contract, as the standard library has only SHA-3."""
    # CALLDATACOPY all, KECCAK256, return.
    evm = machine("365f5f37365f205f5260205ff3")
    return bytes(evm.message_call(caller=SENDER, to=CONTRACT, calldata=data, gas=1_000_000))


def ours(name):
    units, spent = subprocess.run([sys.argv[1], name], capture_output=True, text=True, check=True).stdout.split()
    return int(units), int(spent)


peers = {name: (lambda code=code: revm_loop(code)) for name, code in loops.items()}
peers["erc20_new"] = lambda: revm_token(50_000, 50_000)
peers["erc20_known"] = lambda: revm_token(50_000, 1000)
print(f"{'program':14}{'entente':>12}{'revm':>12}{'ratio':>8}")
for name, peer in peers.items():
    best = [0.0, 0.0]
    for _ in range(TURNS):
        samples = (ours(name), peer())
        # Both count the same gas, or the rates could not be compared.
        assert samples[0][0] == samples[1][0], f"{name}: {samples[0][0]} and {samples[1][0]} units"
        for side, (units, spent) in enumerate(samples):
            best[side] = max(best[side], units * 1e9 / spent)
    scale, unit = (1e3, "k/s") if name.startswith("erc20") else (1e6, "Mgas/s")
    print(f"{name:14}{best[0] / scale:12.1f}{best[1] / scale:12.1f}{best[0] / best[1]:8.2f}  {unit}", flush=True)
