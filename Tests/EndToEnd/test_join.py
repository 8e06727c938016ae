"""Two organisations set up a network by the documented commands; a node that waits says so on its administration."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import pytest
import requests
from network import wait_for_end

BINARY = os.environ.get("ENTENTE_BIN", "entente")
OWNERS = ["bank-a", "bank-b"]


def run(*arguments):
    done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Nodes:
    """Configured and founded nodes, not running."""

    def __init__(self, folder):
        self.folder, self.ports, self.running = folder, free_ports(6), {}
        tuples = []
        for index, owner in enumerate(OWNERS):
            run("actor", "init", owner, "--output", folder)
            application, administration, node = self.ports[index * 3 : index * 3 + 3]
            (folder / f"{owner}.yaml").write_text(
                f"""name: {owner}-1
data: {owner}-data
log: {{format: json}}
listeners:
  application: {{address: "127.0.0.1:{application}"}}
  administration: {{address: "127.0.0.1:{administration}"}}
  node: {{address: "127.0.0.1:{node}"}}
network: {{found: {str(index == 0).lower()}, genesis: genesis.entente, peers: ["127.0.0.1:{self.ports[2]}"]}}
"""
            )
            out = folder / f"{owner}.json"
            run("node", "init", "--config", folder / f"{owner}.yaml", "--owner", owner, "--output", out)
            run("actor", "sign-node", "--key", folder / f"{owner}.key", out)
            tuples.append(json.loads(out.read_text()))
        code = "".join(
            f'  - {{name: entente-{role}, version: 0.1.0, role: {role}, measurement: "{tuples[0][role + "Measurement"]}"}}\n'
            for role in ("manager", "worker")
        )
        keys = "".join(f'    - {{owner: {o}, key: "{t["platformKey"]}"}}\n' for o, t in zip(OWNERS, tuples))
        (folder / "genesis.yaml").write_text(
            "name: two-banks\nmembers:\n"
            + "".join(f"  - {{id: {owner}, certificates: [{owner}.pem]}}\n" for owner in OWNERS)
            + f"nodes: [{', '.join(owner + '.json' for owner in OWNERS)}]\ncode:\n{code}"
            + f"tee:\n  platforms: [software]\n  softwareKeys:\n{keys}"
            + "adapters:\n  - kind: ethereum\n    endpoint: ethereum\n"
            + "    settings: {genesis: {config: {chainId: 7}, alloc: {}}}\n"
        )
        run("genesis", folder / "genesis.yaml", "--output", folder / "genesis.entente")

    def start(self, owner):
        log = open(self.folder / f"{owner}.log", "ab")
        self.running[owner] = subprocess.Popen(
            [BINARY, "node", "run", "--config", str(self.folder / f"{owner}.yaml")], stdout=log, stderr=log
        )

    def stop(self):
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        for process in self.running.values():
            process.wait(20)

    def url(self, owner, path):
        return f"https://127.0.0.1:{self.ports[OWNERS.index(owner) * 3 + 1]}{path}"

    def ask(self, owner, path, trust, client="bank-a"):
        session = requests.Session()
        session.trust_env = False
        session.verify = str(trust)
        session.cert = (str(self.folder / f"{client}.pem"), str(self.folder / f"{client}.key"))
        return session.get(self.url(owner, path), timeout=5)

    def await_state(self, owner, trust, wanted, seconds=30):
        deadline, last = time.time() + seconds, None
        while time.time() < deadline:
            try:
                last = self.ask(owner, "/node/state", self.folder / trust).json()
                if wanted(last):
                    return last
            except (requests.RequestException, OSError) as error:
                last = error
            time.sleep(0.1)
        pytest.fail(f"{owner}: {last}\n" + (self.folder / f"{owner}.log").read_text()[-2000:])


@pytest.fixture
def nodes(tmp_path):
    made = Nodes(tmp_path)
    yield made
    made.stop()


def test_a_waiting_node_answers_with_its_own_certificate_until_it_is_let_in(nodes):
    nodes.start("bank-b")
    own = "bank-b-data/node.pem"
    state = nodes.await_state("bank-b", own, lambda s: s["state"] == "joining")
    assert state["reason"] == "no node of the network was reached yet"
    # Its application listener does not serve yet, and no stranger is answered.
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(nodes.url("bank-b", "/node/state"), verify=str(nodes.folder / own), timeout=5).raise_for_status()
    kept = requests.Session()
    kept.trust_env = False
    kept.verify = str(nodes.folder / own)
    kept.cert = (str(nodes.folder / "bank-b.pem"), str(nodes.folder / "bank-b.key"))
    assert kept.get(nodes.url("bank-b", "/node/state"), timeout=5).json()["state"] == "joining"

    nodes.start("bank-a")
    nodes.await_state("bank-b", "bank-b-data/network.pem", lambda s: s["state"] == "active" and s["member"])
    # New connections see the endorsed certificate; the one that was open goes on.
    with pytest.raises(requests.exceptions.SSLError):
        nodes.ask("bank-b", "/node/state", nodes.folder / own)
    assert kept.get(nodes.url("bank-b", "/node/state"), timeout=5).json()["state"] == "active"
    assert "reason" not in nodes.ask("bank-b", "/node/state", nodes.folder / "bank-b-data/network.pem").json()


def test_a_restarted_node_says_for_whom_it_waits(nodes):
    for owner in OWNERS:
        nodes.start(owner)
    network = "bank-b-data/network.pem"
    nodes.await_state("bank-b", network, lambda s: s["state"] == "active" and s["member"])
    nodes.stop()
    nodes.running.clear()
    nodes.start("bank-b")
    state = nodes.await_state("bank-b", network, lambda s: s["state"] == "recovering" and s["last_seqno"] > 0)
    assert state["reason"] == "waits for its peers to confirm what is committed"


def test_log_lines_are_json_when_asked_for(nodes):
    for owner in OWNERS:
        nodes.start(owner)
    nodes.await_state("bank-b", "bank-b-data/network.pem", lambda s: s["state"] == "active" and s["worker"] == "ready")
    worker = int((nodes.folder / "bank-b-data" / "worker.pid").read_text())
    os.kill(worker, signal.SIGKILL)
    wait_for_end(worker, 10)
    nodes.await_state("bank-b", "bank-b-data/network.pem", lambda s: s["worker"] == "ready")
    nodes.stop()
    nodes.running.clear()
    lines = [json.loads(line) for line in (nodes.folder / "bank-b.log").read_text().splitlines()]
    assert {line["logger"] for line in lines} == {"entente-launcher", "entente-manager"}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"]) for line in lines)
    assert all(set(line) == {"time", "level", "logger", "message", "fields"} for line in lines)
    assert all(line["fields"]["node"] == "bank-b-1" for line in lines)
    messages = {line["message"] for line in lines}
    assert {"active", "worker ended", "a worker will be started again", "manager ended"} <= messages
