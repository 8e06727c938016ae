"""Snapshots of real nodes: made, checked by the PyPI package ccf, started from, restored from, sent to a node that was
away. Run outside a network: these tests start their own."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
from conftest import account, deploy
from network import wait_for_end
from test_restart import Running, everything, work

CHECKER = pathlib.Path(__file__).parents[1] / "python" / "ccf_check.py"
NODES = ("node1", "node2", "node3")
INTERVAL = 20


def found(folder):
    """Founds a network with a snapshot every 20 entries, and stops it."""
    genesis = folder.parent / "parameters.yaml"
    genesis.write_text(f"ledger: {{snapshotIntervalEntries: {INTERVAL}}}\n")
    up = [os.environ["ENTENTE_BIN"], "up", "--data", folder, "--genesis", genesis, "--", "true"]
    done = subprocess.run(up, capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stdout + done.stderr


def snapshots(folder, name):
    """A node's committed snapshots by seqno."""
    paths = (folder / name / "data" / "snapshots").glob("snapshot_*.committed")
    return {int(path.name.split("_")[1]): path for path in paths}


def log(folder, name):
    return (folder / name / "node.log").read_text()


def ccf_accepts(*arguments):
    done = subprocess.run([sys.executable, CHECKER, *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def verify(network, folder, name):
    """What `entente ledger verify` says of a stopped node's ledger."""
    arguments = ["ledger", "verify", folder / name / "data", "--network-certificate", network.service, "--json"]
    out = network.entente(*arguments)
    assert out.returncode == 0, out.stdout + out.stderr
    return json.loads(out.stdout)


def stop_node(network, name):
    launcher = network.launcher(name)
    pids = [network.pid(name, "manager"), network.pid(name, "worker")]
    os.kill(launcher, signal.SIGTERM)
    for pid in [launcher, *pids]:
        wait_for_end(pid, 20)


def wait_for(condition, seconds, what):
    deadline = time.time() + seconds
    while not condition():
        assert time.time() < deadline, f"{what} does not come in {seconds} s"
        time.sleep(0.1)


def chunk_end(path):
    """Seqno of the last entry of a committed chunk; None for others."""
    name = path.name.removeprefix("ledger_")
    return int(name.split("-")[1].removesuffix(".committed")) if name.endswith(".committed") else None


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One network for all tests, which follow one another on its data."""
    folder = tmp_path_factory.mktemp("snapshots") / "network"
    found(folder)
    return {"folder": folder}


def test_every_node_makes_the_same_snapshots_and_ccf_accepts_them(shared):
    folder = shared["folder"]
    with Running(folder) as network:
        shared["contract"] = contract = deploy(network.w3, account(0), "Counter")
        shared["transactions"] = work(network, contract, 20)
        network.settled()
        wait_for(lambda: all(len(snapshots(folder, name)) == 2 for name in NODES), 20, "a second snapshot on each node")
        shared["before"] = everything(network, shared["transactions"], contract)
        shared["service"] = network.service
    for name in NODES[1:]:
        common = snapshots(folder, name).keys() & snapshots(folder, "node1").keys()
        assert common, "no snapshot that two nodes have"
        for seqno in common:
            one, other = snapshots(folder, "node1")[seqno], snapshots(folder, name)[seqno]
            assert one.name == other.name and one.read_bytes() == other.read_bytes(), f"{one} and {other} differ"
    for name in NODES:
        for seqno, path in snapshots(folder, name).items():
            said = ccf_accepts("--snapshot", path)
            assert said["ccf"].startswith("7."), "the package that knows COSE receipts in snapshots"
            assert said["snapshots"][0]["seqno"] == seqno
        ccf_accepts("--ledger", folder / name / "data" / "ledger", "--committed-only")
        assert verify(network, folder, name)["starts_after"] is None


def test_a_restart_begins_at_the_snapshot_and_a_worker_is_restored_from_it(shared):
    folder, contract = shared["folder"], shared["contract"]
    with Running(folder) as network:
        assert everything(network, shared["transactions"], contract) == shared["before"]
        for name in NODES:
            assert "starting from a snapshot" in log(folder, name)
            assert "restored from a snapshot" in log(folder, name)
        victim = network.primary()
        count = log(folder, victim).count("the worker was restored from a snapshot")
        os.kill(network.pid(victim, "worker"), signal.SIGKILL)
        wait_for(
            lambda: log(folder, victim).count("the worker was restored from a snapshot") > count, 20, "a new worker")
        network.settled()
        assert everything(network, shared["transactions"], contract) == shared["before"]
        shared["transactions"] += work(network, contract, 3)
        network.settled()
        shared["before"] = everything(network, shared["transactions"], contract)


def test_a_damaged_snapshot_is_refused_and_nothing_is_lost(shared):
    folder, contract = shared["folder"], shared["contract"]
    newest = snapshots(folder, "node2")[max(snapshots(folder, "node2"))]
    damaged = bytearray(newest.read_bytes())
    damaged[len(damaged) // 2] ^= 0x10
    newest.write_bytes(damaged)
    # All of them are damaged at node 3, which has its whole ledger.
    for path in snapshots(folder, "node3").values():
        path.write_bytes(path.read_bytes()[:-40])
    with Running(folder) as network:
        assert everything(network, shared["transactions"], contract) == shared["before"]
        for name in NODES[1:]:
            assert "a snapshot of this node can't be used" in log(folder, name)
        assert newest.with_name(newest.name + ".ignored").exists()
        shared["transactions"] += work(network, contract, 12)
        network.settled()
        shared["before"] = everything(network, shared["transactions"], contract)


def test_a_node_that_was_away_gets_a_snapshot(shared):
    folder, contract = shared["folder"], shared["contract"]
    with Running(folder) as network:
        away = next(name for name in NODES if name != network.primary())
        stop_node(network, away)
        had = max(int(path.name.split("_")[1].split("-")[0]) for path in (folder / away / "data" / "ledger").glob("ledger_*"))
        shared["transactions"] += work(network, contract, 30)
        others = [name for name in NODES if name != away]
        wait_for(lambda: all(min(snapshots(folder, name)) > had + INTERVAL for name in others), 20, "later snapshots")
        shared["before"] = everything(network, shared["transactions"], contract)
    # The operators of the others let go of what is in the older of their two snapshots.
    for name in others:
        oldest = min(snapshots(folder, name))
        dropped = [path for path in (folder / name / "data" / "ledger").iterdir() if (chunk_end(path) or oldest + 1) <= oldest]
        assert dropped, "no chunk ends before the snapshot"
        for path in dropped:
            path.unlink()
    with Running(folder) as network:
        assert "a snapshot was installed" in log(folder, away)
        assert everything(network, shared["transactions"], contract) == shared["before"]
        shared["transactions"] += work(network, contract, 3)
        network.settled()
        shared["before"] = everything(network, shared["transactions"], contract)
    for name in NODES:
        assert verify(network, folder, name)["starts_after"] is not None
    shown = network.entente("ledger", "show", folder / away / "data", "--count", 1)
    assert shown.returncode == 0 and "the ledger begins with entry" in shown.stdout, shown.stdout + shown.stderr
    for path in snapshots(folder, away).values():
        ccf_accepts("--snapshot", path)
    # The ledger after a snapshot is enough for its node to start again, alone of its kind.
    with Running(folder) as network:
        assert everything(network, shared["transactions"], contract) == shared["before"]
