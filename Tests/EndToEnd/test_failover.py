"""Leaders die in the middle of the work: nothing acknowledged is lost, nothing happens twice."""

import json
import os
import pathlib
import signal
import subprocess
import threading
import time

import pytest
from conftest import account, deploy, send


def status():
    """What `entente network status` says of the running network."""
    out = subprocess.run(
        [os.environ["ENTENTE_BIN"], "network", "status", "--data", os.environ["ENTENTE_DATA"], "--json"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert out.returncode in (0, 1), out.stderr
    return json.loads(out.stdout)


def all_active():
    """The nodes, once all of them take part."""
    for _ in range(300):
        nodes = status()["nodes"]
        if all(n.get("state") == "active" and n.get("worker") == "ready" for n in nodes):
            return nodes
        time.sleep(0.1)
    pytest.fail(f"not all nodes are back after 30 s: {nodes}")


def primary():
    """Name of the node that leads, once all agree on one."""
    for _ in range(200):
        nodes = status()["nodes"]
        leaders = {n["primary"] for n in nodes if n.get("primary")}
        if len(leaders) == 1:
            leader = leaders.pop()
            names = [n["name"] for n in nodes if n.get("nodeID") == leader]
            if names:
                return names[0]
        time.sleep(0.1)
    pytest.fail("no primary in 20 s")


def kill(name):
    """kill -9 of a node's manager enclave."""
    pid = int((pathlib.Path(os.environ["ENTENTE_DATA"]) / name / "data" / "manager.pid").read_text())
    os.kill(pid, signal.SIGKILL)


def increments(w3, counter, sender, count, done, failures):
    """Sends `count` increments one after the other, as a careful client: what is unknown is asked for by hash."""
    nonce = w3.eth.get_transaction_count(sender.address)
    for index in range(count):
        signed = sender.sign_transaction(
            {
                "chainId": w3.eth.chain_id,
                "nonce": nonce + index,
                "to": counter.address,
                "data": counter.encode_abi("increment"),
                "value": 0,
                "gas": 100000,
                "gasPrice": 0,
            }
        )
        deadline = time.time() + 60
        while True:
            try:
                w3.eth.send_raw_transaction(signed.raw_transaction)
            except Exception as error:  # busy, or outcome unknown: the receipt below decides
                last = error
            try:
                receipt = w3.eth.wait_for_transaction_receipt(signed.hash, timeout=5, poll_latency=0.02)
                assert receipt.status == 1
                done.append(signed.hash)
                break
            except Exception as error:
                last = error
            if time.time() > deadline:
                failures.append((index, last))
                return


def test_counter_counts_each_once_across_leader_kills(w3):
    owner = account(0)
    counter = deploy(w3, owner, "Counter")
    senders = [account(index) for index in range(1, 5)]
    done, failures = [], []
    threads = [
        threading.Thread(target=increments, args=(w3, counter, sender, 40, done, failures)) for sender in senders
    ]
    for thread in threads:
        thread.start()
    for _ in range(2):
        time.sleep(1.0)
        kill(primary())
    for thread in threads:
        thread.join(timeout=240)
        assert not thread.is_alive()
    assert failures == []
    assert len(done) == 160
    assert counter.functions.number().call() == 160
    numbers = [e.args.number for e in counter.events.Counted().get_logs(from_block=0)]
    assert sorted(numbers) == list(range(1, 161))
    for transaction in done:
        assert w3.eth.get_transaction_receipt(transaction).status == 1


def test_a_killed_node_comes_back_as_the_same_instance(w3):
    before = {n["name"]: n["nodeID"] for n in all_active()}
    victim = primary()
    kill(victim)
    assert send(w3, account(5), {"to": account(6).address, "value": 1, "gas": 21000}).status == 1
    after = {n["name"]: n["nodeID"] for n in all_active()}
    assert after == before


def test_two_of_three_killed_at_once_come_back(w3):
    names = [n["name"] for n in all_active()]
    balance = w3.eth.get_balance(account(9).address)
    assert send(w3, account(5), {"to": account(9).address, "value": 5, "gas": 21000}).status == 1
    for name in names[:2]:
        kill(name)
    all_active()
    assert w3.eth.get_balance(account(9).address) == balance + 5
    assert send(w3, account(5), {"to": account(9).address, "value": 5, "gas": 21000}).status == 1
