"""Members admit, replace and remove actors and nodes in a running network; a joiner waits for its owner's approval."""

import json
import subprocess

import pytest
import requests
from conftest import account, send
from governance import Members, action, wait
from joiner import Joiner
from network import Network, rpc


@pytest.fixture(scope="module")
def network():
    return Network()


@pytest.fixture
def members(network, tmp_path):
    return Members(network, tmp_path)


@pytest.fixture(scope="module")
def delta(network, tmp_path_factory):
    """A fourth bank with a node, not admitted yet."""
    out = network.entente("member", "init", "delta", "--output", network.data / "actors")
    assert out.returncode == 0 and "Next:" in out.stdout
    node = Joiner(network, "delta", tmp_path_factory.mktemp("delta"))
    node.sign()
    yield node
    node.stop()


def state(members, node, actor="delta"):
    with members.session(actor) as session:
        return session.get(node.url() + "/node/state", timeout=5).json()


def role(members, node_id):
    nodes = members.get("/node/network/nodes").json()["nodes"]
    return next((n["status"] for n in nodes if n["node_id"] == node_id), None)


def test_a_node_that_is_not_listed_waits_and_both_logs_say_why(members, network, delta):
    delta.start()
    wait("the refusal in the joiner's log", lambda: "notListed" in delta.text())
    logs = lambda: any("is not on the VN list" in (network.data / n / "node.log").read_text() for n in network.names)
    wait("the refusal in a node's log", logs)
    assert not (delta.folder / "data" / "constitution.entente").exists()
    out = network.entente("node", "approve", "--config", delta.config)
    assert out.returncode != 0 and "Next:" in out.stderr


def test_the_owner_approves_what_the_node_fetched_before_it_takes_part(members, network, delta, w3):
    members.pass_(*delta.actions(new_member=True), title="Admit delta with its first VN")
    fetched = delta.folder / "data" / "constitution.entente"
    wait("the constitution to be fetched", fetched.exists)
    digest = members.get("/gov/service/constitution").json()["digest"]
    shown = network.entente("node", "approve", "--config", delta.config)
    assert digest in shown.stdout and "delta" in shown.stdout and "Next:" in shown.stdout
    # It waits: nothing of the ledger is there, and no one else's approval does.
    assert members.get("/node/network/nodes").json()["nodes"]
    assert role(members, delta.id) == "Pending"
    ledger = delta.folder / "data" / "ledger"
    assert sum(p.stat().st_size for p in ledger.glob("*")) <= 8 * len(list(ledger.glob("*")))
    assert delta.approve("0" * 64).returncode != 0
    assert delta.approve(digest, signer="alpha").returncode != 0
    before = w3.eth.block_number
    done = delta.approve(digest)
    assert done.returncode == 0 and "Next:" in done.stdout, done.stderr
    wait("delta's node to vote", lambda: role(members, delta.id) == "Trusted")
    wait("it to serve", lambda: state(members, delta)["worker"] == "ready")
    # Four nodes, one ledger: a transaction by the new node, the new member's vote by it.
    one, two = account(2), account(3)
    signed = one.sign_transaction(
        {"chainId": 1337, "nonce": w3.eth.get_transaction_count(one.address), "to": two.address, "value": 5,
         "gas": 21000, "gasPrice": w3.eth.gas_price})  # fmt: skip
    with members.session("delta") as session:
        answer = rpc(session, delta.url(0), "eth_sendRawTransaction", "0x" + signed.raw_transaction.hex().removeprefix("0x"))
        assert "result" in answer[1], answer
    assert w3.eth.wait_for_transaction_receipt(signed.hash, timeout=20).status == 1
    assert w3.eth.block_number == before + 1
    made = members.propose("delta", action("set_parameters", **{"signature.entriesMax": 15}), ballot="for").json()
    for member in ("alpha", "bravo"):
        done = members.vote(member, made["proposalId"]).json()
    assert done["proposalState"] == "Accepted"


def test_show_lists_the_nodes_with_owners_and_platforms(network, delta):
    shown = network.entente("network", "show", "--data", network.data)
    assert shown.returncode == 0, shown.stderr
    assert all(name in shown.stdout for name in ("alpha", "bravo", "charlie", "delta"))
    assert "The weakest platform that is welcome is software" in shown.stdout and "Next:" in shown.stdout
    table = json.loads(network.entente("network", "show", "--data", network.data, "--json").stdout)
    assert len(table["nodes"]) == 4 and {n["platform"] for n in table["nodes"]} == {"software"}


def test_a_node_restarts_and_is_verified_by_the_constitution_of_now(members, network, delta):
    delta.stop()
    delta.start()
    wait("delta's node to be back", lambda: state(members, delta)["state"] == "active")
    nodes = members.get("/node/network/nodes").json()["nodes"]
    wait("its channels", lambda: all(n["connected"] for n in members.get("/node/network/nodes").json()["nodes"]))
    assert len(nodes) == 4


def test_an_instance_is_replaced(members, network, delta, tmp_path):
    """The old instance's key is refused, the new one catches up and votes."""
    fresh = Joiner(network, "delta", tmp_path, "fresh")
    fresh.sign()
    delta.stop()
    new = json.loads(fresh.tuple.read_text())
    try:
        members.pass_(
            action("set_software_key", owner="delta", key=new["platformKey"]),
            action("replace_node", nodeID=delta.id, node=new),
            voters=("bravo", "charlie"),
        )
        digest = members.get("/gov/service/constitution").json()["digest"]
        fresh.start()
        wait("the constitution", (fresh.folder / "data" / "constitution.entente").exists)
        assert fresh.approve(digest).returncode == 0
        wait("the new instance to vote", lambda: role(members, fresh.id) == "Trusted")
        assert role(members, delta.id) is None
        seen = len(delta.text())
        delta.start()
        wait("the old one to be refused", lambda: "notListed" in delta.text()[seen:])
        delta.stop()
        # Removed with its owner: consensus goes on with three, the node stops by itself.
        members.pass_(
            action("remove_node", nodeID=fresh.id), action("remove_member", id="delta"), voters=("bravo", "charlie")
        )
        wait("it to hear of it", lambda: "this node was removed from the network" in fresh.text(), 15)
        wait("its place to be gone", lambda: role(members, fresh.id) is None)
        wait("three to vote", lambda: len(members.get("/node/consensus").json()["details"]["configs"][0]["voters"]) == 3)
        with pytest.raises(requests.exceptions.ConnectionError):
            members.get("/gov/service/info", actor="delta")
        # What it signs counts no more, whoever brings it.
        open_ = members.propose("alpha", action("set_open", open=False)).json()["proposalId"]
        vote = members.sign("delta", "ballot", {"ballot": "for"}, open_)
        late = members.post("alpha", f"/gov/members/proposals/{open_}/ballots/delta:submit", vote)
        assert late.status_code == 401 and late.json()["error"]["code"] == "InvalidAuthenticationInfo"
        members.withdraw("alpha", open_)
        network.settled()
    finally:
        fresh.stop()


def test_code_is_added_and_removed(members, network):
    entry = {"name": "entente-worker", "version": "9.9.9", "role": "worker", "platform": "software", "measurement": "ab" * 32}
    members.pass_(action("add_code", **entry))
    key = {k: entry[k] for k in ("role", "platform", "measurement")}
    members.pass_(action("remove_code", **key))
    # The code that runs can't be taken away from under the network.
    shown = members.get("/gov/service/constitution").json()["constitution"]["code"]
    running = next(c for c in shown if c["role"] == "manager")
    other = running | {"version": "9.9.9", "measurement": "cd" * 32}
    refused = members.propose("alpha", action("add_code", **other), action("remove_code", **{k: running[k] for k in key}))
    assert refused.status_code == 400 and "consensus needs" in refused.json()["error"]["message"], refused.text
