#!/usr/bin/env python3
"""How a network grows with its state: memory, disk, snapshots, restarts and cost per transaction against the number of
accounts. Starts a network of its own in a temporary folder:

    python Benchmarks/growth.py --accounts 10000,100000,1000000 [--seconds 5] [--json FILE]

with the Python of the end-to-end tests (`.venv-e2e`) and ENTENTE_BIN, if the release build is not in `.build-release`.
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "Tests" / "EndToEnd"))
INTERVAL = 400  # entries between two snapshots
# Sends 1 wei to each of the accounts from the first word of the call's data on, as many as the second says.
CREATOR = "6020355f3580910190" "5b81811015602157" "5f5f5f5f6001855ff150" "600101600956" "5b00"
PER_TRANSACTION = 700


def inside():
    """The part that runs within `entente up`."""
    from conftest import account
    from network import Network
    from web3 import Web3

    options = json.loads(os.environ["GROWTH_OPTIONS"])
    network = Network()
    client = Web3(Web3.HTTPProvider(network.rpc_url, request_kwargs={"timeout": 120}))
    owner, nonce = account(0), 0

    def send(transaction):
        nonlocal nonce
        signed = owner.sign_transaction({"chainId": client.eth.chain_id, "nonce": nonce, "gasPrice": 0, **transaction})
        nonce += 1
        sent = client.eth.send_raw_transaction(signed.raw_transaction)
        return client.eth.wait_for_transaction_receipt(sent, timeout=120)

    # The creation code copies what follows its nine bytes.
    code = bytes.fromhex(CREATOR)
    created = send({"data": bytes([0x60, len(code), 0x80, 0x60, 9, 0x3D, 0x39, 0x3D, 0xF3]) + code, "gas": 200_000, "value": 0})
    contract, made, rows = created.contractAddress, 0, []
    leader = network.primary()
    follower = next(name for name in network.names if name != leader)

    def megabytes(role):
        text = pathlib.Path(f"/proc/{network.pid(follower, role)}/status").read_text()
        return int(next(line for line in text.splitlines() if line.startswith("VmRSS:")).split()[1]) / 1024

    def disk(folder):
        return sum(path.stat().st_blocks * 512 for path in (network.data / follower / "data" / folder).iterdir()) / 1e6

    def snapshot():
        paths = sorted(
            (network.data / follower / "data" / "snapshots").glob("*.committed"), key=lambda p: int(p.name.split("_")[1])
        )
        return (int(paths[-1].name.split("_")[1]), paths[-1].stat().st_size / 1e6) if paths else (0, 0.0)

    def bench():
        arguments = ["bench", "--data", network.data, "--workload", "transfers", "--loop", "closed", "--accounts", 500]
        arguments += ["--warmup", 1, "--seconds", options["seconds"], "--json"]
        done = network.entente(*arguments, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)["phases"][0]

    def restart():
        """Seconds from the kill of the follower's manager until the node serves again at the network's end."""
        before = network.pid(follower, "manager")
        os.kill(before, signal.SIGKILL)
        start = time.time()
        while time.time() < start + 600:
            states = {node["name"]: node for node in network.status()}
            mine = states[follower]
            if (
                network.pid(follower, "manager") != before
                and mine.get("state") == "active"
                and mine.get("worker") == "ready"
                and mine["commit"] == states[leader]["commit"]
            ):
                return time.time() - start
            time.sleep(0.1)
        raise SystemExit("the follower does not come back")

    for wanted in options["accounts"]:
        start, first = time.time(), made
        while made < wanted:
            count = min(PER_TRANSACTION, wanted - made)
            data = ((1 << 64) + made).to_bytes(32, "big") + count.to_bytes(32, "big")
            receipt = send({"to": contract, "data": data, "gas": 29_000_000, "value": count})
            assert receipt.status == 1, receipt
            made += count
            print(f"\r{made:,} accounts", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        creating = time.time() - start
        load = bench()
        nonce = client.eth.get_transaction_count(owner.address)
        # A snapshot that has all of the accounts: the load makes hundreds of entries, which pass the interval.
        deadline = time.time() + 300
        target = network.settled()[0]["commit"] - INTERVAL
        while snapshot()[0] < target and time.time() < deadline:
            time.sleep(0.5)
        network.settled(60)
        row = {
            "accounts": made,
            "creating": round((made - first) / creating) if creating > 0.01 else None,
            "worker": round(megabytes("worker"), 1),
            "manager": round(megabytes("manager"), 1),
            "ledger": round(disk("ledger"), 1),
            "snapshot": round(snapshot()[1], 1),
            "rate": round(load["transactionsPerSecond"]),
            "processor": round(load["networkMicrosecondsPerTransaction"]),
            "restart": round(restart(), 1),
        }
        network.settled(120)
        rows.append(row)
        print(json.dumps(row), file=sys.stderr, flush=True)
    pathlib.Path(options["output"]).write_text(json.dumps(rows))


def outside():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", default="10000,100000,1000000", help="sizes to measure at, growing, with commas between")
    parser.add_argument("--seconds", type=float, default=5, help="seconds of load at each size")
    parser.add_argument("--json", help="file for the figures")
    options = parser.parse_args()
    sizes = [int(text) for text in options.accounts.split(",")]
    if sizes != sorted(set(sizes)):
        parser.error("--accounts must grow")
    binary = os.environ.get("ENTENTE_BIN", str(ROOT / ".build-release" / "release" / "entente"))
    with tempfile.TemporaryDirectory() as folder:
        output = pathlib.Path(folder) / "rows.json"
        parameters = pathlib.Path(folder) / "parameters.yaml"
        parameters.write_text(f"ledger: {{snapshotIntervalEntries: {INTERVAL}}}\n")
        settings = {"accounts": sizes, "seconds": options.seconds, "output": str(output)}
        done = subprocess.run(
            [binary, "up", "--data", f"{folder}/network", "--genesis", str(parameters), "--", sys.executable, __file__],
            env={**os.environ, "GROWTH_OPTIONS": json.dumps(settings)},
            stdout=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            raise SystemExit(done.returncode)
        rows = json.loads(output.read_text())
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(rows, indent=1))
    heads = [
        ("accounts", "accounts"), ("worker", "worker MB"), ("manager", "manager MB"), ("ledger", "ledger MB"),
        ("snapshot", "snapshot MB"), ("creating", "created/s"), ("rate", "tx/s"), ("processor", "us/tx"),
        ("restart", "restart s"),
    ]
    print(" | ".join(f"{title:>11}" for _, title in heads))
    for row in rows:
        print(" | ".join(f"{row[key] if row[key] is not None else '-':>11}" for key, _ in heads))


if __name__ == "__main__":
    inside() if "GROWTH_OPTIONS" in os.environ else outside()
