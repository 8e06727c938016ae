"""The report of a run: a table by kind of fault, and totals."""

import dataclasses
import math
import statistics

from history import INVALID, OK, TRANSACTIONS, UNKNOWN


@dataclasses.dataclass
class Struck:
    """A fault as it happened; times on the monotonic clock."""

    name: str
    begun: float
    ended: float = 0.0
    # When all nodes took part again.
    back: float = math.inf
    # When the next one began.
    until: float = 0.0
    who: str = ""


def longest_gap(times, begun, ended):
    """The longest time without an acknowledgement that overlaps the span, as far as it lies after its begin."""
    gap, last = 0.0, begun
    for at in times:
        if at <= begun:
            continue
        gap = max(gap, at - last)
        last = at
        if at >= ended:
            return gap
    return max(gap, ended - last)


def table(struck, operations, verdict):
    """Lines of the table by kind of fault."""
    transactions = [o for o in operations if o.kind in TRANSACTIONS]
    acknowledged = sorted(o.acknowledged for o in transactions if o.outcome == OK)
    by_gateway = sorted(o.acknowledged for o in transactions if o.outcome == OK and o.via == "gateway")
    kinds = {}
    for fault in struck:
        kinds.setdefault(fault.name, []).append(fault)
    rows = [("fault", "times", "unavailable s", "gateway s", "all back s", "acknowledged", "unknown", "invalid")]
    for name, faults in sorted(kinds.items()):
        inside = [
            o for o in transactions if any(f.begun <= o.invoked < f.until for f in faults)
        ]
        count = {outcome: sum(o.outcome == outcome for o in inside) for outcome in (OK, UNKNOWN, INVALID)}
        gaps = [longest_gap(acknowledged, f.begun, f.until) for f in faults]
        gateway = [longest_gap(by_gateway, f.begun, f.until) for f in faults]
        backs = [f.back - f.ended for f in faults]
        rows.append(
            (name, len(faults), _range(gaps), _range(gateway), _range(backs), count[OK], count[UNKNOWN], count[INVALID])
        )
    rows.append(
        ("together", len(struck), "", "", "", verdict.acknowledged, verdict.unknown, verdict.invalid)
    )
    widths = [max(len(str(row[column])) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(str(cell).ljust(width) if column == 0 else str(cell).rjust(width)
                  for column, (cell, width) in enumerate(zip(row, widths)))
        for row in rows
    ]


def _range(seconds):
    """Median and largest."""
    middle, largest = statistics.median(seconds), max(seconds)
    if math.isinf(largest):
        return "never"
    return f"{largest:.1f}" if len(seconds) == 1 else f"{middle:.1f} to {largest:.1f}"
