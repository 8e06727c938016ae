"""Holds a history against the ledger as witness.

The ledger gives one order of all transactions. That order must explain what clients were told (strict
serializability, with real-time order), hold each acknowledged transaction once, no invalid one, and nothing that
nobody asked for; and all nodes must tell the same.
"""

import collections
import dataclasses
import math

from history import INVALID, OK, TRANSACTIONS, seqno_of, step


@dataclasses.dataclass
class Entry:
    """One call of the contract, as a node's ledger has it."""

    block: int
    index: int
    hash: str
    operation: int
    key: int
    before: int
    after: int
    place: int


@dataclasses.dataclass
class Verdict:
    """What was found: counts, and sentences about all that is wrong."""

    acknowledged: int = 0
    lost: int = 0
    duplicates: int = 0
    unknown: int = 0
    unknown_found: int = 0
    invalid: int = 0
    peeks: int = 0
    problems: list = dataclasses.field(default_factory=list)


def agree(ledgers):
    """Sentences about nodes whose ledgers differ: {node: (block hashes, entries)}."""
    problems = []
    (first, (blocks, entries)), *others = ledgers.items()
    for name, (blocks2, entries2) in others:
        if blocks != blocks2:
            at = next((i for i, (a, b) in enumerate(zip(blocks, blocks2)) if a != b), min(len(blocks), len(blocks2)))
            problems.append(
                f"{first} and {name} differ from block {at} on ({len(blocks)} and {len(blocks2)} blocks)"
            )
        elif entries != entries2:
            problems.append(f"{first} and {name} have the same blocks and tell of different calls in them")
    return problems


def check(operations, entries, initial=0):
    """Holds a history against one ledger's entries, which are in the ledger's order."""
    verdict = Verdict()
    transactions = [o for o in operations if o.kind in TRANSACTIONS]
    by_number = {o.number: o for o in transactions}
    found = collections.defaultdict(list)
    for position, entry in enumerate(entries):
        found[entry.operation].append(position)
    _occurrences(transactions, entries, found, verdict)
    _contents(entries, by_number, initial, verdict)
    _real_time(entries, by_number, verdict)
    _peeks(operations, entries, found, initial, verdict)
    return verdict


def _occurrences(transactions, entries, found, verdict):
    for operation in transactions:
        positions = found.get(operation.number, [])
        what = f"operation {operation.number} ({operation.kind} by {operation.client} by way of {operation.via})"
        if operation.outcome == OK:
            verdict.acknowledged += 1
            if not positions:
                verdict.lost += 1
                verdict.problems.append(f"LOST: {what} was acknowledged at {operation.at} and is not in the ledger")
        elif operation.outcome == INVALID:
            verdict.invalid += 1
            if positions:
                verdict.problems.append(f"{what} was called invalid and is in the ledger: {operation.why}")
        else:
            verdict.unknown += 1
            verdict.unknown_found += bool(positions)
        if len(positions) > 1:
            verdict.duplicates += len(positions) - 1
            verdict.problems.append(f"DUPLICATE: {what} is in the ledger {len(positions)} times")
        for position in positions:
            if operation.hash and entries[position].hash != operation.hash:
                verdict.problems.append(f"{what} is in the ledger under another hash, {entries[position].hash}")


def _contents(entries, by_number, initial, verdict):
    """Each entry does what its operation asked for, on what the entries before it left."""
    registers = collections.defaultdict(lambda: initial)
    for position, entry in enumerate(entries):
        if entry.place != position + 1:
            verdict.problems.append(f"the call at position {position + 1} has place {entry.place} in the contract")
            return
        if entry.before != registers[entry.key]:
            verdict.problems.append(
                f"operation {entry.operation} found {entry.before} in register {entry.key}, which held "
                f"{registers[entry.key]}"
            )
        operation = by_number.get(entry.operation)
        if operation is None:
            verdict.problems.append(f"nobody sent operation {entry.operation}, which is in the ledger")
        else:
            if operation.key != entry.key or step(operation, entry.before) != entry.after:
                verdict.problems.append(f"operation {entry.operation} did something else in the ledger")
            if operation.outcome == OK and operation.before is not None and operation.before != entry.before:
                verdict.problems.append(
                    f"operation {entry.operation} was told it found {operation.before}; the ledger has {entry.before}"
                )
        registers[entry.key] = entry.after


def _real_time(entries, by_number, verdict):
    """What was acknowledged before another was asked for comes before it in the ledger."""
    latest, who = -math.inf, None
    for entry in entries:
        operation = by_number.get(entry.operation)
        if operation is None:
            continue
        end = operation.acknowledged if operation.outcome == OK else math.inf
        if end < latest:
            verdict.problems.append(
                f"operation {operation.number} was acknowledged {latest - end:.6f} s before operation {who} was "
                f"asked for, and comes after it in the ledger"
            )
        if operation.invoked > latest:
            latest, who = operation.invoked, operation.number


def _peeks(operations, entries, found, initial, verdict):
    """A read of committed state sees the state of the id that it names, at least of the one that was asked for."""
    # Which block has which seqno is known from acknowledgements of what was sent once.
    blocks = {}
    for operation in operations:
        isExact = operation.outcome == OK and operation.at and operation.tries == 1
        if isExact and operation.kind in TRANSACTIONS:
            for position in found.get(operation.number, []):
                known = blocks.setdefault(entries[position].block, seqno_of(operation.at))
                if known != seqno_of(operation.at):
                    verdict.problems.append(f"block {entries[position].block} has two seqnos")
    states = collections.defaultdict(list)
    for entry in entries:
        states[entry.key].append(entry)
    for operation in operations:
        if operation.kind != "peek" or operation.outcome != OK:
            continue
        verdict.peeks += 1
        if operation.at and operation.at_least and seqno_of(operation.at) < seqno_of(operation.at_least):
            verdict.problems.append(
                f"peek {operation.number} asked for at least {operation.at_least} and got {operation.at}"
            )
        if not operation.at:
            _peek_by_gateway(operation, operations, entries, found, states[operation.key], initial, verdict)
            continue
        at = seqno_of(operation.at)
        # The states between the last block that is surely in and the first that is surely not.
        possible = [initial]
        for entry in states[operation.key]:
            where = blocks.get(entry.block)
            if where is not None and where > at:
                break
            if where is not None:
                possible = [entry.after]
            else:
                possible.append(entry.after)
        if operation.before not in possible:
            verdict.problems.append(
                f"peek {operation.number} of register {operation.key} at {operation.at} by way of {operation.via} saw "
                f"{operation.before}; the ledger has {possible}"
            )


def _peek_by_gateway(peek, operations, entries, found, states, initial, verdict):
    """The gateway tells no id, but asks for at least what it has seen: all that it acknowledged before is there."""
    blocks = [
        entries[position].block
        for o in operations
        if o.via == peek.via and o.kind in TRANSACTIONS and o.outcome == OK and o.acknowledged < peek.invoked
        for position in found.get(o.number, [])
    ]
    least = max(blocks, default=-1)
    possible = [initial]
    for entry in states:
        if entry.block <= least:
            possible = [entry.after]
        else:
            possible.append(entry.after)
    if peek.before not in possible:
        verdict.problems.append(
            f"peek {peek.number} of register {peek.key} by way of {peek.via} saw {peek.before}, which is older than what "
            f"the gateway had acknowledged"
        )
