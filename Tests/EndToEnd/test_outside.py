"""An oracle: the node asks a service outside over TLS, a Vyper contract hears the answer, a transaction uses it."""

import datetime
import http.server
import ssl
import subprocess
import threading
import time

import pytest
from conftest import account, deploy
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from eth_utils import keccak
from founding import BINARY, OWNERS, Nodes, free_ports
from rlp import encode
from web3 import Web3
from web3.exceptions import ContractLogicError


def certificate(name, issuer=None, issuer_key=None):
    """A certificate for a DNS name, of its own or an authority's making, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return builder.sign(issuer_key or key, hashes.SHA256()), key


def pem(folder, name, made):
    made_certificate, key = made
    path = folder / f"{name}.pem"
    path.write_bytes(
        made_certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return path


class Service:
    """What a bank's rate server is to the network. It remembers its questions."""

    def __init__(self, identity):
        self.questions, self.says = [], lambda body: (200, b"1.0843")
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                service.questions.append((self.path, body, self.headers.get("idempotency-key")))
                status, answer = service.says(body)
                self.send_response(status)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(identity)
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class World:
    pass


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outside")
    authority = certificate("rates authority")
    (folder / "authority.pem").write_bytes(authority[0].public_bytes(serialization.Encoding.PEM))
    it = World()
    it.good = Service(pem(folder, "good", certificate("localhost", *authority)))
    it.other = Service(pem(folder, "other", certificate("other.example", *authority)))
    it.stranger = Service(pem(folder, "stranger", certificate("localhost", *certificate("a stranger"))))
    closed = free_ports(1)[0]
    it.owner = account(0)
    it.oracle = Web3.to_checksum_address(keccak(encode([bytes.fromhex(it.owner.address[2:]), b""]))[12:])
    services = "".join(
        f"      - {{name: {name}, url: 'https://localhost:{port}/quote?of=EUR', authorities: [authority.pem], "
        f"timeoutMilliseconds: 1500, answerBytesMax: 1024}}\n"
        for name, port in [
            ("rates", it.good.port), ("misnamed", it.other.port), ("strange", it.stranger.port), ("closed", closed)
        ]
    )
    it.nodes = Nodes(
        folder,
        "  - kind: ethereum\n    endpoint: ethereum\n    settings:\n"
        f"      oracle: '{it.oracle}'\n      genesis:\n        config: {{chainId: 1337}}\n        gasLimit: '0x1c9c380'\n"
        f"        alloc: {{'{it.owner.address}': {{balance: '0xde0b6b3a7640000'}}}}\n    outside:\n{services}",
    )
    for owner in OWNERS:
        it.nodes.start(owner)
    trust = "bank-a-data/network.pem"
    for owner in OWNERS:
        it.nodes.await_state(owner, trust, lambda s: s["state"] == "active" and s["member"] and s["worker"] == "ready")
    # Each bank's gateway asks its own node first.
    it.clients, it.gateways = [], []
    for index, owner in enumerate(OWNERS):
        listen = f"127.0.0.1:{free_ports(1)[0]}"
        command = [BINARY, "gateway", "--listen", listen, "--network-certificate", str(folder / trust)]
        command += ["--certificate", str(folder / f"{owner}.pem"), "--key", str(folder / f"{owner}.key")]
        for each in (index, 1 - index):
            command += ["--node", f"127.0.0.1:{it.nodes.ports[each * 3]}"]
        it.gateways.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        it.clients.append(Web3(Web3.HTTPProvider(f"http://{listen}", request_kwargs={"timeout": 40})))
    deadline = time.time() + 20
    while not all(client.is_connected() for client in it.clients):
        assert time.time() < deadline, "the gateways do not answer"
        time.sleep(0.1)
    it.contract = deploy(it.clients[0], it.owner, "Oracle")
    assert it.contract.address == it.oracle
    yield it
    for gateway in it.gateways:
        gateway.terminate()
        gateway.wait(20)
    it.nodes.stop()
    for service in (it.good, it.other, it.stranger):
        service.stop()


def buying(world, service):
    """A signed transaction that buys at the price heard from a service."""
    client = world.clients[0]
    return world.owner.sign_transaction(
        {
            "chainId": 1337,
            "nonce": client.eth.get_transaction_count(world.owner.address),
            "to": world.oracle,
            "data": world.contract.encode_abi("buy", [service]),
            "gas": 200_000,
            "gasPrice": 0,
        }
    )


def ask(client, service, question, signed):
    answer = client.provider.make_request(
        "entente_ask", [service, "0x" + question.hex(), "0x" + bytes(signed.raw_transaction).hex()]
    )
    if "error" in answer:
        return answer["error"]["message"]
    assert answer["result"] == "0x" + bytes(signed.hash).hex()
    return client.eth.wait_for_transaction_receipt(answer["result"], timeout=30)


@pytest.mark.parametrize("through", [0, 1])
def test_a_transaction_finds_the_answer_that_was_asked_for_it(world, through):
    price = f"1.08{through}".encode()
    world.good.says = lambda body: (200, price)
    world.good.questions.clear()
    heard = world.contract.functions.heard().call()
    receipt = ask(world.clients[through], "rates", b"EUR/USD", buying(world, "rates"))
    assert receipt.status == 1
    assert world.contract.events.Bought().process_receipt(receipt)[0].args.price == price
    assert [(path, body) for path, body, _ in world.good.questions] == [("/quote?of=EUR", b"EUR/USD")]
    # The gateway gives each write an id, so a service can tell a repetition.
    assert world.good.questions[0][2].endswith("-0")
    assert world.contract.functions.asked("rates").call() == b"EUR/USD"
    assert abs(world.contract.functions.time("rates").call() / 1000 - time.time()) < 30
    # The same state on both nodes.
    for client in world.clients:
        assert client.eth.contract(address=world.oracle, abi=world.contract.abi).functions.heard().call() == heard + 1


@pytest.mark.parametrize(
    ("service", "reason"),
    [
        ("misnamed", "handshake"),
        ("strange", "handshake"),
        ("closed", "connect"),
        ("nowhere", "the constitution names no such service"),
    ],
)
def test_a_service_that_is_not_what_the_constitution_says_is_not_asked(world, service, reason):
    heard = world.contract.functions.heard().call()
    answer = ask(world.clients[0], service, b"secret question", buying(world, service))
    assert f"the service {service} gave no answer" in answer and reason in answer, answer
    assert not world.other.questions and not world.stranger.questions
    assert world.contract.functions.heard().call() == heard


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        (lambda body: (500, b"oops, the password is hunter2"), "status 500"),
        (lambda body: (302, b""), "status 302"),
        (lambda body: (200, b"x" * 1025), "tooLarge"),
        (lambda body: (time.sleep(3), (200, b"late"))[1], "timeout"),
    ],
)
def test_a_bad_answer_is_none(world, says, reason):
    world.good.says = says
    answer = ask(world.clients[0], "rates", b"", buying(world, "rates"))
    assert "the service rates gave no answer" in answer and reason in answer and "hunter2" not in answer, answer
    # The nonce was not used, and the service is asked again when it is well.
    world.good.says = lambda body: (200, b"2.5")
    receipt = ask(world.clients[0], "rates", b"", buying(world, "rates"))
    assert world.contract.events.Bought().process_receipt(receipt)[0].args.price == b"2.5"


def test_only_the_system_tells_answers(world):
    data = world.contract.encode_abi("answered", ["rates", b"", b"9.9", 0])
    with pytest.raises(ContractLogicError, match="only the system"):
        world.clients[0].eth.call({"from": world.owner.address, "to": world.oracle, "data": data})


def test_metrics_and_log_tell_of_questions_not_of_their_contents(world):
    folder = world.nodes.folder
    text = world.nodes.ask("bank-a", "/node/metrics", folder / "bank-a-data/network.pem").text
    asked, failed = (
        int(next(line for line in text.splitlines() if line.startswith(f"entente_outside_{name}_total ")).split()[1])
        for name in ("calls", "failures")
    )
    assert asked > failed > 0
    log = (folder / "bank-a.log").read_text()
    assert "a service outside gave no answer" in log
    for secret in ("secret question", "hunter2", "EUR/USD"):
        assert secret not in log
