"""What tests know of a running network beside JSON-RPC: its nodes, their listeners, processes and folders."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest
import requests


class Network:
    """A network by the variables that `entente up -- COMMAND` gives to its command."""

    def __init__(self, environment=os.environ):
        if "ENTENTE_DATA" not in environment:
            pytest.fail("ENTENTE_DATA is not set: run this under `entente up -- pytest ...`")
        self.binary = environment["ENTENTE_BIN"]
        self.data = pathlib.Path(environment["ENTENTE_DATA"])
        self.rpc_url = environment["ENTENTE_RPC_URL"]
        self.application = environment["ENTENTE_NODES"].split(",")
        self.administration = environment["ENTENTE_ADMIN"].split(",")
        self.certificate = environment["ENTENTE_CERTIFICATE"]
        self.key = environment["ENTENTE_KEY"]
        self.service = environment["ENTENTE_NETWORK_CERTIFICATE"]
        self.names = [f"node{index + 1}" for index in range(len(self.application))]

    def client(self):
        """An HTTPS client with the actor's certificate that trusts the network's."""
        session = requests.Session()
        session.trust_env = False
        session.cert = (self.certificate, self.key)
        session.verify = self.service
        return session

    def entente(self, *arguments, timeout=60):
        """Runs a command of the command line."""
        return subprocess.run([self.binary, *map(str, arguments)], capture_output=True, text=True, timeout=timeout)

    def status(self):
        """What `entente network status` says of each node."""
        out = self.entente("network", "status", "--data", self.data, "--json")
        # 1: the nodes don't agree on a primary at the moment, which those who wait for that see from the answer.
        assert out.returncode in (0, 1) and out.stdout, out.stderr
        return json.loads(out.stdout)["nodes"]

    def settled(self, seconds=40):
        """The nodes, once all take part, agree on a primary and have committed the same last entry."""
        deadline = time.time() + seconds
        while time.time() < deadline:
            nodes = self.status()
            if (
                all(n.get("state") == "active" and n.get("worker") == "ready" for n in nodes)
                and len({n.get("primary") for n in nodes}) == 1
                and len({(n["commit"], n["last"]) for n in nodes}) == 1
                and nodes[0]["commit"] == nodes[0]["last"]
            ):
                return nodes
            time.sleep(0.2)
        pytest.fail(f"the nodes don't come to the same commit in {seconds} s: {nodes}")

    def ready(self, seconds=40):
        """The nodes, once all take part and their workers serve; other than `settled` also under load."""
        deadline = time.time() + seconds
        while time.time() < deadline:
            nodes = self.status()
            if all(n.get("state") == "active" and n.get("worker") == "ready" for n in nodes):
                return nodes
            time.sleep(0.1)
        pytest.fail(f"not all nodes are ready in {seconds} s: {nodes}")

    def primary(self, seconds=20):
        """Name of the node that leads, once all agree on one."""
        deadline = time.time() + seconds
        while time.time() < deadline:
            nodes = self.status()
            leaders = {n["primary"] for n in nodes if n.get("primary")}
            names = [n["name"] for n in nodes if n.get("nodeID") in leaders]
            if len(leaders) == 1 and len(names) == 1:
                return names[0]
            time.sleep(0.1)
        pytest.fail(f"no primary in {seconds} s: {nodes}")

    def pid(self, name, role):
        """Process id of a node's `manager` or `worker`."""
        return int((self.data / name / "data" / f"{role}.pid").read_text())

    def kill_manager(self, name):
        os.kill(self.pid(name, "manager"), signal.SIGKILL)

    def launcher(self, name):
        """Process id of a node's launcher."""
        wanted = str(self.data / name / "node.yaml").encode()
        for folder in pathlib.Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    arguments = (folder / "cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if arguments[1:3] == [b"node", b"run"] and wanted in arguments:
                    return int(folder.name)
        pytest.fail(f"no launcher of {name} runs")

    def copy_ledger(self, name, to):
        """Copies a node's ledger folder while the node runs."""
        shutil.copytree(self.data / name / "data" / "ledger", to)
        return to


def rpc(session, url, method, *parameters, timeout=60):
    """One JSON-RPC call; gives the HTTP response and its JSON."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
    response = session.post(url, json=body, timeout=timeout)
    return response, response.json()


def wait_for_end(pid, seconds):
    """Waits until a process, ours or not, is gone."""
    deadline = time.time() + seconds
    while time.time() < deadline:
        try:
            if pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return
        except OSError:
            return
        time.sleep(0.05)
    pytest.fail(f"process {pid} is still there after {seconds} s")
