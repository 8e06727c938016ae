"""Disks that run full or fail under a node, and ledger files that are damaged, missing or not the node's own.

Run outside a network: these tests start their own. Small file systems of their own are made as in Tests/Chaos.
"""

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest
from conftest import account
from network import rpc
from test_restart import Running
from test_worker import Load

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "Chaos"))
from disks import LoopDisk, MemoryDisk, loops_work  # noqa: E402

NODES = ("node1", "node2", "node3")


class NoGuard:
    def tell(self, _):
        pass


def found(folder):
    """Founds a network whose chunks of the ledger end every 20 entries or so, and stops it."""
    genesis = folder.parent / "parameters.yaml"
    genesis.write_text("ledger: {snapshotIntervalEntries: 20}\n")
    up = [os.environ["ENTENTE_BIN"], "up", "--data", folder, "--genesis", genesis, "--", "true"]
    done = subprocess.run(up, capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stdout + done.stderr


def put_on(disk, data):
    """Moves a stopped node's data folder to a disk that is mounted in its place."""
    kept = data.with_name("kept")
    data.rename(kept)
    disk = disk(data)
    shutil.copytree(kept, data, dirs_exist_ok=True)
    shutil.rmtree(kept)
    return disk


def wait_for(condition, seconds, what):
    deadline = time.time() + seconds
    while not condition():
        assert time.time() < deadline, f"{what} does not come in {seconds} s"
        time.sleep(0.1)


def state(network, name):
    """`/node/state` of one node."""
    url = network.administration[network.names.index(name)]
    return network.client().get(f"{url}/node/state", timeout=5).json()


def metric(network, name, metric):
    url = network.administration[network.names.index(name)]
    for line in network.client().get(f"{url}/node/metrics", timeout=5).text.splitlines():
        if line.startswith(metric + " "):
            return int(line.split()[1])
    pytest.fail(f"{name} has no metric {metric}")


def application(network, name):
    return network.application[network.names.index(name)]


def log(folder, name):
    return (folder / name / "node.log").read_text()


def chunks(folder, name):
    """Committed chunks of a node, in order."""
    paths = (folder / name / "data" / "ledger").glob("ledger_*.committed")
    return sorted(paths, key=lambda path: int(path.name.split("_")[1].split("-")[0]))


def verify(network, folder, name, *more):
    out = network.entente(
        "ledger", "verify", folder / name / "data", "--network-certificate", network.service, "--json", *more)
    assert out.returncode == 0, out.stdout + out.stderr
    return json.loads(out.stdout)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("storage") / "network"
    found(folder)
    return folder


def test_damaged_and_missing_chunks_are_fetched_from_other_nodes(shared):
    folder = shared
    with Running(folder) as network:
        with Load(network, network.w3):
            wait_for(lambda: len(chunks(folder, "node2")) >= 6, 30, "some chunks")
        network.settled()
    # One flipped bit, which only reading shows; one file too short; one gone.
    flipped, short, gone = chunks(folder, "node2")[1:4]
    whole = {path.name: path.read_bytes() for path in (flipped, short, gone)}
    bytes = bytearray(whole[flipped.name])
    bytes[len(bytes) // 2] ^= 4
    flipped.write_bytes(bytes)
    os.truncate(short, len(whole[short.name]) - 3)
    gone.unlink()
    newest = [path for path in (folder / "node2" / "data" / "snapshots").glob("*.committed")]
    for path in newest:
        # Without a snapshot the whole ledger is read at the start.
        path.unlink()
    with Running(folder) as network:
        network.settled()
        wait_for(lambda: metric(network, "node2", "entente_ledger_chunks_missing") == 0, 20, "the last chunk")
        assert metric(network, "node2", "entente_ledger_repairs_total") == 3
    for path in (flipped, short, gone):
        assert path.read_bytes() == whole[path.name], path
    assert flipped.with_name(flipped.name + ".damaged").read_bytes() == bytes
    text = log(folder, "node2")
    assert "is damaged and is fetched from another node" in text and "a damaged part of the ledger was replaced" in text
    verify(network, folder, "node2")


def test_repair_mends_a_stopped_nodes_ledger(shared, tmp_path):
    folder = shared
    with Running(folder) as network:
        network.settled()
        # Not while the node writes.
        out = network.entente("ledger", "repair", folder / "node2" / "data")
        assert out.returncode != 0 and "the node runs" in out.stderr, out.stdout + out.stderr
        # A copy is mended from running nodes.
        service = ["--network-certificate", network.service]
        copy = tmp_path / "from-node" / "ledger"
        shutil.copytree(folder / "node2" / "data" / "ledger", copy)
        victim = chunks(folder, "node2")[2].name
        (copy / victim).unlink()
        address = network.administration[0].removeprefix("https://")
        actor = ["--certificate", network.certificate, "--key", network.key]
        out = network.entente("ledger", "repair", copy, *service, "--node", address, *actor)
        assert out.returncode == 0, out.stdout + out.stderr
        assert (copy / victim).read_bytes() == (folder / "node2" / "data" / "ledger" / victim).read_bytes()
    # An empty last chunk, as a crash may leave it, is no fault.
    data = tmp_path / "data"
    shutil.copytree(folder / "node2" / "data", data)
    last = json.loads(network.entente("ledger", "verify", data, "--json").stdout)
    (data / "ledger" / "ledger_100000").write_bytes(b"\0" * 4096)
    report = json.loads(network.entente("ledger", "verify", data, "--json").stdout)
    assert report["good"] and report["empty_chunks"] == ["ledger_100000"], report
    assert report["last_verified"] == last["last_verified"]
    (data / "ledger" / "ledger_100000").unlink()

    def repair(*arguments):
        out = network.entente("ledger", "repair", data, "--json", *arguments)
        return out.returncode, json.loads(out.stdout), out

    code, report, _ = repair("--from", folder / "node1" / "data")
    assert code == 0 and report["whole"] and report["findings"] == [], report
    # One chunk damaged, one gone, and the end rolled back.
    names = [path.name for path in chunks(folder, "node2")]
    rng = random.Random(5)
    damaged = bytearray((data / "ledger" / names[1]).read_bytes())
    damaged[rng.randrange(50, len(damaged) - 200)] ^= 1
    (data / "ledger" / names[1]).write_bytes(damaged)
    (data / "ledger" / names[3]).unlink()
    kept = {path.name for path in (data / "ledger").iterdir()}
    for path in (data / "ledger").iterdir():
        if path.name == names[-1] or not path.name.endswith((".committed", ".damaged")):
            path.unlink()
    before = {path.name: path.read_bytes() for path in (data / "ledger").iterdir()}
    code, report, _ = repair()
    assert code == 1 and not report["whole"], report
    for path in (data / "ledger").iterdir():
        path.unlink()
    for name, content in before.items():
        (data / "ledger" / name).write_bytes(content)
    code, report, out = repair("--dry-run", "--from", folder / "node1" / "data")
    assert code == 2 and report["whole"] and len(report["findings"]) == 3, out.stdout + out.stderr
    assert {path.name: path.read_bytes() for path in (data / "ledger").iterdir()} == before, "a dry run changed files"
    code, report, out = repair("--from", folder / "node1" / "data")
    assert code == 0 and report["whole"], out.stdout + out.stderr
    for name in (names[1], names[3]):
        assert (data / "ledger" / name).read_bytes() == (folder / "node2" / "data" / "ledger" / name).read_bytes()
    assert report["last_verified"] == last["last_verified"]
    assert kept and json.loads(network.entente("ledger", "verify", data, "--json").stdout)["good"]
    assert repair("--from", folder / "node1" / "data")[0] == 0


def test_the_ledger_of_another_network_is_refused(shared, tmp_path):
    folder = shared
    other = tmp_path / "other" / "network"
    other.parent.mkdir()
    found(other)
    ours = folder / "node3" / "data" / "ledger"
    kept = tmp_path / "kept"
    # As a source it is of no use.
    copy = tmp_path / "copy"
    shutil.copytree(folder / "node3" / "data", copy)
    victim = chunks(folder, "node3")[0].name
    (copy / "ledger" / victim).write_bytes(b"")
    binary = os.environ["ENTENTE_BIN"]
    command = [binary, "ledger", "repair", copy, "--from", other / "node1" / "data"]
    out = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert out.returncode == 1 and "NOT WHOLE" in out.stdout, out.stdout + out.stderr
    # In place of the node's own it is recognised.
    shutil.move(ours, kept)
    shutil.copytree(other / "node1" / "data" / "ledger", ours)
    snapshots = folder / "node3" / "data" / "snapshots"
    shutil.move(snapshots, tmp_path / "snapshots")
    launcher = subprocess.Popen(
        [binary, "node", "run", "--config", folder / "node3" / "node.yaml"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        deadline = time.time() + 20
        text = ""
        while "of another network" not in text and time.time() < deadline:
            line = launcher.stdout.readline()
            if not line:
                break
            text += line
        assert "of another network" in text and "entente ledger repair" in text, text
    finally:
        launcher.send_signal(signal.SIGTERM)
        launcher.wait(20)
        shutil.rmtree(ours)
        shutil.move(kept, ours)
        shutil.rmtree(snapshots, ignore_errors=True)
        shutil.move(tmp_path / "snapshots", snapshots)


@pytest.fixture(scope="module")
def disks(shared, tmp_path_factory):
    """Every node on a small disk: ext4 on a loop device where that works, else a tmpfs."""
    place = tmp_path_factory.mktemp("images")
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    loops = loops_work(place)
    made = {}
    try:
        for name in NODES:
            make = (lambda path, n=name: LoopDisk(path, 96, place / n, NoGuard())) if loops else (
                lambda path: MemoryDisk(path, 96))
            made[name] = put_on(make, shared / name / "data")
        yield made
    finally:
        for name, disk in made.items():
            # The data stay for the tests that follow; a disk that a failed test left broken has none to give.
            data = shared / name / "data"
            kept = data.with_name("kept")
            try:
                disk.empty()
                shutil.copytree(data, kept, ignore=shutil.ignore_patterns("lost+found"))
            except OSError:
                shutil.rmtree(kept, ignore_errors=True)
            disk.close()
            shutil.rmtree(data)
            if kept.exists():
                kept.rename(data)


def test_a_full_disk_stops_writes_not_reads_and_the_node_goes_on_by_itself(shared, disks):
    folder = shared
    with Running(folder) as network:
        network.settled()
        session = network.client()
        before = network.w3.eth.get_balance(account(9).address)
        leader = network.primary()
        manager = network.pid(leader, "manager")
        with Load(network, network.w3) as load:
            time.sleep(1.5)
            filled = time.time()
            disks[leader].fill()
            # Small ledgers live long on what was reserved for them: more is written until that is gone.
            wait_for(lambda: state(network, leader)["storage"] == "full", 40, "the state full")
            noticed = time.time()
            time.sleep(2.5)
            gap = load.longest_gap(noticed - 2, time.time())
            wait_for(lambda: network.primary() != leader, 10, "another leader")
            said = state(network, leader)
            assert said["state"] == "active" and "No space left" in said["storage_reason"], said
            assert metric(network, leader, "entente_storage_writable") == 0
            # Reads go on, writes are refused before anything is done.
            response, answer = rpc(session, application(network, leader), "eth_getBalance", account(9).address, "latest")
            assert response.status_code == 200 and int(answer["result"], 16) >= before
            payment = {"to": account(8).address, "value": 1, "gas": 21000, "gasPrice": 0, "chainId": 1337, "nonce": 0}
            raw = "0x" + account(7).sign_transaction(payment).raw_transaction.hex()
            response, answer = rpc(session, application(network, leader), "eth_sendRawTransaction", raw)
            assert response.status_code == 503 and answer["error"]["code"] == "StorageUnavailable", answer
            disks[leader].empty()
            wait_for(lambda: state(network, leader)["storage"] == "good", 20, "the state good")
        assert load.failures == []
        print(f"full {noticed - filled:.1f} s after the last room was taken; no acknowledgement for {gap:.2f} s")
        nodes = network.settled()
        assert len({n["commit"] for n in nodes}) == 1
        assert network.w3.eth.get_balance(account(9).address) == before + len(load.acknowledged)
        # The same process went on.
        assert network.pid(leader, "manager") == manager
        assert metric(network, leader, "entente_storage_failures_total") >= 1
        assert gap < 4
    assert "make room on the file system of the data folder" in log(folder, leader)
    for name in NODES:
        verify(network, folder, name)


def test_a_failing_disk_stops_the_node_from_writing_until_it_starts_anew(shared, disks):
    folder = shared
    if "error" not in disks["node1"].faults:
        pytest.skip("no loop devices here")
    with Running(folder) as network:
        network.settled()
        before = network.w3.eth.get_balance(account(9).address)
        leader = network.primary()
        with Load(network, network.w3) as load:
            time.sleep(1)
            disks[leader].fail()
            wait_for(lambda: state(network, leader)["storage"] == "failed", 20, "the state failed")
            wait_for(lambda: network.primary() != leader, 10, "another leader")
            time.sleep(1.5)
            answer = rpc(network.client(), application(network, leader), "eth_blockNumber")[1]
            assert int(answer["result"], 16) > 0
        assert load.failures == []
        acknowledged = before + len(load.acknowledged)
        # The load went straight to the nodes, and the one that writes no more shows what it had.
        url = application(network, network.primary())
        answer = rpc(network.client(), url, "eth_getBalance", account(9).address, "latest")[1]
        assert int(answer["result"], 16) == acknowledged
        assert state(network, leader)["storage"] == "failed"
    assert "look at the disk" in log(folder, leader)
    disks[leader].remount()
    with Running(folder) as network:
        network.settled()
        assert network.w3.eth.get_balance(account(9).address) == acknowledged
    for name in NODES:
        verify(network, folder, name)
