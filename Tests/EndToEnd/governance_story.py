"""The story of scripts/governance-story.sh. Runs inside `entente up -- COMMAND`; members act by the documented commands."""

import json
import pathlib
import statistics
import sys
import tempfile
import threading
import time

import requests
from conftest import account
from governance import wait
from joiner import Joiner
from network import Network, rpc

SECONDS = 55


class Load:
    """A client that sends one transfer after the other through the gateway, each until it is acknowledged."""

    def __init__(self, url):
        self.url, self.sender = url, account(7)
        self.acknowledged, self.repeated, self.gaps = [], 0, []
        self.ending = threading.Event()
        self.failure = None
        self.thread = threading.Thread(target=self.run)

    def call(self, session, method, *parameters):
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
        return session.post(self.url, json=body, timeout=40).json()

    def run(self):
        try:
            with requests.Session() as session:
                session.trust_env = False
                while not self.ending.is_set():
                    self.send(session, len(self.acknowledged))
        except Exception as error:  # noqa: BLE001: whatever it is, the story fails by it
            self.failure = error

    def send(self, session, nonce):
        signed = self.sender.sign_transaction(
            {"chainId": 1337, "nonce": nonce, "to": account(8).address, "value": 1, "gas": 21000, "gasPrice": 10**9}
        )
        started = time.monotonic()
        while time.monotonic() - started < 40:
            try:
                answer = self.call(session, "eth_sendRawTransaction", "0x" + signed.raw_transaction.hex().removeprefix("0x"))
            except (requests.RequestException, ValueError):
                answer = {}
            # A repetition of what was taken the first time is known or has a nonce that is used.
            if "result" in answer or (self.repeated and "nonce" in json.dumps(answer) and self.known(session, signed)):
                self.acknowledged.append("0x" + signed.hash.hex().removeprefix("0x"))
                self.gaps.append(time.monotonic() - started)
                return
            self.repeated += 1
            time.sleep(0.05)
        raise AssertionError(f"transfer {nonce} is not taken: {answer}")

    def known(self, session, signed):
        found = self.call(session, "eth_getTransactionReceipt", "0x" + signed.hash.hex().removeprefix("0x"))
        return found.get("result") is not None


class Story:
    def __init__(self, network, folder):
        self.network, self.folder = network, pathlib.Path(folder)
        self.votes = []

    def entente(self, *arguments):
        done = self.network.entente(*arguments)
        if done.returncode:
            sys.exit(f"entente {' '.join(map(str, arguments))}\n{done.stdout}{done.stderr}")
        return done.stdout

    def decide(self, title, actions, proposer, voters, at=0):
        """Proposes, votes, and gives the time when it was accepted."""
        file = self.folder / "proposal.json"
        file.write_text(json.dumps({"title": title, "ballot": "for", "actions": actions}))
        where = ("--data", self.network.data, "--json")
        made = json.loads(self.entente("member", "propose", file, "--as", proposer, *where))
        for voter in voters:
            started = time.monotonic()
            made = json.loads(self.entente("member", "vote", made["proposalId"], "for", "--as", voter, *where))
            self.votes.append(time.monotonic() - started)
        if made["proposalState"] != "Accepted":
            sys.exit(f"{title}: {made}")
        print(f"{title}: accepted, {made['votes']}", flush=True)
        return time.monotonic()

    def role(self, node_id):
        table = json.loads(self.entente("network", "show", "--data", self.network.data, "--json"))
        return next((n["status"] for n in table["nodes"] if n["node_id"] == node_id), None)


def run(network, folder):
    started = time.monotonic()
    load = Load(network.rpc_url)
    load.thread.start()
    story = Story(network, folder)
    print(f"alpha, bravo and charlie founded a network ({network.names})", flush=True)

    story.entente("member", "init", "delta", "--output", network.data / "actors")
    delta = Joiner(network, "delta", folder)
    delta.sign()
    delta.start()
    try:
        accepted = story.decide("Admit delta with its first VN", delta.actions(new_member=True), "alpha", ["bravo"])
        wait("the constitution at the joiner", (delta.folder / "data" / "constitution.entente").exists, 15)
        digest = json.loads(story.entente("governance", "constitution", "--data", network.data, "--json"))["digest"]
        approved = delta.approve(digest)
        if approved.returncode:
            sys.exit(approved.stderr)
        wait("delta's node to vote", lambda: story.role(delta.id) == "Trusted", 20)
        join = time.monotonic() - accepted
        print(f"delta's node takes part {join:.1f} s after the vote, its owner's approval included", flush=True)

        story.decide(
            "New code takes all members",
            [{"name": "set_voting_policy", "args": {"action": "add_code", "policy": "unanimous"}}],
            "bravo", ["alpha", "delta"],
        )  # fmt: skip
        story.decide(
            "Smaller batches", [{"name": "set_parameters", "args": {"batch.transactionsMax": 50}}], "delta", ["alpha", "bravo"]
        )
        charlie = network.status()[2]["nodeID"]
        story.decide(
            "Remove charlie and its node",
            [{"name": "remove_node", "args": {"nodeID": charlie}}, {"name": "remove_member", "args": {"id": "charlie"}}],
            "alpha", ["bravo", "delta"],
        )  # fmt: skip
        wait("charlie's node to leave", lambda: story.role(charlie) is None, 10)
        before = len(load.acknowledged)
        wait("the load to go on", lambda: load.failure or len(load.acknowledged) >= before + 20, 20)
        load.ending.set()
        load.thread.join(60)
        if load.failure:
            sys.exit(f"the load failed: {load.failure}")
        check(network, delta, load)
    finally:
        load.ending.set()
        delta.stop()
    took = time.monotonic() - started
    print(
        f"join {join:.1f} s; {len(story.votes)} votes by command, median {statistics.median(story.votes) * 1000:.0f} ms, "
        f"longest {max(story.votes) * 1000:.0f} ms"
    )
    print(
        f"load: {len(load.acknowledged)} transfers acknowledged, none lost, none twice; {load.repeated} sent again; "
        f"longest wait {max(load.gaps):.2f} s; story {took:.0f} s"
    )
    if took > SECONDS:
        sys.exit(f"the story took {took:.0f} s, over {SECONDS}")


def check(network, delta, load):
    """Every acknowledged transfer is there once, at each node that is left, and the nodes agree."""
    count = len(load.acknowledged)
    urls = [network.application[0], network.application[1], delta.url(0)]
    heads = set()
    for url in urls:
        session = network.client()
        wait(
            f"{url} to have all",
            lambda: int(rpc(session, url, "eth_getTransactionCount", load.sender.address, "latest")[1]["result"], 16) >= count,
        )
        nonce = int(rpc(session, url, "eth_getTransactionCount", load.sender.address, "latest")[1]["result"], 16)
        assert nonce == count, (url, nonce, count)
        for transaction in load.acknowledged:
            receipt = rpc(session, url, "eth_getTransactionReceipt", transaction)[1]["result"]
            assert receipt and receipt["status"] == "0x1", (url, transaction)
        heads.add(rpc(session, url, "eth_getBlockByNumber", "latest", False)[1]["result"]["hash"])
    assert len(heads) == 1, heads


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        run(Network(), folder)
