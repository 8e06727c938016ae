"""Many connections at one node, and a follower that stands still: the others go on, memory stays bounded."""

import json
import os
import pathlib
import signal
import socket
import ssl
import threading
import time
from urllib.parse import urlsplit

import pytest
from conftest import account, send
from network import Network

IDLE, BUSY, SECONDS = 1_000, 200, 6
STILL_SECONDS = 10


@pytest.fixture(scope="module")
def network():
    made = Network()
    made.settled()
    return made


def tls_of(network):
    tls = ssl.create_default_context(cafile=network.service)
    tls.load_cert_chain(network.certificate, network.key)
    return tls


def connect(network, tls, url):
    target = urlsplit(url)
    return tls.wrap_socket(
        socket.create_connection((target.hostname, target.port), timeout=30), server_hostname=target.hostname
    )


def post(connection, body):
    """Posts a body on an open connection; gives status and answer, as JSON."""
    body = json.dumps(body).encode()
    connection.sendall(
        b"POST / HTTP/1.1\r\nhost: node\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    )
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65_536)
        assert part, "the node closed the connection"
        data += part
    head, data = data.split(b"\r\n\r\n", 1)
    length = int(next(l for l in head.split(b"\r\n") if l.lower().startswith(b"content-length:")).split(b":")[1])
    while len(data) < length:
        data += connection.recv(65_536)
    return int(head.split()[1]), json.loads(data)


def call(connection, method, *parameters):
    """One JSON-RPC call."""
    return post(connection, {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters})


def memory(pid):
    """Resident memory of a process in MB."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("VmRSS:")).split()[1]) / 1024


def test_a_thousand_idle_and_two_hundred_busy_connections(network, w3):
    name, url = network.names[0], network.application[0]
    manager, tls = network.pid(name, "manager"), tls_of(network)
    before = memory(manager)
    idle = [connect(network, tls, url) for _ in range(IDLE)]
    grown = memory(manager) - before
    end, tally, failures, lock = time.time() + SECONDS, [], [], threading.Lock()

    def keep_busy():
        try:
            with connect(network, tls, url) as connection:
                times = []
                while time.time() < end:
                    start = time.perf_counter()
                    status, answer = call(connection, "eth_blockNumber")
                    assert status == 200 and "result" in answer, answer
                    times.append(time.perf_counter() - start)
            with lock:
                tally.extend(times)
        except Exception as error:
            failures.append(repr(error))

    threads = [threading.Thread(target=keep_busy) for _ in range(BUSY)]
    for thread in threads:
        thread.start()
    # Writes go on beside them, through the same node and through another.
    for index in range(2):
        assert send(w3, account(3 + index), {"to": account(9).address, "value": 1, "gas": 21_000}).status == 1
    for thread in threads:
        thread.join(60)
    assert not failures, failures[:3]
    tally.sort()
    p99 = tally[int(len(tally) * 0.99)]
    print(
        f"{IDLE} idle connections: {grown * 1024 / IDLE:.0f} KB each; {BUSY} busy ones: {len(tally) / SECONDS:.0f} calls/s, "
        f"p99 {p99 * 1000:.0f} ms"
    )
    assert len(tally) > BUSY, "every connection is served"
    assert grown / IDLE < 0.25, "an idle connection takes less than 256 KB"
    # The idle ones are alive: each is answered.
    for connection in idle[:: IDLE // 50]:
        assert call(connection, "eth_chainId")[0] == 200
    for connection in idle:
        connection.close()
    network.settled()


def load(network, names, seconds, folder):
    """Transfers by the bench through some of the nodes: what it says in JSON."""
    funder = folder / "funder"
    funder.write_text(account(5).key.hex())
    nodes = ",".join(urlsplit(network.application[network.names.index(name)]).netloc for name in names)
    options = ["--nodes", nodes, "--certificate", network.certificate, "--key", network.key]
    options += ["--network-certificate", network.service, "--funder-key", funder]
    options += ["--workload", "transfers", "--loop", "closed", "--accounts", 200, "--warmup", 0.5, "--seconds", seconds]
    done = network.entente("bench", *options, "--json", timeout=seconds + 60)
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def test_a_follower_that_stands_still_stalls_nobody_and_costs_the_leader_little(network, tmp_path):
    leader = network.primary()
    still = next(name for name in network.names if name != leader)
    others = [name for name in network.names if name != still]
    stopped = [network.pid(still, role) for role in ("manager", "worker")]
    whole = load(network, others, 3, tmp_path)
    before = memory(network.pid(leader, "manager"))
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        without = load(network, others, STILL_SECONDS, tmp_path)
        grown = memory(network.pid(leader, "manager")) - before
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    start = time.time()
    network.settled(60)
    level = time.time() - start
    (whole,), (without,) = whole["phases"], without["phases"]
    rates = [phase["transactionsPerSecond"] for phase in (whole, without)]
    longest = without["answerMilliseconds"]["max"]
    print(
        f"all three {rates[0]:.0f} tx/s, one still {rates[1]:.0f} tx/s, longest answer {longest:.0f} ms; the leader's manager "
        f"grew by {grown:.0f} MB in {without['acknowledged']} transactions; level again {level:.1f} s later"
    )
    assert without["unknownOutcome"] == without["refused"] == 0
    assert rates[1] > rates[0] / 3
    assert longest < 4_000, "no write waits for the node that stands still"
    # What a peer lacks is kept up to a bound (16 MiB of entries, and what its channel may hold), not for ever.
    assert grown < 350
