"""Malformed input at every door: each piece gets a clear error, and the node lives on."""

import datetime
import json
import random
import re
import socket
import ssl
import time
from urllib.parse import urlsplit

import pytest
import requests
import rlp
from conftest import account, send
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from eth_utils import keccak
from network import Network, rpc

CALL = b'{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}'


@pytest.fixture(scope="module")
def network():
    return Network()


@pytest.fixture(scope="module")
def doors(network):
    """Host and port of the first node's three listeners."""
    text = (network.data / "node1" / "node.yaml").read_text()
    node = re.search(r'node: \{address: "([^"]+)"', text)[1]
    pair = lambda url: (urlsplit(url).hostname, urlsplit(url).port)
    return {
        "application": pair(network.application[0]),
        "administration": pair(network.administration[0]),
        "node": pair("https://" + node),
    }


@pytest.fixture(autouse=True)
def lives_on(network):
    """After each test the first node, its two processes still the same, serves as before."""
    before = [network.pid("node1", role) for role in ("manager", "worker")]
    yield
    session = network.client()
    state = session.get(network.administration[0] + "/node/state", timeout=10).json()
    assert state["state"] == "active" and state["worker"] == "ready"
    response, answer = rpc(session, network.application[0], "eth_blockNumber", timeout=10)
    assert response.status_code == 200 and "result" in answer
    assert [network.pid("node1", role) for role in ("manager", "worker")] == before, "a process had to be restarted"


def log_of(network):
    return (network.data / "node1" / "node.log").read_bytes()


def context(network, certificate=True, trust=True):
    made = ssl.create_default_context(cafile=network.service) if trust else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not trust:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if certificate is True:
        made.load_cert_chain(network.certificate, network.key)
    elif certificate:
        made.load_cert_chain(*certificate)
    return made


def exchange(door, tls, data, timeout=5):
    """Sends bytes and gives all that comes back until the other side closes, or nothing comes for a while."""
    answer = b""
    try:
        with socket.create_connection(door, timeout=timeout) as plain:
            connection = tls.wrap_socket(plain, server_hostname=door[0]) if tls else plain
            try:
                connection.sendall(data)
            except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
                pass
            while True:
                part = connection.recv(65536)
                if not part:
                    return answer
                answer += part
                # A whole answer on a connection that stays open.
                head, found, body = answer.partition(b"\r\n\r\n")
                length = re.search(rb"content-length: *(\d+)", head, re.I)
                if found and length and len(body) >= int(length[1]) and b" 100 " not in head.split(b"\r\n")[0]:
                    return answer
    except (ConnectionError, ssl.SSLError) as error:
        return answer or f"closed: {type(error).__name__}".encode()
    except TimeoutError:
        return answer or b"nothing"


def self_signed(folder, name, not_after):
    """A certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=30))
        .not_valid_after(now + datetime.timedelta(days=not_after))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = (folder / f"{name}.pem", folder / f"{name}.key")
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return paths


@pytest.mark.parametrize("door", ["application", "administration", "node"])
def test_what_is_not_tls_is_closed(network, doors, door):
    rng = random.Random(door)
    log = len(log_of(network))
    hello = bytes.fromhex("16030100")
    for data in (
        b"GET / HTTP/1.1\r\nhost: x\r\n\r\n",
        rng.randbytes(4096),
        b"\x16\x03\x01\xff\xff" + rng.randbytes(65535),
        b"\x16\x03\x03\x00\x05\x01\xff\xff\xff\x00",
        hello + b"\x05" + rng.randbytes(5),
        b"\x80\x2e\x01\x00\x02" + rng.randbytes(60),
        b"\x00" * 1000,
        (0xFFFFFFFF).to_bytes(4, "big") + b"x" * 100,
    ):
        answer = exchange(doors[door], None, data)
        assert b"HTTP/1.1 200" not in answer and answer != b"nothing", (door, data[:20], answer)
    assert b"handshake failed" in log_of(network)[log:]


@pytest.mark.parametrize("door", ["application", "administration", "node"])
def test_wrong_certificates_are_refused(network, doors, door, tmp_path):
    expired = self_signed(tmp_path, "expired", -1)
    unknown = self_signed(tmp_path, "unknown", 30)
    request = b"GET /node/state HTTP/1.1\r\nhost: x\r\n\r\n"
    for what, certificate in (("none", None), ("unknown", unknown), ("expired", expired)):
        if door == "node" and what == "unknown":
            continue  # any key may open a channel; the handshake on top of it judges
        log = len(log_of(network))
        answer = exchange(doors[door], context(network, certificate, trust=False), request)
        assert b"HTTP/1.1 2" not in answer and answer != b"nothing", (what, answer)
        # The line may come a moment after the connection's end.
        deadline = time.time() + 5
        while not log_of(network)[log:].strip() and time.time() < deadline:
            time.sleep(0.02)
        assert log_of(network)[log:].strip(), f"no log line for certificate {what} at {door}"
    old = context(network, trust=False)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    assert b"HTTP/1.1" not in exchange(doors[door], old, request)


def test_an_expired_certificate_of_an_actors_key_is_refused(network, doors, tmp_path):
    """The actor's key is right, its certificate has run out."""
    key = serialization.load_pem_private_key(open(network.key, "rb").read(), None)
    subject = x509.load_pem_x509_certificate(open(network.certificate, "rb").read()).subject
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=2))
        .not_valid_after(now - datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "expired.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    for door in ("application", "administration"):
        answer = exchange(
            doors[door], context(network, (path, network.key), trust=False), b"GET /node/state HTTP/1.1\r\nhost: x\r\n\r\n"
        )
        assert b"HTTP/1.1 2" not in answer and answer != b"nothing", answer


def test_strangers_at_the_node_door(network, doors, tmp_path):
    """TLS with a key of nobody's: frames that are garbage, too long, or not a handshake end the channel."""
    rng = random.Random(5)
    stranger = self_signed(tmp_path, "stranger", 30)
    log = len(log_of(network))
    for data in (
        rng.randbytes(5000),
        (0xFFFFFFFF).to_bytes(4, "little") + rng.randbytes(100),
        (0xFFFFFFFF).to_bytes(4, "big") + rng.randbytes(100),
        (100).to_bytes(4, "little") + rng.randbytes(100),
        (100).to_bytes(4, "big") + rng.randbytes(100),
        (0).to_bytes(4, "little") * 100,
        b"GET /node/state HTTP/1.1\r\nhost: x\r\n\r\n",
    ):
        answer = exchange(doors["node"], context(network, stranger, trust=False), data, timeout=15)
        assert b"HTTP" not in answer and answer != b"nothing", (data[:10], answer)
    # An actor's certificate is none of a node's either.
    answer = exchange(doors["node"], context(network, trust=False), rng.randbytes(500), timeout=15)
    assert b"HTTP" not in answer and answer != b"nothing", answer
    assert log_of(network)[log:].strip()


def http(method, target, *headers, body=b""):
    lines = [f"{method} {target} HTTP/1.1".encode(), b"host: node", *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


MALFORMED = {
    "no request line": (b"GARBAGE\r\n\r\n", {400}),
    "binary": (bytes(range(1, 256)) + b"\r\n\r\n", {400}),
    "wrong version": (b"GET /node/state HTTP/9.9\r\nhost: x\r\n\r\n", {400, 505}),
    "header without colon": (http("GET", "/node/state", b"nonsense"), {400}),
    "space in header name": (http("GET", "/node/state", b"a b: c"), {400}),
    "NUL in header": (http("GET", "/node/state", b"a: b\0c"), {400}),
    "folded header": (http("GET", "/node/state", b"a: b\r\n c"), {400}),
    "big header": (http("GET", "/node/state", b"a: " + b"x" * 17_000), {431}),
    "endless header": (http("GET", "/node/state", b"a: " + b"x" * 1_000_000), {431}),
    "many headers": (http("GET", "/node/state", *[b"a%d: b" % i for i in range(100)]), {431}),
    "long target": (http("GET", "/" + "x" * 9000), {414}),
    "length over the limit": (http("POST", "/", b"content-length: 1000000000000"), {413}),
    "length beyond 64 bits": (http("POST", "/", b"content-length: 99999999999999999999999"), {400, 413}),
    "length that is none": (http("POST", "/", b"content-length: abc"), {400}),
    "negative length": (http("POST", "/", b"content-length: -5"), {400}),
    "two lengths": (http("POST", "/", b"content-length: 5", b"content-length: 6", body=b"hello!"), {400}),
    "length and chunks": (
        http("POST", "/", b"content-length: 5", b"transfer-encoding: chunked", body=b"0\r\n\r\n"),
        {400},
    ),
    "chunk size that is none": (http("POST", "/", b"transfer-encoding: chunked", body=b"zz\r\nhello\r\n"), {400}),
    "chunk beyond 64 bits": (http("POST", "/", b"transfer-encoding: chunked", body=b"f" * 20 + b"\r\nx\r\n"), {400, 413}),
    "chunk longer than said": (http("POST", "/", b"transfer-encoding: chunked", body=b"2\r\nhello\r\n0\r\n\r\n"), {400}),
    "unknown coding": (http("POST", "/", b"transfer-encoding: gzip", body=b"x"), {400, 501}),
    "unknown expectation": (http("POST", "/", b"expect: wonders", b"content-length: 0"), {417}),
    "unknown method": (http("BREW", "/node/state", b"content-length: 0"), {400, 405, 501}),
    "unknown path": (http("GET", "/no/such/thing"), {404}),
    "path upwards": (http("GET", "/../../../etc/passwd"), {400, 404}),
    "escaped path": (http("GET", "/%2e%2e/%00"), {400, 404}),
    "wrong method": (http("DELETE", "/node/state"), {405}),
    "bad at-least": (http("GET", "/node/state", b"x-entente-at-least: soon"), {400}),
    "long request id": (http("GET", "/node/state", b"x-entente-request-id: " + b"x" * 5000), {400}),
}


@pytest.mark.parametrize("door", ["application", "administration"])
def test_malformed_http(network, doors, door):
    wrong = []
    for what, (data, expected) in MALFORMED.items():
        answer = exchange(doors[door], context(network), data)
        head, _, body = answer.partition(b"\r\n\r\n")
        match = re.match(rb"HTTP/1\.1 (\d{3})", head)
        status = int(match[1]) if match else None
        clear = False
        try:
            clear = bool(json.loads(body)["error"]["message"])
        except (ValueError, KeyError, TypeError):
            pass
        if status not in expected or not clear:
            wrong.append((what, answer[:200]))
    assert wrong == []


def test_headers_of_our_own_that_make_no_sense(network):
    url, session = network.application[0] + "/", network.client()
    kind = {"content-type": "application/json"}
    for value in ("x", "1", "1.2.3.4", "-1.2", "1.-2", "99999999999999999999.1", "1.2 ", "0x1.2"):
        response = session.post(url, data=CALL, headers={**kind, "x-entente-at-least": value}, timeout=10)
        if value != "1.2 ":  # white space around a value is not part of it
            assert response.status_code == 400, value
            assert response.json()["error"]["code"] == "InvalidInput"
    response = session.post(url, data=CALL, headers={**kind, "x-entente-at-least": "2.9000000000"}, timeout=10)
    assert response.status_code == 400 and "beyond" in response.json()["error"]["message"]
    response = session.post(url, data=CALL, headers={**kind, "x-entente-request-id": "i" * 5000}, timeout=10)
    assert response.status_code == 400 and "too long" in response.json()["error"]["message"]
    for query in ("?transaction_id=%", "?transaction_id=%+1.%-2", "?" + "&".join("a=b" for _ in range(2000)), "?=&&=", "?%FF=%00"):
        response = session.get(network.application[0] + "/app/receipt" + query, timeout=10)
        assert response.status_code == 400, query


def test_oversized_bodies(network, doors):
    limits = {"administration": 1 << 20, "application": 1 << 26}
    for door, limit in limits.items():
        data = http("POST", "/", b"content-length: %d" % (limit + 1), body=b"x" * 100_000)
        answer = exchange(doors[door], context(network), data)
        assert answer.startswith(b"HTTP/1.1 413"), (door, answer[:200])
    # In chunks the size is known only on the way.
    part = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    data = http("POST", "/", b"transfer-encoding: chunked", body=part * 20)
    answer = exchange(doors["administration"], context(network), data)
    assert answer.startswith(b"HTTP/1.1 413"), answer[:200]


def test_half_a_request_and_silence_hold_nobody_up(network, doors):
    """Connections that stop in the middle, in numbers, leave room for others."""
    tls = context(network)
    held = []
    try:
        for index in range(50):
            plain = socket.create_connection(doors["application"], timeout=5)
            if index % 2:
                held.append(plain)
                plain.sendall(b"\x16\x03\x01")
            else:
                connection = tls.wrap_socket(plain, server_hostname=doors["application"][0])
                connection.sendall(b"POST / HTTP/1.1\r\ncontent-length: 100\r\n\r\n{")
                held.append(connection)
        response, answer = rpc(network.client(), network.application[0], "eth_chainId", timeout=5)
        assert answer["result"] == "0x539"
    finally:
        for each in held:
            each.close()


BAD_JSON = {
    "nothing": (b"", {-32700, -32600}),
    "half": (b'{"jsonrpc":"2.0","id":1,"method":"eth_bl', {-32700}),
    "trailing garbage": (CALL + b"x", {-32700}),
    "invalid UTF-8": (CALL.replace(b"eth_blockNumber", b"eth_\xff\xfe"), {-32700}),
    "overlong UTF-8": (CALL.replace(b"eth_blockNumber", b"eth_\xc0\xaf"), {-32700}),
    "lone surrogate": (CALL.replace(b"eth_blockNumber", b"eth_\\ud800"), {-32700, -32601}),
    "deep nesting": (b'{"jsonrpc":"2.0","id":1,"method":"eth_call","params":' + b"[" * 100_000 + b"]" * 100_000 + b"}", {-32700}),
    "deep objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, {-32700}),
    "endless nesting": (b"[" * 500_000, {-32700}),
    "duplicate keys": (CALL[:-1] + b',"method":"eth_chainId"}', {-32700, -32600}),
    "not a number": (CALL.replace(b'"id":1', b'"id":NaN'), {-32700}),
    "huge number": (CALL.replace(b'"id":1', b'"id":' + b"9" * 5000), {-32700, -32600}),
    "huge exponent": (CALL.replace(b'"id":1', b'"id":1e999999999'), {-32700, -32600}),
    "null": (b"null", {-32600}),
    "number": (b"42", {-32600, -32700}),
    "string": (b'"eth_blockNumber"', {-32600, -32700}),
    "empty batch": (b"[]", {-32600}),
    "empty object": (b"{}", {-32600}),
    "version 1": (CALL.replace(b'"2.0"', b'"1.0"'), {-32600}),
    "no version": (b'{"id":1,"method":"eth_blockNumber"}', {-32600}),
    "method is a number": (CALL.replace(b'"eth_blockNumber"', b"7"), {-32600}),
    "params are a string": (CALL.replace(b"[]", b'"x"'), {-32602}),
    "id is an object": (CALL.replace(b'"id":1', b'"id":{}'), {-32600}),
    "no such method": (CALL.replace(b"eth_blockNumber", b"eth_\\u0000"), {-32601, -32700}),
    "too many params": (CALL.replace(b"[]", b"[1,2,3,4,5,6,7,8,9]"), {-32602}),
    "batch of 10,000": (b"[" + b",".join([CALL] * 10_000) + b"]", {-32600, -32000}),
    "wrong type": (CALL.replace(b"eth_blockNumber", b"eth_getBalance").replace(b"[]", b"[1,2]"), {-32602}),
    "short address": (CALL.replace(b"eth_blockNumber", b"eth_getBalance").replace(b"[]", b'["0x12","latest"]'), {-32602}),
    "block beyond 64 bits": (
        CALL.replace(b"eth_blockNumber", b"eth_getBlockByNumber").replace(b"[]", b'["0x' + b"f" * 40 + b'",false]'),
        {-32602},
    ),
    "block tag that is none": (
        CALL.replace(b"eth_blockNumber", b"eth_getBlockByNumber").replace(b"[]", b'["yesterday",false]'),
        {-32602},
    ),
}


@pytest.mark.parametrize("door", ["node", "gateway"])
def test_malformed_json_rpc(network, door):
    session, url = network.client(), network.application[0]
    if door == "gateway":
        session, url = requests.Session(), network.rpc_url
    wrong = []
    for what, (body, expected) in BAD_JSON.items():
        response = session.post(url + "/", data=body, headers={"content-type": "application/json"}, timeout=20)
        try:
            answer = response.json()
            fine = isinstance(answer, dict) and answer["error"]["code"] in expected and answer["error"]["message"]
        except (ValueError, KeyError, TypeError):
            fine = False
        if response.status_code != 200 or not fine:
            wrong.append((what, response.status_code, response.text[:200]))
    assert wrong == []


def test_queries_that_ask_for_too_much(network):
    """Calls that would never end, or whose answer would be huge, are cut off."""
    session, url = network.client(), network.application[0]
    loop = {"data": "0x5b600056", "gas": "0xffffffffffff"}
    for call in (
        ("eth_call", loop, "latest"),
        ("eth_call", {"data": "0x" + "ff" * 1_000_000}, "latest"),
        ("eth_call", {"data": "0x67ffffffffffffffff6000f3"}, "latest"),
        ("eth_estimateGas", loop),
        ("eth_getLogs", {"fromBlock": "0x0", "toBlock": "0xffffffffffffffff"}),
        ("eth_feeHistory", "0xffffffff", "latest", []),
    ):
        response, answer = rpc(session, url, *call, timeout=30)
        assert response.status_code == 200, response.text[:200]
        assert "result" in answer or answer["error"]["message"], answer


def sign(fields, kind=b""):
    """A signed transaction of any content: legacy with EIP-155 for chain 1337, or typed."""
    sender = account(3)
    if kind:
        signature = sender.unsafe_sign_hash(keccak(kind + rlp.encode(fields)))
        return kind + rlp.encode([*fields, signature.v - 27, signature.r, signature.s])
    signature = sender.unsafe_sign_hash(keccak(rlp.encode([*fields, 1337, 0, 0])))
    return rlp.encode([*fields, signature.v - 27 + 1337 * 2 + 35, signature.r, signature.s])


def test_malformed_transactions(network, w3):
    to = account(4)
    address = bytes.fromhex(to.address[2:])
    nonce = w3.eth.get_transaction_count(account(3).address)
    plain = [nonce, 0, 21000, address, 1, b""]
    good = sign(plain)
    decoded = rlp.decode(good)
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    fees = [1337, nonce, 0, 0, 21000, address, 1, b""]

    def altered(index, value):
        return rlp.encode([value if at == index else each for at, each in enumerate(decoded)])

    s = int.from_bytes(decoded[8], "big")
    nested = b"\xc0"
    for _ in range(2000):
        nested = _wrap(nested)
    cases = {
        "nothing": b"",
        "a zero": b"\0",
        "an empty list": b"\xc0",
        "type only": b"\x02",
        "typed, empty list": b"\x02\xc0",
        "unknown type 5": b"\x05" + rlp.encode(fees),
        "unknown type 7f": b"\x7f",
        "cut": good[:-1],
        "half": good[: len(good) // 2],
        "trailing byte": good + b"\0",
        "length beyond the end": b"\xf8\xff" + good[2:],
        "length of 8 bytes": b"\xff" + b"\xff" * 8 + good,
        "length not minimal": b"\xf9\x00" + good[1:] if good[0] == 0xF8 else b"\xf9\x00\x10" + good,
        "string of string": b"\xb8\x01\x01",
        "too few fields": rlp.encode(decoded[:8]),
        "too many fields": rlp.encode([*decoded, b"x"]),
        "list for a number": altered(0, [b"\1"]),
        "number with leading zero": altered(0, b"\0" + bytes([nonce or 1])),
        "nonce of 9 bytes": altered(0, b"\xff" * 9),
        "gas of 33 bytes": altered(2, b"\xff" * 33),
        "value of 33 bytes": altered(4, b"\xff" * 33),
        "address of 19 bytes": altered(3, address[:19]),
        "address of 21 bytes": altered(3, address + b"\0"),
        "v of nobody": altered(6, b"\x05"),
        "v of 40 bytes": altered(6, b"\xff" * 40),
        "r is zero": altered(7, b""),
        "r is the order": altered(7, order.to_bytes(32, "big")),
        "s is zero": altered(8, b""),
        "s is high": altered(8, (order - s).to_bytes(32, "big")),
        "nested lists": nested,
        "a megabyte": b"\xf9\xff\xff" + b"\xff" * 1_000_000,
        "other chain": sign([1, *fees[1:], []], b"\x02"),
        "priority over fee": sign([1337, nonce, 5, 1, 21000, address, 1, b"", []], b"\x02"),
        "bad access list": sign([*fees, [[address]]], b"\x02"),
        "bad key in access list": sign([*fees, [[address, [b"\1" * 31]]]], b"\x02"),
        "too little gas": sign([nonce, 0, 20999, address, 1, b""]),
        "too much gas": sign([nonce, 0, 2**63, address, 1, b""]),
        "last nonce": sign([2**64 - 1, 0, 21000, address, 1, b""]),
        "initcode too long": sign([nonce, 0, 10_000_000, b"", 0, b"\0" * 49153]),
        "set-code type": sign([1337, nonce, 0, 0, 100000, address, 0, b"", [], []], b"\x04"),
    }
    session, url = network.client(), network.application[0]
    wrong = []
    for what, raw in cases.items():
        response, answer = rpc(session, url, "eth_sendRawTransaction", "0x" + raw.hex(), timeout=40)
        if response.status_code != 200 or answer.get("error", {}).get("code") not in (-32000, -32602) or not answer["error"]["message"]:
            wrong.append((what, response.status_code, response.text[:200]))
    for what in ("", "0x0", "0xzz", good.hex(), "0X" + good.hex(), 7, None, [], {}):
        response, answer = rpc(session, url, "eth_sendRawTransaction", what, timeout=20)
        if response.status_code != 200 or answer.get("error", {}).get("code") not in (-32000, -32602):
            wrong.append((what, response.status_code, response.text[:200]))
    assert wrong == []
    assert w3.eth.get_transaction_count(account(3).address) == nonce


def _wrap(payload):
    """An RLP list around an encoded item."""
    if len(payload) < 56:
        return bytes([0xC0 + len(payload)]) + payload
    length = len(payload).to_bytes((len(payload).bit_length() + 7) // 8, "big")
    return bytes([0xF7 + len(length)]) + length + payload


def test_blob_transactions_are_refused_clearly(network, w3):
    nonce = w3.eth.get_transaction_count(account(3).address)
    address = bytes.fromhex(account(4).address[2:])
    raw = sign([1337, nonce, 0, 1, 21000, address, 0, b"", [], 1, [b"\1" + b"\0" * 31]], b"\x03")
    wrapped = b"\x03" + rlp.encode([rlp.decode(raw[1:]), [b"\0" * 131072], [b"\0" * 48], [b"\0" * 48]])
    for each in (raw, wrapped):
        _, answer = rpc(network.client(), network.application[0], "eth_sendRawTransaction", "0x" + each.hex())
        assert "blob" in answer["error"]["message"].lower(), answer


def test_random_changes_of_a_good_transaction(network, w3):
    rng = random.Random(11)
    nonce = w3.eth.get_transaction_count(account(3).address)
    good = sign([nonce, 0, 21000, bytes.fromhex(account(4).address[2:]), 10**30, b""])
    session, url = network.client(), network.application[0]
    calls = []
    for number in range(400):
        bad = bytearray(good)
        for _ in range(rng.choice((1, 1, 1, 2, 8))):
            bad[rng.randrange(len(bad))] = rng.randrange(256)
        calls.append({"jsonrpc": "2.0", "id": number, "method": "eth_sendRawTransaction", "params": ["0x" + bad.hex()]})
    for start in range(0, len(calls), 50):
        answers = session.post(url + "/", json=calls[start : start + 50], timeout=60).json()
        assert len(answers) == 50
        for answer in answers:
            assert "error" in answer and answer["error"]["message"], (answer, calls[answer["id"]]["params"])


def test_gateway_serves_its_own_machine_only(network):
    url, session = network.rpc_url + "/", requests.Session()
    port = urlsplit(network.rpc_url).port
    kind = {"content-type": "application/json"}
    for host in ("evil.example", "127.0.0.1.evil.example", f"evil.example:{port}", "", "localhost.", "[::1].evil", "127.0.0.2"):
        response = session.post(url, data=CALL, headers={**kind, "host": host}, timeout=10)
        assert response.status_code == 403, (host, response.status_code)
        assert response.json()["error"]["message"]
    for host in ("127.0.0.1", f"localhost:{port}", "LOCALHOST", f"[::1]:{port}"):
        assert "result" in session.post(url, data=CALL, headers={**kind, "host": host}, timeout=10).json(), host
    for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example", f"http://127.0.0.1:{port + 1}"):
        response = session.post(url, data=CALL, headers={**kind, "origin": origin}, timeout=10)
        assert response.status_code == 403, origin
        response = session.options(url, headers={"origin": origin, "access-control-request-method": "POST"}, timeout=10)
        assert response.status_code == 403 and "access-control-allow-origin" not in response.headers


def test_gateway_passes_on_what_it_should(network):
    url, session = network.rpc_url + "/", requests.Session()
    for method in ("personal_sign", "admin_peers", "engine_newPayloadV3", "miner_start", "ETH_call", "", "eth"):
        response, answer = rpc(session, url, method)
        assert response.status_code == 200 and answer["error"]["code"] in (-32601, -32600), (method, answer)
    # Not hidden in a batch either.
    batch = [json.loads(CALL), {"jsonrpc": "2.0", "id": 2, "method": "personal_sign", "params": []}]
    answer = session.post(url, json=batch, timeout=10).json()
    codes = [a.get("error", {}).get("code") for a in answer] if isinstance(answer, list) else [answer["error"]["code"]]
    assert -32601 in codes
    for method in ("GET", "PUT", "DELETE", "HEAD", "PATCH"):
        response = session.request(method, url, timeout=10)
        assert response.status_code == 405, (method, response.status_code)


def test_after_all_this_the_network_works(network, w3):
    assert send(w3, account(3), {"to": account(4).address, "value": 1, "gas": 21000}).status == 1
    network.settled()
