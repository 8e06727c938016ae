"""The application listener of a node is flooded: its administration goes on, and the flood leaves nothing broken."""

import json
import multiprocessing
import socket
import ssl
import threading
import time
from urllib.parse import urlsplit

from conftest import account, send
from network import Network

CONNECTIONS, SECONDS, LIMIT = 200, 10, 1.0
CALL = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}).encode()


DEPTH = 32
REQUEST = (
    b"POST / HTTP/1.1\r\nhost: node\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(CALL) + CALL
)


def keep_busy(target, tls, end, tally, lock):
    """Keeps one connection busy with pipelined calls, opening it again when it is closed."""
    mine = {}

    def count(what):
        mine[what] = mine.get(what, 0) + 1

    while time.time() < end:
        try:
            with socket.create_connection((target.hostname, target.port), timeout=10) as plain:
                with tls.wrap_socket(plain, server_hostname=target.hostname) as connection:
                    reader = connection.makefile("rb")
                    while time.time() < end:
                        connection.sendall(REQUEST * DEPTH)
                        for _ in range(DEPTH):
                            status = int(reader.readline().split()[1])
                            headers = {}
                            while line := reader.readline().strip():
                                name, value = line.split(b":", 1)
                                headers[name.lower()] = value.strip()
                            body = reader.read(int(headers[b"content-length"]))
                            count(status)
                            if status == 503 and (b"retry-after" not in headers or b"message" not in body):
                                count("unclear")
        except Exception as error:
            count(type(error).__name__)
            time.sleep(0.02)
    with lock:
        for key, value in mine.items():
            tally[key] = tally.get(key, 0) + value


def flood(url, service, certificate, key, end, results):
    """A process of its own, so that the one that measures does not wait for its interpreter."""
    tls = ssl.create_default_context(cafile=service)
    tls.load_cert_chain(certificate, key)
    tally, lock = {}, threading.Lock()
    threads = [
        threading.Thread(target=keep_busy, args=(urlsplit(url), tls, end, tally, lock), daemon=True)
        for _ in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    results.put(tally)


def test_administration_goes_on_under_a_flood(w3):
    network = Network()
    network.settled()
    spawn = multiprocessing.get_context("spawn")
    results = spawn.Queue()
    end = time.time() + SECONDS + 2
    attacker = spawn.Process(
        target=flood,
        args=(network.application[0], network.service, network.certificate, network.key, end, results),
        daemon=True,
    )
    attacker.start()
    time.sleep(2)
    administration = network.client()
    times, states = [], set()
    while time.time() < end:
        before = time.perf_counter()
        response = administration.get(network.administration[0] + "/node/state", timeout=5)
        times.append(time.perf_counter() - before)
        assert response.status_code == 200
        states.add(response.json()["state"])
        time.sleep(0.02)
    tally = results.get(timeout=30)
    attacker.join(10)
    times.sort()
    p99 = times[int(len(times) * 0.99)]
    print(f"{tally}; {len(times)} administration requests, p99 {p99 * 1000:.0f} ms, max {times[-1] * 1000:.0f} ms")
    assert states == {"active"}
    assert tally.get("unclear", 0) == 0
    assert tally.get(200, 0) + tally.get(503, 0) > CONNECTIONS
    assert set(tally) & {400, 404, 500, 502} == set()
    assert times[-1] < LIMIT, f"each answer comes within a second; p99 {p99:.2f} s"

    # Afterwards the flooded listener serves as before, and so does the network.
    response = network.client().post(network.application[0] + "/", data=CALL, timeout=10)
    assert response.status_code == 200 and "result" in response.json()
    assert send(w3, account(5), {"to": account(6).address, "value": 1, "gas": 21000}).status == 1
    network.settled()


def read_answer(reader):
    """Status, headers and body of the next answer."""
    status = int(reader.readline().split()[1])
    headers = {}
    while line := reader.readline().strip():
        name, value = line.split(b":", 1)
        headers[name.decode().lower()] = value.strip().decode()
    return status, headers, reader.read(int(headers["content-length"]))


def test_a_full_listener_says_busy_and_administration_does_not_notice(w3):
    network = Network()
    network.settled()
    client = network.client()
    view, seqno = client.get(network.application[0] + "/app/commit", timeout=5).json()["transaction_id"].split(".")
    target = urlsplit(network.application[0])
    tls = ssl.create_default_context(cafile=network.service)
    tls.load_cert_chain(network.certificate, network.key)

    def connect():
        plain = socket.create_connection((target.hostname, target.port), timeout=20)
        return tls.wrap_socket(plain, server_hostname=target.hostname)

    # Requests that wait for a transaction far ahead hold their places: 128 connections with 32 each are the listener's
    # 4,096, and whoever comes then is told to come again.
    waiting = REQUEST.replace(
        b"host: node\r\n", b"host: node\r\nx-entente-at-least: %s.%d\r\n" % (view.encode(), int(seqno) + 500_000)
    )
    held = [connect() for _ in range(128)]
    try:
        for connection in held:
            connection.sendall(waiting * 32)
        deadline, busy = time.time() + 15, []
        while len(busy) < 20 and time.time() < deadline:
            with connect() as extra:
                extra.sendall(REQUEST)
                answer = read_answer(extra.makefile("rb"))
            if answer[0] == 503:
                busy.append(answer)
        assert len(busy) == 20, "the listener never filled up"
        for _, headers, body in busy:
            assert int(headers["retry-after"]) >= 1
            assert json.loads(body)["error"]["code"] == "Busy" and json.loads(body)["error"]["message"]
        times = []
        for _ in range(50):
            before = time.perf_counter()
            response = client.get(network.administration[0] + "/node/state", timeout=5)
            times.append(time.perf_counter() - before)
            assert response.status_code == 200 and response.json()["state"] == "active"
        times.sort()
        print(f"administration beside a full listener: median {times[25] * 1000:.1f} ms, max {times[-1] * 1000:.1f} ms")
        assert times[-1] < LIMIT
        # The gateway goes to another node.
        assert send(w3, account(7), {"to": account(8).address, "value": 1, "gas": 21000}).status == 1
    finally:
        for connection in held:
            connection.close()
    # Places are free again as soon as their connections are gone.
    deadline, status = time.time() + 10, None
    while status != 200 and time.time() < deadline:
        with connect() as extra:
            extra.sendall(REQUEST)
            status = read_answer(extra.makefile("rb"))[0]
    assert status == 200
    network.settled()
