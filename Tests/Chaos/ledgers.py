"""Reads the chain of a node: all block hashes, and all calls of the contract in their order."""

import json

from doors import MaybeDone
from witness import Entry

BATCH = 200


def ledger(door, contract):
    """(block hashes, entries) of the chain that a node serves."""
    _, _, answer = door.rpc("eth_blockNumber", timeout=30)
    last = int(answer["result"], 16)
    blocks, entries = [], []
    for first in range(0, last + 1, BATCH):
        numbers = range(first, min(first + BATCH, last + 1))
        for block in _batch(door, [("eth_getBlockByNumber", [hex(number), False]) for number in numbers]):
            blocks.append(block["hash"])
        query = {"address": contract, "fromBlock": hex(numbers[0]), "toBlock": hex(numbers[-1])}
        for log in _batch(door, [("eth_getLogs", [query])])[0]:
            entries.append(_entry(log))
    entries.sort(key=lambda entry: (entry.block, entry.index))
    return blocks, entries


def _entry(log):
    data = log["data"].removeprefix("0x")
    key, before, after, place = (int(data[at : at + 64], 16) for at in range(0, 256, 64))
    return Entry(
        int(log["blockNumber"], 16),
        int(log["transactionIndex"], 16),
        log["transactionHash"].removeprefix("0x"),
        int(log["topics"][1], 16),
        key,
        before,
        after,
        place,
    )


def _batch(door, calls):
    body = [
        {"jsonrpc": "2.0", "id": index, "method": method, "params": parameters}
        for index, (method, parameters) in enumerate(calls)
    ]
    status, _, data = door.request(
        "POST", "/", json.dumps(body), {"content-type": "application/json"}, timeout=60
    )
    if status != 200:
        raise MaybeDone(f"status {status}: {data[:200]!r}")
    answers = sorted(json.loads(data), key=lambda answer: answer["id"])
    for answer in answers:
        if "result" not in answer or answer["result"] is None:
            raise ValueError(f"a node does not tell its chain: {answer}")
    return [answer["result"] for answer in answers]
