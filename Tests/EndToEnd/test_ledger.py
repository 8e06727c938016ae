"""The ledger that three nodes write under load and a leader change: verified by us, by the PyPI package ccf, and broken."""

import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import account, deploy
from network import Network, rpc

CHECKER = pathlib.Path(__file__).parents[1] / "python" / "ccf_check.py"
SENDERS, EACH = 6, 50


def submit(network, session, start, raw):
    """Sends to one node after the other until one answers; gives the entry's transaction id, or None if unknown."""
    deadline = time.time() + 60
    turn = start
    while time.time() < deadline:
        url = network.application[turn % len(network.application)]
        turn += 1
        try:
            response, answer = rpc(session, url, "eth_sendRawTransaction", raw, timeout=35)
            if "result" in answer:
                return response.headers.get("x-ms-ccf-transaction-id")
            message = answer["error"].get("message", "") if isinstance(answer["error"], dict) else ""
            if "nonce too low" in message or "already known" in message:
                return None
        except Exception:
            pass
        time.sleep(0.1)
    pytest.fail("no node took the transaction for 60 s")


@pytest.fixture(scope="module")
def network():
    return Network()


@pytest.fixture(scope="module")
def load(network, w3, tmp_path_factory):
    """Some hundred transactions with a leader kill in the middle; ledgers copied and receipts fetched afterwards."""
    counter = deploy(w3, account(0), "Counter")
    network.settled()
    first_leader = network.primary()
    hashes, ids, failures = [], {}, []

    def run(index):
        try:
            session, sender = network.client(), account(index)
            nonce = w3.eth.get_transaction_count(sender.address)
            for step in range(EACH):
                signed = sender.sign_transaction(
                    {
                        "chainId": 1337,
                        "nonce": nonce + step,
                        "to": counter.address,
                        "data": counter.encode_abi("increment"),
                        "value": 0,
                        "gas": 100000,
                        "gasPrice": 0,
                    }
                )
                ids[signed.hash] = submit(network, session, index, "0x" + signed.raw_transaction.hex())
                hashes.append(signed.hash)
                if step == EACH // 2 and index == 1:
                    network.kill_manager(first_leader)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(1, SENDERS + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(150)
        assert not thread.is_alive()
    assert failures == []
    assert len(hashes) == SENDERS * EACH
    nodes = network.settled()
    assert counter.functions.number().call() == SENDERS * EACH
    folder = tmp_path_factory.mktemp("ledgers")
    for name in network.names:
        network.copy_ledger(name, folder / name)
    return {"folder": folder, "ids": ids, "nodes": nodes, "hashes": hashes, "leader": first_leader}


def own_entry(session, url, reflected, index):
    """The entry of a transaction, given the newest one that the answer to it reflects: that or one shortly before."""
    view, seqno = map(int, reflected.split("."))
    for candidate in range(seqno, max(0, seqno - 8), -1):
        place = {"transaction_id": f"{view}.{candidate}.{index}"}
        if session.get(f"{url}/app/receipt", params=place, timeout=10).status_code == 200:
            return f"{view}.{candidate}"
    pytest.fail(f"no entry before {reflected} has a transaction {index}")


@pytest.fixture(scope="module")
def receipts(network, w3, load):
    """Receipts from every node, for entries and single transactions, both forms; kept beside the network's data."""
    folder = network.data / "receipts"
    folder.mkdir(exist_ok=True)
    session = network.client()
    known = [h for h in load["hashes"] if load["ids"][h]]
    assert len(known) > SENDERS * EACH // 2
    files = []
    chosen = known[:4] + known[len(known) // 2 : len(known) // 2 + 4] + known[-4:]
    for turn, transaction in enumerate(chosen):
        index = w3.eth.get_transaction_receipt(transaction).transactionIndex
        url = network.application[turn % len(network.application)]
        entry = own_entry(session, url, load["ids"][transaction], index)
        status = session.get(f"{url}/app/tx", params={"transaction_id": entry}, timeout=10).json()
        assert status["status"] == "Committed", status
        for place in (entry, f"{entry}.{index}"):
            for form in ("json", "cose"):
                response = session.get(
                    f"{url}/app/receipt", params={"transaction_id": place, "format": form}, timeout=10
                )
                assert response.status_code == 200, (place, form, response.text)
                path = folder / f"{place}.{form}"
                path.write_bytes(response.content)
                files.append(path)
    return files


def test_every_node_has_the_same_committed_chunks(load):
    views = {n["view"] for n in load["nodes"]}
    assert len(views) == 1 and views.pop() > 2, "the leader change did not happen"
    contents = {}
    for node in load["folder"].iterdir():
        for path in node.iterdir():
            if path.name.endswith(".committed"):
                contents.setdefault(path.name, set()).add(path.read_bytes())
    assert all(len(each) == 1 for each in contents.values())


def test_our_verifier_accepts(network, load):
    last = set()
    for name in network.names:
        out = network.entente("ledger", "verify", load["folder"] / name, "--json")
        assert out.returncode == 0, out.stdout + out.stderr
        report = json.loads(out.stdout)
        assert report["good"] and report["fault"] is None and report["signatures"] > 10
        last.add(report["last_verified"])
        trusted = network.entente(
            "ledger", "verify", load["folder"] / name, "--network-certificate", network.service
        )
        assert trusted.returncode == 0, trusted.stdout + trusted.stderr
    node = load["nodes"][0]
    assert last == {f"{node['view']}.{node['commit']}"}


def test_show_lists_entries_but_no_private_data(network, load):
    out = network.entente("ledger", "show", load["folder"] / "node1", "--values")
    assert out.returncode == 0, out.stderr
    assert "public:ccf.internal.signatures" in out.stdout
    assert out.stdout.count("  signature  ") > 10
    for transaction in load["hashes"][:20]:
        assert transaction.hex() not in out.stdout


def test_our_receipts_verify(network, receipts):
    for path in receipts:
        out = network.entente("receipt", "verify", path, "--network-certificate", network.service)
        assert out.returncode == 0, (path.name, out.stdout, out.stderr)
        assert path.name.rsplit(".", 1)[0] in out.stdout


def test_the_answer_to_a_submission_names_its_own_entry(network, w3, load):
    """A client that holds a receipt by view.seqno.index must be able to learn these from the answer it got."""
    session = network.client()
    for transaction in load["hashes"][:5]:
        entry = load["ids"][transaction]
        index = w3.eth.get_transaction_receipt(transaction).transactionIndex
        response = session.get(
            f"{network.application[0]}/app/receipt", params={"transaction_id": f"{entry}.{index}"}, timeout=10
        )
        assert response.status_code == 200, (entry, index, response.text)


def test_altered_receipts_are_refused(network, receipts, tmp_path):
    rng = random.Random(7)
    for path in receipts[:4]:
        good = path.read_bytes()
        for _ in range(12):
            bad = bytearray(good)
            offset, bit = rng.randrange(len(bad)), rng.randrange(7)
            bad[offset] ^= 1 << bit
            if path.suffix == ".json":
                try:  # another spelling of the same receipt is no alteration
                    if json.loads(bytes(bad)) == json.loads(good):
                        continue
                except ValueError:
                    pass
            altered = tmp_path / path.name
            altered.write_bytes(bad)
            out = network.entente("receipt", "verify", altered, "--network-certificate", network.service)
            # Without the name of its batch proof a receipt is still one of the entry, and says no more than that.
            place = path.name.rsplit(".", 1)[0]
            said = out.stdout.strip()
            still = said == f"good: transaction {place.rsplit('.', 1)[0]}" and place.count(".") == 2
            assert out.returncode == 1 or still, (path.name, out.stdout, offset, bit, good[max(0, offset - 16) : offset + 16].hex())


def test_receipts_of_what_does_not_exist_are_refused(network, load):
    session = network.client()
    url = network.application[0]
    entry = next(i for i in load["ids"].values() if i)
    seqno = entry.split(".")[1]
    for wrong in ("99.1", f"1.{seqno}", f"{entry}.100000", "2.99999999", "2.18446744073709551615"):
        response = session.get(f"{url}/app/receipt", params={"transaction_id": wrong}, timeout=10)
        assert response.status_code == 404, (wrong, response.text)
        assert response.json()["error"]["message"]
    for wrong in ("", "x", "2", "2.-1", "2.3.4.5", "2.18446744073709551616", "0x2.3"):
        response = session.get(f"{url}/app/receipt", params={"transaction_id": wrong}, timeout=10)
        assert response.status_code == 400, (wrong, response.text)


def test_the_independent_package_accepts_ledgers_and_receipts(network, load, receipts):
    for name in network.names:
        out = subprocess.run(
            [sys.executable, CHECKER, "--ledger", load["folder"] / name, "--service", network.service]
            + [argument for path in receipts for argument in ("--receipt", path)],
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert out.returncode == 0, out.stdout + out.stderr
        report = json.loads(out.stdout)
        assert len(report["receipts"]) == len(receipts)
        assert report["ledger"]["signatures"] > 10
        assert report["ledger"]["last"] == f"{load['nodes'][0]['view']}.{load['nodes'][0]['commit']}"


def chunks(folder):
    """The chunk files of a ledger folder, in order."""
    return sorted(folder.glob("ledger_*"), key=lambda path: int(re.match(r"ledger_(\d+)", path.name)[1]))


def used_bytes(path):
    """Bytes of a chunk up to the end of its last entry: 8 bytes of header, entries, then perhaps room kept free."""
    data = path.read_bytes()
    offset = 8
    while offset + 8 <= len(data):
        size = int.from_bytes(data[offset + 2 : offset + 8], "little")
        if data[offset] == 0 or offset + 8 + size > len(data):
            break
        offset += 8 + size
    return offset


def test_single_bit_flips_are_found(network, load, tmp_path):
    source = load["folder"] / "node2"
    rng = random.Random(2)
    places = []
    for path in chunks(source):
        places += [(path.name, offset) for offset in range(8, used_bytes(path))]
    assert len(places) > 10_000
    sample = sorted(rng.sample(places, 200))

    def attempt(numbered):
        number, (name, offset) = numbered
        bit = rng.randrange(8)
        folder = tmp_path / f"flip-{number}"
        shutil.copytree(source, folder)
        with open(folder / name, "r+b") as file:
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ 1 << bit]))
        out = network.entente("ledger", "verify", folder, "--network-certificate", network.service)
        shutil.rmtree(folder)
        return None if out.returncode == 1 and "NOT GOOD" in out.stdout else (name, offset, bit, out.stdout, out.stderr)

    with ThreadPoolExecutor(2) as pool:
        missed = [m for m in pool.map(attempt, enumerate(sample)) if m]
    assert missed == []


def test_a_truncated_tail_is_reported(network, load, tmp_path):
    last = chunks(load["folder"] / "node3")[-1]
    end = used_bytes(last)
    good = json.loads(network.entente("ledger", "verify", load["folder"] / "node3", "--json").stdout)
    rng = random.Random(3)
    for cut in [1, 2, 7, 8, 9, *(rng.randrange(10, min(end - 8, 4000)) for _ in range(10))]:
        folder = tmp_path / f"cut-{cut}"
        shutil.copytree(load["folder"] / "node3", folder)
        os.truncate(folder / last.name, end - cut)
        out = network.entente("ledger", "verify", folder, "--json")
        report = json.loads(out.stdout)
        # Either the cut is within an entry, and said to be so, or less is vouched for than before.
        assert report["fault"] or report["last_verified"] != good["last_verified"], (cut, report)
        assert out.returncode == (1 if report["fault"] else 0)


def test_an_unsigned_tail_is_reported(network, load, tmp_path):
    """A chunk cut right before its last signature: what follows the one before is not vouched for, and said so."""
    source = load["folder"] / "node1"
    last = chunks(source)[-1]
    data = last.read_bytes()
    starts, offset = [], 8
    while offset < used_bytes(last):
        starts.append(offset)
        offset += 8 + int.from_bytes(data[offset + 2 : offset + 8], "little")
    folder = tmp_path / "unsigned"
    shutil.copytree(source, folder)
    os.truncate(folder / last.name, starts[-1])
    report = json.loads(network.entente("ledger", "verify", folder, "--json").stdout)
    assert report["good"] and report["unsigned_tail"] >= 1
    assert "not vouched for" in network.entente("ledger", "verify", folder).stdout
