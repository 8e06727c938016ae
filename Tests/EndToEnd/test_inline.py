"""A network whose workers run inside their managers: run under `entente up --isolation inline -- pytest ...`."""

import ctypes
import json
import os
import pathlib
import socket
import time

import pytest
from conftest import account, deploy, send
from network import Network

PIDFD_OPEN, PIDFD_GETFD = 434, 438


@pytest.fixture(scope="module")
def network():
    return Network()


def processes_below(launcher):
    """Names of the executables of a launcher's children."""
    found = []
    for folder in pathlib.Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1]) == launcher:
                    found.append((folder / "cmdline").read_bytes().split(b"\0")[0].decode().rsplit("/", 1)[-1])
            except OSError:
                continue
    return found


def metric(network, index, name):
    text = network.client().get(network.administration[index] + "/node/metrics", timeout=10).text
    return int(next(line for line in text.splitlines() if line.startswith(name + " ")).split()[1])


def test_one_process_is_manager_and_worker(network, w3):
    network.settled()
    for name in network.names:
        assert processes_below(network.launcher(name)) == ["entente-node"]
        assert not (network.data / name / "data" / "worker.pid").exists()
        tuple_file = json.loads((network.data / name / "tuple.json").read_text())
        assert tuple_file["workerMeasurement"] == ""
        assert tuple_file["managerMeasurement"] in (network.data / "genesis.yaml").read_text()
    assert "role: combined" in (network.data / "genesis.yaml").read_text()


def unix_sockets(pid):
    inodes = {line.split()[6] for line in pathlib.Path("/proc/net/unix").read_text().splitlines()[1:]}
    found = []
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        target = os.readlink(link)
        if target.startswith("socket:[") and target[8:-1] in inodes:
            found.append(int(link.name))
    return sorted(found)


def borrow(pid, descriptor):
    """A copy of another process's descriptor, or a skip where the system does not give it."""
    libc = ctypes.CDLL(None, use_errno=True)
    process = libc.syscall(PIDFD_OPEN, pid, 0)
    copy = libc.syscall(PIDFD_GETFD, process, descriptor, 0)
    number = ctypes.get_errno()
    os.close(process)
    if copy < 0:
        pytest.skip(f"descriptors can't be borrowed here: {os.strerror(number)}")
    return socket.socket(fileno=copy)


def test_a_worker_that_ends_inside_starts_the_node_again(network, w3):
    counter = deploy(w3, account(1), "Counter")
    network.settled()
    name = next(name for name in network.names if name != network.primary())
    before = network.pid(name, "manager")
    # The first is the control channel; the others are the two ends of the pair between manager and worker.
    pair = [descriptor for descriptor in unix_sockets(before) if descriptor != 3]
    assert len(pair) == 2, pair
    with borrow(before, pair[0]) as end:
        end.shutdown(socket.SHUT_RDWR)
    deadline = time.time() + 20
    while network.pid(name, "manager") == before and time.time() < deadline:
        time.sleep(0.05)
    assert network.pid(name, "manager") != before
    network.settled()
    assert send(w3, account(1), {"to": counter.address, "data": counter.encode_abi("increment"), "value": 0}).status == 1
    network.settled()
    log = (network.data / name / "node.log").read_text()
    assert "the worker inside ended" in log
    assert "code=75" in log and "the manager died and is started again" in log
    assert metric(network, network.names.index(name), "entente_manager_restarts_total") == 1
    assert metric(network, network.names.index(network.primary()), "entente_manager_restarts_total") == 0


def test_a_killed_leader_comes_back(network, w3):
    network.settled()
    leader = network.primary()
    network.kill_manager(leader)
    assert send(w3, account(2), {"to": account(3).address, "value": 1, "gas": 21000}).status == 1
    network.settled()
