"""Members govern a running network with the tools of PyPI ccf, and what they decide takes effect."""

import datetime
import pathlib
import subprocess
import sys
import threading
import time

import pytest
import requests
from conftest import account, send
from governance import Members, action, wait
from network import Network, rpc


@pytest.fixture(scope="module")
def network():
    return Network()


@pytest.fixture
def members(network, tmp_path):
    return Members(network, tmp_path)


def code(response):
    return response.status_code, response.json()["error"]["code"]


def test_a_proposal_is_made_voted_on_and_takes_effect_everywhere(members):
    made = members.propose("alpha", action("set_parameters", **{"batch.transactionsMax": 50}), title="Smaller batches")
    assert made.status_code == 200, made.text
    proposal = made.json()
    assert proposal["proposalState"] == "Open" and proposal["proposerId"] == "alpha" and proposal["ballotCount"] == 0
    entry = made.headers["x-ms-ccf-transaction-id"]
    identity = proposal["proposalId"]
    # Answered at the commit: the entry is in the ledger, at each node.
    status = members.get("/node/tx", transaction_id=entry).json()
    assert status["status"] == "Committed"
    assert members.get(f"/gov/members/proposals/{identity}").json()["proposalState"] == "Open"
    actions = members.get(f"/gov/members/proposals/{identity}/actions").json()["actions"]
    assert actions == [action("set_parameters", **{"batch.transactionsMax": 50})]
    # Votes come by other nodes, and can be changed.
    assert members.at(1).vote("bravo", identity, "against").json()["ballotCount"] == 1
    assert members.get(f"/gov/members/proposals/{identity}/ballots/bravo").json() == {"ballot": "against"}
    later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
    assert members.at(1).vote("bravo", identity, "for", at=later).json()["proposalState"] == "Open"
    done = members.at(2).vote("charlie", identity)
    assert done.json()["proposalState"] == "Accepted"
    assert done.json()["finalVotes"] == {"bravo": True, "charlie": True}
    for node in range(3):
        at = members.at(node)
        shown = wait("the new version", lambda: at.get("/gov/service/constitution").json(), 5)
        wait(
            "the new number at each node",
            lambda: at.get("/gov/service/constitution").json()["constitution"]["parameters"]["batch.transactionsMax"] == 50,
        )
    # The constitution of before can still be shown, and who voted for the new one.
    assert members.get("/gov/service/constitution", version="0").json()["constitution"]["parameters"]["batch.transactionsMax"] == 100
    assert members.get("/gov/service/constitution", transaction_id=entry).json()["version"]["version"] == 0
    version = members.get("/gov/service/constitution/versions").json()["value"][-1]
    assert version["votes"] == {"bravo": "for", "charlie": "for"} and version["title"] == "Smaller batches"
    events = members.get("/gov/events", since="0").json()["value"]
    assert [e["kind"] for e in events][-2:] == ["proposal", "constitution"]


def test_withdrawing(members):
    made = members.propose("bravo", action("set_open", open=False)).json()
    assert code(members.withdraw("alpha", made["proposalId"])) == (403, "AuthorizationFailed")
    assert members.at(1).withdraw("bravo", made["proposalId"]).json()["proposalState"] == "Withdrawn"
    assert code(members.vote("alpha", made["proposalId"])) == (400, "ProposalNotOpen")


def test_who_watches_is_told(members):
    since = members.get("/gov/events", since="0").json()["next"]
    with members.session("charlie") as session:
        answers = []
        thread = threading.Thread(
            target=lambda: answers.append(
                session.get(
                    members.url + "/gov/events",
                    params={"api-version": "2024-07-01", "since": since, "wait": 30},
                    timeout=60,
                ).json()
            )
        )
        thread.start()
        time.sleep(0.5)
        assert not answers
        made = members.at(2).propose("alpha", action("set_open", open=False)).json()
        thread.join(20)
        assert [e["proposal"]["proposalId"] for e in answers[0]["value"]] == [made["proposalId"]]
    members.withdraw("alpha", made["proposalId"])


def test_closing_and_opening_the_network(members, network, w3):
    one, two = account(0), account(1)
    assert send(w3, one, {"to": two.address, "value": 1, "gas": 21000}).status == 1
    members.pass_(action("set_open", open=False))
    wait("the node to know", lambda: members.get("/gov/service/info").json()["status"] == "Closed")
    transaction = one.sign_transaction(
        {
            "chainId": 1337,
            "nonce": w3.eth.get_transaction_count(one.address),
            "to": two.address,
            "value": 1,
            "gas": 21000,
            "gasPrice": w3.eth.gas_price,
        }
    ).raw_transaction.hex()
    before = w3.eth.block_number
    for node in range(3):
        response = network.client().post(
            network.application[node],
            json={"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": ["0x" + transaction.removeprefix("0x")]},
            timeout=30,
        )
        assert "closed to transactions" in response.text, response.text
    assert w3.eth.block_number == before
    members.pass_(action("set_open", open=True))
    wait("the node to know", lambda: members.get("/gov/service/info").json()["status"] == "Open")
    assert send(w3, one, {"to": two.address, "value": 1, "gas": 21000}).status == 1


def test_certificates_are_renewed(members, network):
    def serial(node):
        import socket
        import ssl

        host, port = network.administration[node].removeprefix("https://").split(":")
        context = ssl.create_default_context(cafile=network.service)
        context.load_cert_chain(network.certificate, network.key)
        with context.wrap_socket(socket.create_connection((host, int(port))), server_hostname=host) as connection:
            return connection.getpeercert()["serialNumber"], connection.getpeercert()["notAfter"]

    before = [serial(node) for node in range(3)]
    members.pass_(action("renew_certificates", nodes="all", network=True, days=30))
    wait("new certificates at each node", lambda: all(serial(node)[0] != before[node][0] for node in range(3)))


# Bad input: each of these has a typed error and changes nothing.


def test_bad_messages_change_nothing(members, network):
    made = members.propose("alpha", action("set_parameters", **{"batch.delayMicroseconds": 1})).json()
    identity = made["proposalId"]
    network.settled()
    last = members.get("/node/commit").json()["transaction_id"]
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    good = members.sign("bravo", "ballot", {"ballot": "for"}, identity)
    forged = bytearray(good)
    forged[-1] ^= 1
    create = "/gov/members/proposals:create"
    submit = f"/gov/members/proposals/{identity}/ballots/bravo:submit"
    proposal = {"actions": [action("set_parameters", **{"batch.delayMicroseconds": 2})]}
    cases = {
        "no COSE": (submit, b"hello", 400, "InvalidInput"),
        "empty": (submit, b"", 400, "InvalidInput"),
        "forged": (submit, bytes(forged), 401, "InvalidAuthenticationInfo"),
        "a ballot as a proposal": (create, good, 400, "InvalidInput"),
        "another type of ccf's": (create, members.sign("bravo", "ack", "{}"), 400, "InvalidInput"),
        "by another than the path says": (submit.replace("bravo", "charlie"), good, 403, "AuthorizationFailed"),
        "on another proposal than the path says": (submit.replace(identity, "0" * 64), good, 400, "InvalidInput"),
        "too old": (create, members.sign("bravo", "proposal", proposal, at=now - 8 * day), 400, "ProposalCreatedTooLongAgo"),
        "of the future": (create, members.sign("bravo", "proposal", proposal, at=now + day), 400, "InvalidCreatedAt"),
        "no vote": (submit, members.sign("bravo", "ballot", {"ballot": "yes"}, identity), 400, "InvalidInput"),
        "a proposal that would leave no member": (
            create,
            members.sign("bravo", "proposal", {"actions": [action("remove_member", id=m) for m in ("alpha", "bravo", "charlie")]}),
            400,
            "ProposalFailedToValidate",
        ),
        "of another network": (create, members.sign("bravo", "proposal", proposal | {"network": "1" * 64}), 400, "ProposalFailedToValidate"),
        "an unknown action": (create, members.sign("bravo", "proposal", {"actions": [action("dance")]}), 400, "ProposalFailedToValidate"),
        "oversized": (create, b"\xd2" + bytes(2 << 20), 413, None),
    }
    for name, (path, body, status, error) in cases.items():
        for node in (0, 1, 2):
            answer = members.at(node).post("bravo", path, body)
            assert answer.status_code == status, (name, answer.text)
            if error:
                assert code(answer)[1] == error, (name, answer.text)
    # Truncated at every byte.
    with members.session("bravo") as session:
        for length in range(1, len(good), 7):
            answer = session.post(members.url + submit, params={"api-version": "2024-07-01"}, data=good[:length], timeout=30)
            assert answer.status_code in (400, 401), (length, answer.text)
    # Paths and versions that are not there.
    with members.session("bravo") as session:
        assert code(session.post(members.url + create, data=good, timeout=30)) == (400, "MissingApiVersionParameter")
        assert code(session.post(members.url + create, params={"api-version": "1999-01-01"}, data=good, timeout=30)) == (400, "UnsupportedApiVersionValue")
        assert session.get(members.url + create, params={"api-version": "2024-07-01"}, timeout=30).status_code == 405
    assert members.get("/gov/members/proposals/none").status_code == 404
    assert members.get("/node/commit").json()["transaction_id"] == last
    assert members.get(f"/gov/members/proposals/{identity}").json()["ballotCount"] == 0
    # Replayed: the message that was taken does nothing a second time.
    assert members.at(1).post("bravo", submit, good).status_code == 200
    assert code(members.at(2).post("charlie", submit, good)) == (400, "VoteAlreadyExists")
    assert members.withdraw("alpha", identity).status_code == 200


def test_strangers_and_other_actors_have_no_vote(members, network, tmp_path):
    out = network.entente("actor", "init", "mallory", "--output", network.data / "actors")
    assert out.returncode == 0, out.stderr
    made = members.propose("alpha", action("set_open", open=False)).json()
    message = members.sign("mallory", "ballot", {"ballot": "for"}, made["proposalId"])
    submit = f"/gov/members/proposals/{made['proposalId']}/ballots/mallory:submit"
    # A stranger has no session; what it signed does not count by another's.
    with pytest.raises(requests.exceptions.ConnectionError):
        members.post("mallory", submit, message)
    assert code(members.post("alpha", submit, message)) == (401, "InvalidAuthenticationInfo")
    members.withdraw("alpha", made["proposalId"])
    # As a participant it transacts, and may not vote.
    certificate = (network.data / "actors" / "mallory.pem").read_text()
    members.pass_(action("set_participant", id="mallory", certificates=[certificate]))
    # Another title, since the same proposal signed within the same second would be a replay.
    made = members.propose("alpha", action("set_open", open=False), title="again").json()
    message = members.sign("mallory", "ballot", {"ballot": "for"}, made["proposalId"])
    submit = submit.replace(submit.split("/")[4], made["proposalId"])
    assert code(members.post("mallory", submit, message)) == (403, "AuthorizationFailed")
    assert code(members.propose("mallory", action("set_open", open=False))) == (403, "AuthorizationFailed")
    members.withdraw("alpha", made["proposalId"])


def test_a_removed_actors_sessions_end_at_the_commit(members, network):
    """Follows the test before, which made mallory a participant."""
    sessions = []
    for node in range(3):
        session = members.session("mallory")
        response, answer = rpc(session, network.application[node], "eth_blockNumber")
        assert response.status_code == 200 and "result" in answer
        sessions.append(session)
    proposal = members.propose("alpha", action("remove_participant", id="mallory"), ballot="for").json()
    # Not before: the proposal alone changes nothing.
    for node, session in enumerate(sessions):
        assert rpc(session, network.application[node], "eth_blockNumber")[0].status_code == 200
    assert members.vote("charlie", proposal["proposalId"]).json()["proposalState"] == "Accepted"

    def ended(node, session):
        try:
            return rpc(session, network.application[node], "eth_blockNumber")[0].status_code != 200
        except requests.RequestException:
            return True

    for node, session in enumerate(sessions):
        wait("the session to end", lambda: ended(node, session), 10)
    for node in range(3):
        with pytest.raises(requests.exceptions.ConnectionError):
            rpc(members.session("mallory"), network.application[node], "eth_blockNumber")


def test_two_proposals_race_for_the_same_entry(members):
    first = members.propose("alpha", action("set_parameters", **{"signature.entriesMax": 20}), ballot="for").json()
    second = members.propose("bravo", action("set_parameters", **{"signature.entriesMax": 30}), ballot="for").json()
    assert members.vote("charlie", first["proposalId"]).json()["proposalState"] == "Accepted"
    lost = members.get(f"/gov/members/proposals/{second['proposalId']}").json()
    assert lost["proposalState"] == "Dropped" and "changed" in lost["failure"]["reason"]
    assert code(members.at(1).vote("charlie", second["proposalId"])) == (400, "ProposalNotOpen")
    shown = members.get("/gov/service/constitution").json()
    assert shown["constitution"]["parameters"]["signature.entriesMax"] == 20


def test_the_primary_dies_between_proposal_and_vote(members, network):
    made = members.propose("alpha", action("set_parameters", **{"signature.entriesMax": 17}), ballot="for").json()
    name = network.primary()
    leader = network.names.index(name)
    network.kill_manager(name)
    other = members.at((leader + 1) % 3)
    done = other.vote("bravo", made["proposalId"])
    assert done.status_code == 200 and done.json()["proposalState"] == "Accepted", done.text
    network.settled()
    for node in range(3):
        shown = members.at(node).get("/gov/service/constitution").json()
        assert shown["constitution"]["parameters"]["signature.entriesMax"] == 17


def test_the_ledger_verifies_with_governance_in_it(members, network, tmp_path):
    network.settled()
    ledger = network.copy_ledger("node1", tmp_path / "ledger")
    out = network.entente("ledger", "verify", ledger, "--network-certificate", network.service)
    assert out.returncode == 0, out.stdout + out.stderr


def test_ccf_verifies_the_ledger_with_governance_in_it(members, network, tmp_path):
    ledger = network.copy_ledger("node1", tmp_path / "ledger")
    checker = pathlib.Path(__file__).parents[1] / "python" / "ccf_check.py"
    out = subprocess.run([sys.executable, checker, "--ledger", ledger], capture_output=True, text=True, timeout=300)
    assert out.returncode == 0, out.stdout + out.stderr
