"""One client process: threads that each do one operation after the other and write down what they were told.

Run as `client.py '{"...": ...}'`; SIGTERM lets every thread finish what it does. See `Settings`.
"""

import dataclasses
import itertools
import json
import os
import random
import signal
import sys
import threading
import time

from eth_account import Account

from doors import Door, MaybeDone, NotSent, trust
from history import INVALID, OK, UNKNOWN, Operation, seqno_of

CHAIN = 1337
BUSY = -32005
GATEWAY_UNKNOWN, GATEWAY_NOT_TAKEN = -32010, -32011


@dataclasses.dataclass
class Settings:
    """What a client process is told."""

    name: str
    # First number of its operations; each process has a million.
    first: int
    output: str
    seed: int
    threads: int
    # Seconds that a thread waits between operations at most.
    pause: float
    contract: str
    # The contract's selectors by function.
    selectors: dict
    # Start of the run, on the monotonic clock; keys change with time, see `Thread.key`.
    start: float
    keys: int
    key_seconds: float
    # Port of the gateway on loopback, or 0 for straight to the nodes:
    gateway: int = 0
    nodes: list = dataclasses.field(default_factory=list)
    service: str = ""
    certificate: str = ""
    certificate_key: str = ""
    # Seconds after which an operation without an answer is unknown, and for one try at one node.
    patience: float = 20.0
    try_seconds: float = 5.0


@dataclasses.dataclass
class Answer:
    """What became of one call."""

    outcome: str
    result: object = None
    at: str = ""
    why: str = ""
    tries: int = 1


def classify(error):
    """Outcome of a JSON-RPC error of a write."""
    code, message = error.get("code"), str(error.get("message"))
    if code == GATEWAY_UNKNOWN or message.startswith("outcome unknown"):
        return UNKNOWN, message
    return INVALID, f"{code} {message}"


class GatewayWay:
    """Through `entente gateway`, which tries the nodes itself."""

    def __init__(self, settings):
        self.name = "gateway"
        self.door = Door("127.0.0.1", settings.gateway)
        self.at_least = ""

    def call(self, method, *parameters, deadline):
        try:
            _, _, answer = self.door.rpc(method, *parameters, timeout=max(0.1, deadline - time.monotonic()))
        except NotSent as error:
            return Answer(INVALID, why=f"no gateway: {error}")
        except MaybeDone as error:
            return Answer(UNKNOWN, why=f"gateway: {error}")
        if "error" in answer:
            outcome, why = classify(answer["error"])
            return Answer(outcome, why=why)
        return Answer(OK, answer.get("result"))


class NodesWay:
    """Straight to the nodes, as the gateway does it: one request id for all tries, "at least" what was seen."""

    def __init__(self, settings, random_, home):
        context = trust(settings.service, settings.certificate, settings.certificate_key)
        self.settings, self.random = settings, random_
        self.doors = [Door(host, port, context) for host, port in settings.nodes]
        # Clients are spread over the nodes and go back to theirs a while after it failed: else the loss of one node
        # that all moved to would look like the loss of the network.
        self.home = self.current = home % len(self.doors)
        self.at_least = ""

    @property
    def name(self):
        return f"node{self.current + 1}"

    def _note(self, headers):
        at = headers.get("x-ms-ccf-transaction-id") or ""
        if at and (not self.at_least or seqno_of(at) > seqno_of(self.at_least)):
            self.at_least = at
        return at

    def call(self, method, *parameters, deadline):
        request = {"x-entente-request-id": f"{self.random.getrandbits(128):032x}"}
        if self.random.random() < 0.05:
            self.current = self.home
        may_be_done, why, tries = False, "no time", 0
        while (left := deadline - time.monotonic()) > 0:
            if self.at_least:
                request["x-entente-at-least"] = self.at_least
            node = self.name
            tries += 1
            try:
                timeout = min(left, self.settings.try_seconds)
                status, headers, answer = self.doors[self.current].rpc(
                    method, *parameters, headers=request, timeout=timeout
                )
            except NotSent as error:
                why = f"{node}: {error}"
            except MaybeDone as error:
                may_be_done, why = True, f"{node}: {error}"
            else:
                error = answer.get("error")
                if status == 200 and not error:
                    return Answer(OK, answer.get("result"), self._note(headers), tries=tries)
                why = f"{node}: status {status}: {error}"
                if status == 504:
                    may_be_done = True
                elif status == 200:
                    outcome, said = classify(error)
                    if outcome == INVALID and error.get("code") != BUSY:
                        return Answer(INVALID, why=f"{node}: {said}")
                    may_be_done = may_be_done or outcome == UNKNOWN
                elif status != 503:
                    return Answer(UNKNOWN if may_be_done else INVALID, why=why)
            self.current = (self.current + 1) % len(self.doors)
            time.sleep(min(0.05, max(0.0, deadline - time.monotonic())))
        return Answer(UNKNOWN if may_be_done else INVALID, why=why)


class Thread:
    """One client: a loop of operations with an account of its own."""

    def __init__(self, settings, index, numbers, write):
        self.settings, self.numbers, self.write = settings, numbers, write
        self.random = random.Random(f"{settings.seed} {settings.name} {index}")
        self.name = f"{settings.name}.{index}"
        self.way = GatewayWay(settings) if settings.gateway else NodesWay(settings, self.random, index)
        self.known = {}
        self.renew()

    def renew(self):
        """Takes a new account. After an unknown outcome the old one's next nonce is unknown too."""
        self.account = Account.from_key(self.random.randbytes(32))
        self.nonce = 0

    def key(self):
        """One of a few registers; all clients move on to new ones together, so that no history gets too long."""
        span = int((time.monotonic() - self.settings.start) / self.settings.key_seconds)
        return span * self.settings.keys + self.random.randrange(self.settings.keys)

    def once(self):
        key = self.key()
        number = next(self.numbers)
        if key % self.settings.keys == 0:
            kind = self.random.choice(["add", "add", "observe"])
        else:
            kind = self.random.choice(["write", "write", "swap", "cas", "cas", "observe", "peek"])
        operation = Operation(number, self.name, kind, key)
        if kind == "add":
            operation.value = 1
        elif kind != "observe":
            operation.value = number
        if kind == "cas":
            operation.expected = self.known.get(key, 0)
        if kind == "peek":
            self.peek(operation)
        else:
            self.transact(operation)
        self.write(operation)

    def peek(self, operation):
        operation.value = 0
        operation.at_least = self.way.at_least
        operation.invoked = time.monotonic()
        call = {"to": self.settings.contract, "data": self.data("read", operation.key)}
        answer = self.way.call("eth_call", call, "latest", deadline=operation.invoked + self.settings.patience)
        operation.via, operation.at, operation.why = self.way.name, answer.at, answer.why
        if answer.outcome == OK:
            operation.returned = time.monotonic()
            operation.outcome, operation.before = OK, int(answer.result, 16)

    def transact(self, operation):
        arguments = [operation.number, operation.key]
        if operation.kind == "cas":
            arguments.append(operation.expected)
        if operation.kind != "observe":
            arguments.append(operation.value)
        function = "write" if operation.kind == "swap" else operation.kind
        transaction = {
            "chainId": CHAIN,
            "nonce": self.nonce,
            "to": self.settings.contract,
            "data": self.data(function, *arguments),
            "value": 0,
            "gas": 150_000,
            "gasPrice": 0,
        }
        signed = self.account.sign_transaction(transaction)
        operation.hash = signed.hash.hex().removeprefix("0x")
        operation.invoked = time.monotonic()
        deadline = operation.invoked + self.settings.patience
        raw = "0x" + signed.raw_transaction.hex().removeprefix("0x")
        answer = self.way.call("eth_sendRawTransaction", raw, deadline=deadline)
        operation.outcome, operation.why, operation.via = answer.outcome, answer.why, self.way.name
        operation.at, operation.tries = answer.at, answer.tries
        if answer.outcome == UNKNOWN:
            return self.renew()
        if answer.outcome == INVALID:
            return None
        operation.acknowledged = time.monotonic()
        if answer.result.removeprefix("0x") != operation.hash:
            operation.why = f"WRONG: answered with {answer.result}"
        self.nonce += 1
        if operation.kind != "write":
            self.ask(operation, deadline)
        operation.returned = time.monotonic()
        self.known[operation.key] = operation.value if operation.kind == "write" else self.known.get(operation.key, 0)
        return None

    def ask(self, operation, deadline):
        """Asks for the result of what was acknowledged. That it may not be there is a fault of the network."""
        answer = self.way.call("eth_getTransactionReceipt", "0x" + operation.hash, deadline=deadline)
        if answer.outcome != OK:
            operation.why = f"no receipt: {answer.why}"
            return
        if answer.result is None:
            operation.why = f"WRONG: {self.way.name} knows no receipt of what was acknowledged"
            return
        data = answer.result["logs"][0]["data"].removeprefix("0x")
        operation.before, after = int(data[64:128], 16), int(data[128:192], 16)
        self.known[operation.key] = after

    def data(self, function, *arguments):
        return self.settings.selectors[function] + "".join(f"{each:064x}" for each in arguments)


def main():
    settings = Settings(**json.loads(sys.argv[1]))
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    numbers = itertools.count(settings.first)
    lock = threading.Lock()
    with open(settings.output, "w", encoding="utf-8") as file:

        def write(operation):
            with lock:
                file.write(operation.line() + "\n")
                file.flush()

        def loop(thread):
            while not stopping.is_set():
                try:
                    thread.once()
                except Exception as error:
                    print(f"client {thread.name}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
                    os._exit(3)
                stopping.wait(thread.random.random() * settings.pause)

        threads = [
            threading.Thread(target=loop, args=(Thread(settings, index, numbers, write),))
            for index in range(settings.threads)
        ]
        for each in threads:
            each.start()
        while any(each.is_alive() for each in threads):
            for each in threads:
                each.join(0.2)


if __name__ == "__main__":
    main()
