"""What clients did and were told: one record an operation, with times of the machine's monotonic clock."""

import dataclasses
import json
import math

OK, INVALID, UNKNOWN = "ok", "invalid", "unknown"
# Kinds that are transactions; `peek` reads a node's committed state without one.
TRANSACTIONS = {"write", "swap", "cas", "add", "observe"}


@dataclasses.dataclass
class Operation:
    """One operation on one register.

    `write` and `swap` set the register to `value` (which no other operation writes), `cas` sets it if it holds
    `expected`, `add` adds `value`, `observe` leaves it. All but `write` are told what was there before. `ok` means
    acknowledged, `invalid` that the network promised not to do it, `unknown` that it may or may not happen, any time.
    """

    number: int
    client: str
    kind: str
    key: int
    value: int = 0
    expected: int = 0
    # Seconds.
    invoked: float = 0.0
    # When the network said that it is committed; `returned` is later when the result was asked for.
    acknowledged: float = math.inf
    returned: float = math.inf
    outcome: str = UNKNOWN
    # What the register held before, if the client was told.
    before: int | None = None
    # Transaction hash, as hexadecimal digits.
    hash: str = ""
    # The ledger's transaction id in the answer, "view.seqno".
    at: str = ""
    # For peeks: the id that was asked for at least.
    at_least: str = ""
    # Which way it took.
    via: str = ""
    # How often it was sent. A repeated one may be told the id of the last commit rather than its own.
    tries: int = 1
    # Why it was not acknowledged, or what is odd about it.
    why: str = ""

    def line(self):
        record = dataclasses.asdict(self)
        for name in ("acknowledged", "returned"):
            if math.isinf(record[name]):
                record[name] = None
        return json.dumps(record)

    @staticmethod
    def of(line):
        record = json.loads(line)
        for name in ("acknowledged", "returned"):
            if record[name] is None:
                record[name] = math.inf
        return Operation(**record)


def step(operation, before):
    """What the register holds after the operation took effect on `before`."""
    if operation.kind in ("write", "swap"):
        return operation.value
    if operation.kind == "cas":
        return operation.value if before == operation.expected else before
    if operation.kind == "add":
        return before + operation.value
    return before


def seqno_of(text):
    """The seqno of a transaction id "view.seqno"."""
    return int(text.split(".")[1])


def load(paths):
    """All operations of some files."""
    operations = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            operations += [Operation.of(line) for line in file if line.strip()]
    return operations
