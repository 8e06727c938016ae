"""The two checkers, on histories known to be good and bad. Run: pytest Tests/Chaos/test_checkers.py"""

import copy
import dataclasses
import itertools
import math
import random

import pytest

import linearizability
import witness
from history import INVALID, OK, UNKNOWN, Operation, step
from witness import Entry


def op(number, kind, invoked, returned, value=0, before=None, outcome=OK, expected=0, key=0):
    end = returned if outcome == OK else math.inf
    return Operation(number, f"client{number}", kind, key, value, expected, invoked, end, end, outcome, before)


def generate(seed, count=12, threads=4, keys=1, unknown=0.15, invalid=0.1, blind=0.1):
    """A history of a real linearizable register, and the ledger that made it.

    Each operation takes effect at an instant between its call and its return; that of an unknown one may come much
    later, or never.
    """
    random_ = random.Random(seed)
    free = [0.0] * threads
    operations = []
    for number in range(1, count + 1):
        thread = random_.randrange(threads)
        invoked = free[thread] + random_.random()
        returned = invoked + random_.random() * 3
        free[thread] = returned
        key = random_.randrange(keys)
        kind = random_.choice(["write", "swap", "cas", "observe", *(["add"] if seed % 3 == 0 else [])])
        outcome = random_.choices([OK, UNKNOWN, INVALID], [1 - unknown - invalid, unknown, invalid])[0]
        each = op(number, kind, invoked, returned, number * 1000, None, outcome, key=key)
        effect = random_.uniform(invoked, returned) if outcome == OK else invoked + random_.random() * 12
        isDone = outcome == OK or outcome == UNKNOWN and random_.random() < 0.5
        operations.append((effect if isDone else math.inf, each))
    operations.sort(key=lambda pair: pair[0])
    registers, entries, known = {}, [], [0]
    for effect, each in operations:
        each.expected = random_.choice(known)
        if math.isinf(effect):
            continue
        before = registers.get(each.key, 0)
        registers[each.key] = step(each, before)
        known.append(registers[each.key])
        if each.outcome == OK and each.kind != "write" and random_.random() >= blind:
            each.before = before
        entries.append(
            Entry(len(entries), 0, "", each.number, each.key, before, registers[each.key], len(entries) + 1)
        )
    return [each for _, each in operations], entries


def brute(operations, initial=0):
    """Whether some order of all acknowledged and some unknown operations is legal: by trying them all."""
    must = [o for o in operations if o.outcome == OK]
    may = [o for o in operations if o.outcome == UNKNOWN]
    for size in range(len(may) + 1):
        for chosen in itertools.combinations(may, size):
            for order in itertools.permutations(must + list(chosen)):
                value, latest, isLegal = initial, -math.inf, True
                for each in order:
                    latest = max(latest, each.invoked)
                    if each.returned < latest or (each.before is not None and each.before != value):
                        isLegal = False
                        break
                    value = step(each, value)
                if isLegal:
                    return True
    return False


# Histories made by hand.

GOOD = {
    "empty": [],
    "one write": [op(1, "write", 0, 1, 10)],
    "read of what was written": [op(1, "write", 0, 1, 10), op(2, "observe", 2, 3, before=10)],
    "reads beside a write see old, then new": [
        op(1, "write", 0, 9, 10), op(2, "observe", 1, 2, before=0), op(3, "observe", 3, 4, before=10),
    ],
    "an unknown write is seen late": [
        op(1, "write", 0, 1, 10, outcome=UNKNOWN), op(2, "observe", 5, 6, before=0), op(3, "observe", 7, 8, before=10),
    ],
    "an unknown write never happens": [
        op(1, "write", 0, 1, 10, outcome=UNKNOWN), op(2, "observe", 5, 6, before=0),
    ],
    "two writes at once, seen in either order": [
        op(1, "write", 0, 5, 10), op(2, "write", 0, 5, 20), op(3, "observe", 1, 2, before=20),
        op(4, "observe", 3, 4, before=10),
    ],
    "a compare-and-set that fails": [
        op(1, "write", 0, 1, 10), op(2, "cas", 2, 3, 20, before=10, expected=7), op(3, "observe", 4, 5, before=10),
    ],
    "an unknown compare-and-set builds on an unknown write": [
        op(1, "write", 0, 1, 10, outcome=UNKNOWN), op(2, "cas", 2, 3, 20, outcome=UNKNOWN, expected=10),
        op(3, "observe", 4, 5, before=20),
    ],
    "additions": [op(1, "add", 0, 3, 1, before=1), op(2, "add", 0, 3, 1, before=0)],
}
BAD = {
    "a lost write": [op(1, "write", 0, 1, 10), op(2, "observe", 2, 3, before=0)],
    "a stale read": [
        op(1, "write", 0, 1, 10), op(2, "write", 2, 3, 20), op(3, "observe", 4, 5, before=10),
    ],
    "new, then old": [
        op(1, "write", 0, 9, 10), op(2, "observe", 1, 2, before=10), op(3, "observe", 3, 4, before=0),
    ],
    "a value from nowhere": [op(1, "observe", 0, 1, before=10)],
    "a value before it is written": [op(1, "observe", 0, 1, before=10), op(2, "write", 2, 3, 10)],
    "an invalid write is seen": [
        op(1, "write", 0, 1, 10, outcome=INVALID), op(2, "observe", 2, 3, before=10),
    ],
    "an unknown write happens twice": [
        op(1, "write", 0, 1, 10, outcome=UNKNOWN), op(2, "swap", 2, 3, 20, before=10),
        op(3, "observe", 4, 5, before=10),
    ],
    "an increment is lost": [op(1, "add", 0, 3, 1, before=0), op(2, "add", 0, 3, 1, before=0)],
    "an increment counts twice": [op(1, "add", 0, 1, 1, before=0), op(2, "observe", 2, 3, before=2)],
    "two compare-and-sets of one value succeed": [
        op(1, "cas", 0, 3, 10, before=0, expected=0), op(2, "cas", 0, 3, 20, before=0, expected=0),
    ],
}


@pytest.mark.parametrize("name", GOOD)
def test_good_histories_are_accepted(name):
    assert brute(GOOD[name])
    assert linearizability.check(GOOD[name]) == {}


@pytest.mark.parametrize("name", BAD)
def test_bad_histories_are_rejected(name):
    assert not brute(BAD[name])
    assert list(linearizability.check(BAD[name])) == [0]


def test_keys_are_told_apart():
    bad = [dataclasses.replace(o, key=1) for o in BAD["a lost write"]]
    assert list(linearizability.check(GOOD["read of what was written"] + bad)) == [1]


@pytest.mark.parametrize("seed", range(300))
def test_histories_of_a_real_register_are_accepted(seed):
    operations, entries = generate(seed, count=40, threads=5, keys=3)
    assert linearizability.check(operations) == {}
    verdict = witness.check(operations, entries)
    assert verdict.problems == []
    assert verdict.lost == verdict.duplicates == 0


def mutate(operations, random_):
    """Changes what a client was told, or when."""
    operations = [copy.copy(o) for o in operations]
    each = random_.choice([o for o in operations if o.outcome == OK] or operations)
    way = random_.randrange(4)
    if way == 0 and each.kind != "write":
        each.before = random_.choice([0, *(o.value for o in operations)])
    elif way == 1:
        each.outcome, each.returned, each.acknowledged = OK, each.invoked + 0.1, each.invoked + 0.1
    elif way == 2:
        shift = random_.uniform(-4, 4)
        each.invoked, each.returned = each.invoked + shift, each.returned + shift
    else:
        each.outcome = INVALID
    return operations


def test_the_search_agrees_with_brute_force():
    verdicts = {True: 0, False: 0}
    for seed in range(1500):
        random_ = random.Random(seed)
        operations, _ = generate(seed, count=random_.randrange(2, 7), threads=3, unknown=0.3, blind=0.3)
        if seed % 5:
            operations = mutate(operations, random_)
        expected = brute([o for o in operations if o.outcome != INVALID])
        assert (linearizability.check(operations) == {}) == expected, (seed, operations)
        verdicts[expected] += 1
    # Both kinds were there in numbers, or the comparison says nothing.
    assert min(verdicts.values()) > 200, verdicts


def test_a_search_that_is_too_hard_says_so():
    operations = [op(i, "add", 0, 100, 1 << i) for i in range(1, 16)] + [op(99, "observe", 200, 201, before=5)]
    with pytest.raises(linearizability.TooHard):
        linearizability.check(operations, configurations_max=1000)


def test_a_long_history_with_many_unknowns_is_quick():
    operations, _ = generate(7, count=1500, threads=10, unknown=0.1, blind=0)
    assert linearizability.check(operations) == {}


# The witness.


def ledger_of(seed=1):
    operations, entries = generate(seed, count=40, threads=5, keys=3, unknown=0.2)
    return operations, [copy.copy(e) for e in entries]


def pick(operations, entries, outcome):
    done = {e.operation for e in entries}
    return next(o for o in operations if o.outcome == outcome and (o.number in done) == (outcome != INVALID))


def renumber(entries):
    for position, each in enumerate(entries):
        each.place = position + 1


@pytest.mark.parametrize("seed", range(20))
def test_the_witness_sees_each_kind_of_wrong(seed):
    def problems(change):
        operations, entries = ledger_of(seed)
        change(operations, entries)
        renumber(entries)
        return witness.check(operations, entries)

    def lose(operations, entries):
        lost = pick(operations, entries, OK)
        entries[:] = [e for e in entries if e.operation != lost.number]

    def repeat(operations, entries):
        entries.append(copy.copy(next(e for e in entries if e.operation == pick(operations, entries, OK).number)))

    def validate(operations, entries):
        pick(operations, entries, UNKNOWN).outcome = INVALID

    def forget(operations, entries):
        operations.remove(pick(operations, entries, OK))

    def lie(operations, entries):
        pick(operations, entries, OK).before = 77

    def hurry(operations, entries):
        # The last entry's operation is acknowledged before the first one's is asked for.
        first = next(o for o in operations if o.number == entries[0].operation)
        last = next(o for o in operations if o.number == entries[-1].operation)
        last.outcome, last.acknowledged = OK, first.invoked - 0.001

    assert problems(lose).lost == 1
    assert problems(repeat).duplicates == 1
    assert any("was called invalid" in each for each in problems(validate).problems)
    assert any("nobody sent" in each for each in problems(forget).problems)
    assert any("was told it found 77" in each for each in problems(lie).problems)
    assert any("comes after it" in each for each in problems(hurry).problems)


def test_the_witness_sees_a_gap_in_places():
    operations, entries = ledger_of()
    entries[5].place += 1
    assert any("has place" in each for each in witness.check(operations, entries).problems)


def test_ledgers_that_differ_are_named():
    _, entries = ledger_of()
    assert witness.agree({"a": (["x", "y"], entries), "b": (["x", "y"], entries)}) == []
    assert "from block 1 on" in witness.agree({"a": (["x", "y"], entries), "b": (["x", "z"], entries)})[0]
    assert "from block 2 on" in witness.agree({"a": (["x", "y", "z"], entries), "b": (["x", "y"], entries)})[0]
    assert "different calls" in witness.agree({"a": (["x"], entries), "b": (["x"], entries[:-1])})[0]


def test_peeks_are_held_against_the_state_that_they_name():
    operations = [op(1, "write", 0, 1, 10), op(2, "write", 2, 3, 20), op(3, "write", 4, 5, 30, outcome=UNKNOWN)]
    operations[0].at, operations[1].at = "2.5", "2.9"
    entries = [Entry(1, 0, "", 1, 0, 0, 10, 1), Entry(2, 0, "", 2, 0, 10, 20, 2), Entry(3, 0, "", 3, 0, 20, 30, 3)]

    def peek(at, saw, at_least="", via=""):
        each = Operation(9, "p", "peek", 0, invoked=6, returned=7, outcome=OK, before=saw, at=at, at_least=at_least)
        each.via = via
        return witness.check([*operations, each], entries).problems

    assert peek("2.4", 0) == peek("2.5", 10) == peek("2.8", 10) == peek("2.9", 20) == peek("2.12", 30) == []
    assert peek("2.4", 10) and peek("2.8", 20) and peek("2.9", 10) and peek("2.12", 10)
    assert any("asked for at least" in each for each in peek("2.8", 10, "2.9"))
    # Without an id: what was acknowledged by the same way before is there.
    operations[1].via = "gateway"
    assert peek("", 20, via="gateway") == peek("", 30, via="gateway") == peek("", 10, via="another") == []
    assert "older than" in peek("", 10, via="gateway")[0]
