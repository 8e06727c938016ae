"""Secrets are planted wherever a client can put them, then looked for in everything that a host sees."""

import base64
import json
import os
import pathlib
import re
import resource
import secrets
import shutil
import signal
import socket
import subprocess
import threading
import time
from urllib.parse import urlsplit

import pytest
from conftest import account, send
from eth_account import Account
from network import Network, rpc

LOOPBACK_PACKET = 4  # PACKET_OUTGOING: each packet of the loopback device is seen going out and coming in


@pytest.fixture(scope="module")
def network():
    return Network()


class Secrets:
    """Marker strings by the place they were put in."""

    def __init__(self):
        self.by_place = {}

    def new(self, place, count=32):
        self.by_place[place] = secrets.token_bytes(count)
        return self.by_place[place]

    def text(self, place):
        """A marker that is printable, for places that take text only."""
        self.by_place[place] = ("mark" + secrets.token_hex(14)).encode()
        return self.by_place[place].decode()

    def forms(self):
        """Each marker raw, in hex and in base64 at each of the three alignments."""
        for place, marker in self.by_place.items():
            yield place, "raw", marker
            yield place, "hex", marker.hex().encode()
            yield place, "HEX", marker.hex().upper().encode()
            for shift in range(3):
                text = base64.b64encode(b"\0" * shift + marker)
                # The first and the last characters depend on the neighbours.
                yield place, "base64", text[4 if shift else 0 : -4]

    def found(self, data):
        return sorted({(place, form) for place, form, marker in self.forms() if marker in data})


def loopback(stop, streams, ports):
    """Everything on the loopback device from or to the ports, by connection and direction."""
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    tap.bind(("lo", 0))
    tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
    tap.settimeout(0.1)
    with tap:
        while not stop.is_set():
            try:
                frame, address = tap.recvfrom(1 << 17)
            except TimeoutError:
                continue
            if address[2] != LOOPBACK_PACKET or frame[12:14] != b"\x08\0" or frame[23] != socket.IPPROTO_TCP:
                continue
            segment = frame[14 + (frame[14] & 15) * 4 :]
            pair = (int.from_bytes(segment[:2], "big"), int.from_bytes(segment[2:4], "big"))
            if ports & set(pair):
                streams.setdefault(pair, bytearray()).extend(segment[(segment[12] >> 4) * 4 :])


def default_signals():
    """A tracer has to stop when told so, whatever this process ignores."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def storage_code(marker):
    """Creation code that stores a marker, logs it, and returns code that holds it."""
    store = b"\x7f" + marker["storage"] + b"\x60\0\x55"
    log = b"\x7f" + marker["log"] + b"\x60\0\x52\x60\x20\x60\0\xa0"
    back = b"\x7f" + marker["code"] + b"\x60\0\x52\x60\x20\x60\0\xf3"
    return store + log + back


@pytest.fixture(scope="module")
def planted(network, w3):
    """Plants the secrets while traffic between the nodes and of the launchers is recorded."""
    marks = Secrets()
    settings = [(network.data / name / "node.yaml").read_text() for name in network.names]
    ports = {int(port) for text in settings for port in re.findall(r"127\.0\.0\.1:(\d+)", text)}
    streams, stop = {}, threading.Event()
    tap = threading.Thread(target=loopback, args=(stop, streams, ports), daemon=True)
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)).close()
        tap.start()
    except PermissionError:
        streams = None
    traces = []
    folder = network.data / "traces"
    if shutil.which("strace"):
        folder.mkdir(exist_ok=True)
        for name in network.names:
            command = ["strace", "-f", "-xx", "-s", "1000000", "-o", folder / f"{name}.txt", "-e"]
            command += ["trace=read,recvmsg,recvfrom,write,sendmsg,sendto,pwrite64,writev", "-p", str(network.launcher(name))]
            traces.append(subprocess.Popen(command, stderr=subprocess.DEVNULL, preexec_fn=default_signals))
        time.sleep(1)

    for name in ("storage", "log", "code", "init"):
        marks.new(name)
    code = storage_code(marks.by_place)
    receipt = send(w3, account(0), {"data": code + marks.by_place["init"], "value": 0, "gas": 400000, "gasPrice": 0})
    assert receipt.status == 1
    stored = w3.eth.get_storage_at(receipt.contractAddress, 0)
    assert bytes(stored) == marks.by_place["storage"] and bytes(w3.eth.get_code(receipt.contractAddress)) == marks.by_place["code"]
    assert bytes(receipt.logs[0]["data"]) == marks.by_place["log"]

    call = {"to": account(1).address, "data": marks.new("call data"), "value": 0, "gas": 60000, "gasPrice": 0}
    assert send(w3, account(0), call).status == 1
    fresh = Account.from_key(marks.new("account key"))
    marks.by_place["account address"] = bytes.fromhex(fresh.address[2:])
    assert send(w3, account(0), {"to": fresh.address, "value": 1000, "gas": 21000}).status == 1
    assert send(w3, fresh, {"to": account(1).address, "value": 1, "gas": 21000, "gasPrice": 0}).status == 1
    amount = marks.new("value", 10)  # 80 random bits of wei, in a transfer that fails for lack of funds
    session = network.client()
    for turn, url in enumerate(network.application):
        kind = {"content-type": "application/json"}

        def post(body, expected=None, **headers):
            response = session.post(url + "/", data=body, headers={**kind, **headers}, timeout=30)
            assert expected is None or response.status_code == expected, response.text
            return response

        nonce = w3.eth.get_transaction_count(account(2).address)
        signed = account(2).sign_transaction(
            {"chainId": 1337, "nonce": nonce, "to": account(1).address, "value": 1, "gas": 21000, "gasPrice": 0}
        )
        body = {"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": ["0x" + signed.raw_transaction.hex()]}
        request = marks.text(f"request id {turn}")
        assert "result" in post(json.dumps(body), 200, **{"x-entente-request-id": request}).json()
        # Error paths: each holds a secret in what the node refuses.
        post('{"jsonrpc":"2.0","id":1,"method":"%s' % marks.text(f"cut JSON {turn}"))
        post('{"a":%s}' % marks.text(f"JSON that is none {turn}"))
        post(b'{"a":"\xff%s"}' % marks.new(f"invalid UTF-8 {turn}"))
        rpc(session, url, "eth_" + marks.text(f"method {turn}"))
        rpc(session, url, "eth_getBalance", marks.text(f"address {turn}"), "latest")
        rpc(session, url, "eth_getBlockByNumber", marks.text(f"tag {turn}"), False)
        rpc(session, url, "eth_call", {marks.text(f"field {turn}"): 1}, "latest")
        rpc(session, url, "eth_sendRawTransaction", "0x" + marks.new(f"RLP {turn}").hex())
        rpc(session, url, "eth_sendRawTransaction", "0x02f8" + marks.new(f"typed RLP {turn}").hex())
        rich = {"chainId": 1337, "nonce": nonce + 1, "to": account(1).address, "gas": 60000, "gasPrice": 0}
        for more in (
            {"value": int.from_bytes(amount, "big") << 60, "data": b""},
            {"value": 0, "data": marks.new(f"other chain {turn}"), "chainId": 7},
            {"value": 0, "data": marks.new(f"nonce too low {turn}"), "nonce": 0},
            {"value": 0, "data": marks.new(f"too little gas {turn}"), "gas": 1},
        ):
            raw = account(2).sign_transaction({**rich, **more}).raw_transaction
            rpc(session, url, "eth_sendRawTransaction", "0x" + raw.hex())
        # Reverting with a secret reason, in a call and in a transaction.
        reason = marks.new(f"revert {turn}")
        revert = b"\x7f" + reason + b"\x60\0\x52\x60\x20\x60\0\xfd"
        _, answer = rpc(session, url, "eth_call", {"data": "0x" + revert.hex()}, "latest")
        assert reason.hex() in answer["error"]["data"]
        session.get(f"{url}/{marks.text(f'path {turn}')}", timeout=10)
        session.get(f"{url}/app/tx", params={"transaction_id": marks.text(f"parameter {turn}")}, timeout=10)
        session.get(f"{url}/node/state", headers={"x-entente-at-least": marks.text(f"header {turn}")}, timeout=10)
        session.get(f"{url}/node/state", headers={"x-big": marks.text(f"big header {turn}") * 2000}, timeout=10)
        session.request(marks.text(f"verb {turn}").upper(), f"{url}/node/state", timeout=10)
        # And by way of the gateway.
        rpc(session, network.rpc_url, "eth_" + marks.text(f"gateway method {turn}"))
        rpc(session, network.rpc_url, "personal_" + marks.text(f"gateway refusal {turn}"))
    network.settled()
    time.sleep(0.5)
    for trace in traces:
        trace.send_signal(signal.SIGINT)
        try:
            trace.wait(5)
        except subprocess.TimeoutExpired:
            trace.kill()
            trace.wait(5)
    stop.set()
    if streams is not None:
        tap.join()
    network.settled()
    yield marks, streams, sorted(folder.glob("*.txt"))
    shutil.rmtree(folder, ignore_errors=True)


def test_files_and_logs_hold_no_secret(network, planted):
    marks, _, _ = planted
    found, files = [], 0
    for root in [*(network.data / name for name in network.names), network.data / "gateway.log"]:
        for path in [root] if root.is_file() else [p for p in root.rglob("*") if p.is_file()]:
            files += 1
            found += [(str(path.relative_to(network.data)), *each) for each in marks.found(path.read_bytes())]
    assert files > 20
    assert found == []


def test_the_search_would_find_them():
    """What the search is worth: each form of a marker within other text is found."""
    marks = Secrets()
    marker = marks.new("x")
    for shift in range(5):
        for data in (marker, marker.hex().encode(), marker.hex().upper().encode()):
            assert marks.found(b"a" * shift + data + b"b")
        assert marks.found(base64.b64encode(b"a" * shift + marker + b"b" * shift))
    assert not marks.found(secrets.token_bytes(100_000))


def test_sockets_carry_no_secret(planted):
    marks, streams, _ = planted
    if streams is None:
        pytest.skip("recording the loopback device needs CAP_NET_RAW")
    assert sum(map(len, streams.values())) > 100_000, "next to nothing was recorded"
    found = [(pair, *each) for pair, data in streams.items() for each in marks.found(bytes(data))]
    assert found == []
    # It is TLS 1.3: no record but the first ones is anything else than application data.
    assert any(data[:1] == b"\x16" for data in streams.values())


def test_launchers_see_no_secret(planted):
    marks, _, traces = planted
    if not traces:
        pytest.skip("no strace here")
    found = []
    for path in traces:
        text = path.read_text(errors="replace")
        data = b"\n".join(bytes.fromhex(each.replace("\\x", "")) for each in re.findall(r'"((?:\\x[0-9a-f]{2})+)"', text))
        found += [(path.name, *each) for each in marks.found(data)]
    assert found == []


def bare(command):
    """The command without any capability: root is then an ordinary user as far as other processes go."""
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *map(str, command)]


def test_other_processes_of_the_host_cannot_look_into_enclaves(network):
    """Not dumpable: even a process of the same user can't read the memory, and so gcore fails."""
    if not shutil.which("setpriv"):
        pytest.skip("no setpriv here")
    wrapper = bare if os.geteuid() == 0 else list
    # The look itself works on an ordinary process.
    plain = subprocess.Popen(wrapper(["sleep", "60"]))
    try:
        time.sleep(0.3)
        out = subprocess.run(wrapper(["cat", f"/proc/{plain.pid}/maps"]), capture_output=True)
        assert out.returncode == 0 and out.stdout, out.stderr
    finally:
        plain.kill()
        plain.wait()
    for name in network.names:
        for role in ("manager", "worker"):
            pid = network.pid(name, role)
            for file in ("maps", "environ", "mem"):
                out = subprocess.run(wrapper(["head", "-c", "16", f"/proc/{pid}/{file}"]), capture_output=True, text=True)
                assert out.returncode != 0 and "ermission denied" in out.stderr, (name, role, file, out)


def test_a_crash_leaves_no_core_dump(network, planted):
    marks, _, _ = planted
    for role in ("worker", "manager"):
        victim = next(n for n in network.names if n != network.primary())
        pid = network.pid(victim, role)
        assert resource.prlimit(pid, resource.RLIMIT_CORE) == (0, 0)
        folder = pathlib.Path(os.readlink(f"/proc/{pid}/cwd"))
        os.kill(pid, signal.SIGSEGV)
        deadline = time.time() + 20
        while network.pid(victim, role) == pid and time.time() < deadline:
            time.sleep(0.05)
        assert network.pid(victim, role) != pid, f"the {role} is not run again"
        network.settled()
        places = {folder, network.data / victim, network.data / victim / "data", pathlib.Path.cwd(), pathlib.Path("/var/crash")}
        cores = [p for each in places if each.is_dir() for p in each.iterdir() if re.fullmatch(rf"core(\.{pid})?|.*\.core", p.name) and p.is_file()]
        assert cores == []
    for name in network.names:
        assert marks.found((network.data / name / "node.log").read_bytes()) == []
