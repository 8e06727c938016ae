"""Is a history of registers linearizable? Decided from what clients saw alone; no word of the ledger is believed.

Linearizability is local (Herlihy and Wing 1990), so each key is checked by itself. The search is Wing and Gong's with
Lowe's memory of configurations (set of operations done, value of the register): one that was reached before leads
nowhere new. Acknowledged operations must take effect between call and return; unknown ones may take effect at any
time after their call, or never; invalid ones never do.
"""

import collections
import math

from history import INVALID, OK, TRANSACTIONS, step


class TooHard(Exception):
    """The search had more configurations than it may look at."""


def check(operations, initial=0, configurations_max=500_000):
    """The keys whose histories are not linearizable, with why; empty if all are."""
    keys = collections.defaultdict(list)
    for operation in operations:
        if operation.kind in TRANSACTIONS and operation.outcome != INVALID:
            keys[operation.key].append(operation)
    wrong = {}
    for key, some in sorted(keys.items()):
        reason = check_key(some, initial, configurations_max)
        if reason:
            wrong[key] = reason
    return wrong


def relevant(operations):
    """Leaves out unknown operations that nobody can have seen.

    When every acknowledged operation but plain writes says what it found, an unknown one whose value was found by
    nobody, and waited for by no other unknown one, can be taken out of any linearization: what came right after it
    did not look, or overwrote it. Sums carry the trace of every addition, so unknown additions stay.
    """
    if any(o.outcome == OK and o.kind != "write" and o.before is None for o in operations):
        return operations
    if any(o.kind == "add" for o in operations):
        return operations
    seen = {o.before for o in operations if o.outcome == OK and o.before is not None}
    seen |= {o.expected for o in operations if o.outcome != OK and o.kind == "cas"}
    return [o for o in operations if o.outcome == OK or (o.kind != "observe" and o.value in seen)]


def check_key(operations, initial=0, configurations_max=500_000):
    """Why one key's history is not linearizable; None if it is."""
    operations = sorted(relevant(operations), key=lambda o: o.invoked)
    count = len(operations)
    ends = [o.returned if o.outcome == OK else math.inf for o in operations]
    required = sum(1 << i for i, o in enumerate(operations) if o.outcome == OK)
    # By the end of their calls: the first of these that is not done bounds what may come next.
    by_end = sorted((i for i in range(count) if required >> i & 1), key=lambda i: ends[i])
    if not required:
        return None

    def choices(done, low, first):
        """Operations that may take effect next: called before any that is not done yet must have returned."""
        bound = ends[by_end[first]] if first < len(by_end) else math.inf
        index = low
        while index < count and operations[index].invoked <= bound:
            if not done >> index & 1:
                yield index
            index += 1

    # A configuration is (done, value); `low` and `first` skip what is done from the left.
    seen = {(0, initial)}
    best = 0
    stack = [(0, initial, 0, 0)]
    while stack:
        done, value, low, first = stack.pop()
        while low < count and done >> low & 1:
            low += 1
        while first < len(by_end) and done >> by_end[first] & 1:
            first += 1
        if first == len(by_end):
            return None
        best = max(best, first)
        # The earliest call is tried first: it is on top of the stack.
        for index in reversed(list(choices(done, low, first))):
            operation = operations[index]
            if operation.before is not None and operation.before != value:
                continue
            after = step(operation, value)
            if operation.outcome != OK and after == value:
                continue  # It might as well never happen.
            configuration = (done | 1 << index, after)
            if configuration in seen:
                continue
            if len(seen) >= configurations_max:
                raise TooHard(f"key {operations[0].key}: more than {configurations_max} configurations")
            seen.add(configuration)
            stack.append((*configuration, low, first))
    stuck = operations[by_end[best]]
    return (
        f"no order explains {count} operations; the search gets stuck before number {stuck.number} "
        f"({stuck.kind} by {stuck.client}, found {stuck.before})"
    )
