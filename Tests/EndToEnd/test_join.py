"""Two organisations set up a network by the documented commands; a node that waits says so on its administration."""

import json
import os
import re
import signal

import pytest
import requests
from founding import OWNERS, Nodes
from network import wait_for_end


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
