"""Governance of a running network as a member's tools do it: messages signed by PyPI ccf's ccf_cose_sign1, HTTP by requests."""

import datetime
import json
import os
import pathlib
import subprocess
import time

import pytest
import requests

VERSION = {"api-version": "2024-07-01"}


def signer():
    """The folder of ccf's tools; skips without them."""
    python = os.environ.get("ENTENTE_CCF_PYTHON", "")
    folder = pathlib.Path(python).parent if python else pathlib.Path(__file__).parents[2] / ".venv-ccf" / "bin"
    if not (folder / "ccf_cose_sign1").exists():
        pytest.skip("the tools of PyPI ccf are not there; scripts/python.sh installs them")
    return folder


class Members:
    """The members of a network that `entente up` made, at one of its nodes."""

    def __init__(self, network, folder, node=0):
        self.network, self.folder = network, pathlib.Path(folder)
        self.url = network.administration[node]

    def at(self, node):
        return Members(self.network, self.folder, node)

    def credentials(self, actor):
        actors = self.network.data / "actors"
        return str(actors / f"{actor}.pem"), str(actors / f"{actor}.key")

    def sign(self, actor, kind, content, proposal=None, at=None, tool="ccf_cose_sign1"):
        """A COSE_Sign1 by ccf's own tool."""
        certificate, key = self.credentials(actor)
        path = self.folder / "content.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        at = at or datetime.datetime.now(datetime.timezone.utc)
        arguments = [signer() / tool, "--content", path, "--signing-cert", certificate, "--signing-key", key]
        arguments += ["--ccf-gov-msg-type", kind, "--ccf-gov-msg-created-at", at.isoformat()]
        if proposal:
            arguments += ["--ccf-gov-msg-proposal_id", proposal]
        return subprocess.run([str(each) for each in arguments], capture_output=True, check=True, timeout=30).stdout

    def session(self, actor):
        session = requests.Session()
        session.trust_env = False
        session.cert = self.credentials(actor)
        session.verify = self.network.service
        return session

    def post(self, actor, path, body, **more):
        with self.session(actor) as session:
            headers = {"content-type": "application/cose"}
            return session.post(self.url + path, params=VERSION, data=body, headers=headers, timeout=60, **more)

    def get(self, path, actor="alpha", **parameters):
        with self.session(actor) as session:
            return session.get(self.url + path, params=VERSION | parameters, timeout=60)

    def propose(self, actor, *actions, **fields):
        message = self.sign(actor, "proposal", {"actions": list(actions), **fields})
        return self.post(actor, "/gov/members/proposals:create", message)

    def vote(self, actor, proposal, vote="for", **more):
        message = self.sign(actor, "ballot", {"ballot": vote}, proposal, **more)
        return self.post(actor, f"/gov/members/proposals/{proposal}/ballots/{actor}:submit", message)

    def withdraw(self, actor, proposal):
        message = self.sign(actor, "withdrawal", "", proposal)
        return self.post(actor, f"/gov/members/proposals/{proposal}:withdraw", message)

    def pass_(self, *actions, by="alpha", voters=("bravo",), **fields):
        """Proposes, votes for it, and gives the accepted proposal."""
        made = self.propose(by, *actions, ballot="for", **fields)
        assert made.status_code == 200, made.text
        state = made.json()
        for voter in voters:
            answer = self.vote(voter, state["proposalId"])
            assert answer.status_code == 200, answer.text
            state = answer.json()
        assert state["proposalState"] == "Accepted", state
        return state


def action(name, /, **arguments):
    return {"name": name, "args": arguments}


def wait(what, holds, seconds=30):
    """Waits until `holds` gives something true, and gives it."""
    deadline = time.time() + seconds
    last = None
    while time.time() < deadline:
        try:
            last = holds()
            if last:
                return last
        except (requests.RequestException, OSError) as error:
            last = error
        time.sleep(0.05)
    pytest.fail(f"{what}: not within {seconds} s; last {last}")
