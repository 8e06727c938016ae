"""Whole networks are stopped and started on one data folder. Run outside a network: these tests start their own."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest
from conftest import account, deploy, send
from network import Network, rpc, wait_for_end
from web3 import Web3


class Running:
    """`entente up` on a folder, from a with statement on until its end."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        binary = os.environ.get("ENTENTE_BIN")
        if not binary:
            pytest.fail("ENTENTE_BIN is not set: name the entente executable")
        said = self.folder.parent / "environment"
        said.unlink(missing_ok=True)
        # The command leaves its environment for us and waits; `up` ends it when it is told to stop itself.
        script = f'env -0 > "{said}.new" && mv "{said}.new" "{said}" && exec sleep 600'
        self.process = subprocess.Popen(
            [binary, "up", "--data", self.folder, "--", "sh", "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        deadline = time.time() + 100
        while not said.exists():
            if self.process.poll() is not None or time.time() > deadline:
                self.stop()
                pytest.fail("the network does not start:\n" + self.process.stdout.read())
            time.sleep(0.05)
        pairs = (line.split("=", 1) for line in said.read_text().split("\0") if "=" in line)
        network = Network(dict(pairs))
        network.w3 = Web3(Web3.HTTPProvider(network.rpc_url, request_kwargs={"timeout": 60}))
        return network

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise

    def __exit__(self, *_):
        self.stop()


def everything(network, transactions, contract):
    """All that a client can see of the past."""
    w3 = network.w3
    head = w3.eth.block_number
    return {
        "head": head,
        "blocks": [w3.eth.get_block(number).hash.hex() for number in range(head + 1)],
        "balances": [w3.eth.get_balance(account(index).address) for index in range(10)],
        "nonces": [w3.eth.get_transaction_count(account(index).address) for index in range(10)],
        "receipts": [Web3.to_json(w3.eth.get_transaction_receipt(each)) for each in transactions],
        "logs": Web3.to_json(w3.eth.get_logs({"address": contract.address, "fromBlock": 0})),
        "code": w3.eth.get_code(contract.address).hex(),
        "number": int(w3.eth.get_storage_at(contract.address, 0).hex(), 16),
    }


def work(network, contract, count):
    """Increments and transfers; gives their hashes."""
    done = []
    for index in range(count):
        call = {"to": contract.address, "data": contract.encode_abi("increment"), "value": 0, "gas": 100000}
        done.append(send(network.w3, account(index % 3), call).transactionHash)
        payment = {"to": account(9).address, "value": index + 1, "gas": 21000}
        done.append(send(network.w3, account(3 + index % 3), payment).transactionHash)
    return done


def open_chunk(network_folder, name):
    """The last chunk of a stopped node's ledger, and the offsets of its entries' starts and end."""
    folder = network_folder / name / "data" / "ledger"
    path = max(folder.glob("ledger_*"), key=lambda each: int(each.name.split("_")[1].split("-")[0].split(".")[0]))
    data = path.read_bytes()
    starts = [8]
    while starts[-1] + 8 <= len(data) and data[starts[-1]] != 0:
        end = starts[-1] + 8 + int.from_bytes(data[starts[-1] + 2 : starts[-1] + 8], "little")
        if end > len(data):
            break
        starts.append(end)
    return path, starts


def test_stop_and_start_keeps_everything_and_heals_torn_writes(tmp_path):
    folder = tmp_path / "network"
    with Running(folder) as network:
        contract = deploy(network.w3, account(0), "Counter")
        transactions = work(network, contract, 6)
        before = everything(network, transactions, contract)
        network.settled()
        tips = {n["nodeID"] for n in network.status()}
    # Everything stopped: nothing is left running.
    for name in ("node1", "node2", "node3"):
        for role in ("manager", "worker"):
            pid = int((folder / name / "data" / f"{role}.pid").read_text())
            wait_for_end(pid, 5)

    # A full restart, and torn last writes: an entry of which the end is missing, and the start of a header.
    path, starts = open_chunk(folder, "node2")
    with open(path, "r+b") as file:
        file.truncate(starts[-1])
        file.seek(starts[-1])
        # A header that promises 4,096 bytes, of which 100 came.
        file.write(b"\1\0" + (4096).to_bytes(6, "little") + os.urandom(100))
    # What was synced is not torn by a crash, so both stand after the last entry; a node that lost a synced entry refuses.
    path, starts = open_chunk(folder, "node3")
    with open(path, "r+b") as file:
        file.truncate(starts[-1])
        file.seek(starts[-1])
        # The first bytes of a header.
        file.write(b"\1\0" + (4096).to_bytes(6, "little") + os.urandom(12))
    with Running(folder) as network:
        assert {n["nodeID"] for n in network.status()} == tips, "the nodes are not the same instances"
        assert everything(network, transactions, contract) == before
        transactions += work(network, contract, 2)
        after = everything(network, transactions, contract)
        assert after["number"] == before["number"] + 2
        assert after["blocks"][: before["head"] + 1] == before["blocks"]
        network.settled()
    for name in ("node1", "node2", "node3"):
        out = network.entente("ledger", "verify", folder / name / "data", "--network-certificate", network.service)
        assert out.returncode == 0, out.stdout + out.stderr
    assert "torn" in (folder / "node2" / "node.log").read_text().lower() or "heal" in (
        folder / "node2" / "node.log"
    ).read_text().lower(), "the mended ledger is not mentioned in the log"

    # A second restart on what was healed.
    with Running(folder) as network:
        assert everything(network, transactions, contract) == after


def test_a_rolled_back_node_notices_and_refuses(tmp_path):
    folder = tmp_path / "network"
    with Running(folder) as network:
        contract = deploy(network.w3, account(0), "Counter")
        work(network, contract, 2)
        network.settled()
        victim = next(n for n in network.names if n != network.primary())
        index = network.names.index(victim)
        data = folder / victim / "data"
    shutil.copytree(data, tmp_path / "old")

    def run_node():
        with open(folder / victim / "node.log", "ab") as log:
            return subprocess.Popen(
                [network.binary, "node", "run", "--config", folder / victim / "node.yaml"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    with Running(folder) as network:
        work(network, contract, 4)
        network.settled()
        # The host stops its node, puts the older state back and starts it again.
        launcher = network.launcher(victim)
        managers = [network.pid(victim, "manager"), network.pid(victim, "worker")]
        os.kill(launcher, signal.SIGTERM)
        for pid in [launcher, *managers]:
            wait_for_end(pid, 20)
        data.rename(tmp_path / "new")
        shutil.copytree(tmp_path / "old", data)
        log_before = (folder / victim / "node.log").stat().st_size
        node = run_node()
        try:
            states = []
            session = network.client()
            deadline = time.time() + 10
            while time.time() < deadline:
                try:
                    answer = session.get(network.administration[index] + "/node/state", timeout=2).json()
                    states.append(answer["state"])
                    if answer["state"] == "stopped":
                        break
                except Exception:
                    states.append("silent")
                # The network goes on meanwhile.
                assert send(network.w3, account(6), {"to": account(7).address, "value": 1, "gas": 21000}).status == 1
                time.sleep(0.2)
            log = (folder / victim / "node.log").read_bytes()[log_before:].decode(errors="replace")
            assert "active" not in states, f"a rolled-back node takes part again: {states}\n{log}"
            assert "older than what it promised" in log, log
            # An operator who asks is told the same.
            assert states[-1] == "stopped", (states, log)
            assert answer["reason"], answer
            # It serves nobody.
            response, _ = rpc(session, network.application[index], "eth_blockNumber", timeout=5)
            assert response.status_code == 503, response.text
            assert send(network.w3, account(6), {"to": account(7).address, "value": 1, "gas": 21000}).status == 1
        finally:
            node.send_signal(signal.SIGTERM)
            node.wait(20)

        # With its newer state it is welcome again.
        shutil.rmtree(data)
        (tmp_path / "new").rename(data)
        node = run_node()
        try:
            nodes = network.settled()
            assert len(nodes) == 3
        finally:
            node.send_signal(signal.SIGTERM)
            assert node.wait(20) == 0
