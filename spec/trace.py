"""Turns traces (JSON lines, see README.md) into the module TraceData: trace.py OUTPUT TRACE..."""

import json
import sys
from pathlib import Path


def tla(value):
    """A JSON value as a TLA+ value."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value)
    return "<<" + ", ".join(tla(item) for item in value) + ">>"


def names(ids):
    return "{" + ", ".join(tla(item) for item in ids) + "}"


def configuration(c):
    return (
        f"Config({names(c['voters'])}, {names(c['learners'])}, "
        f"{c['replication']}, {c['election']}, {c['settled']})"
    )


def entry(e):
    view, kind = e[0], e[1]
    if kind == "c":
        return f"Membership({view}, {configuration(e[2])})"
    return f"{'Data' if kind == 'd' else 'Signature'}({view})"


SPECIAL = {
    "entries": lambda v: "<<" + ", ".join(entry(e) for e in v) + ">>",
    "founders": configuration,
    "nodes": names,
    "active": lambda v: "{" + ", ".join(map(str, v)) + "}",
}


def event(e):
    fields = (f"{key} |-> {SPECIAL.get(key, tla)(value)}" for key, value in e.items())
    return "[" + ", ".join(fields) + "]"


def main(output, paths):
    traces, nodes, view = [], set(), 1
    for path in map(Path, paths):
        events = [json.loads(line) for line in path.read_text().splitlines()]
        for e in events:
            nodes.update(e.get("nodes", []), *([[e["node"]]] if "node" in e else []))
            nodes.update([e["from"]] if isinstance(e.get("from"), str) else [])
            view = max(view, e.get("view", 0), e.get("in", 0), e.get("campaign", 0))
        lines = ",\n".join("      " + event(e) for e in events)
        traces.append(f'  [name |-> "{path.stem}", events |-> <<\n{lines}>>]')
    Path(output).write_text(
        "---- MODULE TraceData ----\nEXTENDS Log\n"
        f"TraceNodes == {names(sorted(nodes))}\nTraceViewMax == {view + 1}\n"
        "Traces == <<\n" + ",\n".join(traces) + ">>\n====\n"
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
