"""A validating node that comes to a running network by the documented commands."""

import json
import pathlib
import signal
import subprocess

from founding import free_ports


class Joiner:
    """A node of `owner`, which knows the network's id and the addresses of nodes, and nothing else."""

    def __init__(self, network, owner, folder, name="joiner"):
        self.network, self.owner = network, owner
        self.folder = pathlib.Path(folder) / name
        self.folder.mkdir(parents=True)
        self.ports = free_ports(3)
        self.process = None
        self.actors = network.data / "actors"
        peers = ", ".join(f'"{self.node_address(n)}"' for n in network.names)
        application, administration, node = self.ports
        self.config = self.folder / "node.yaml"
        self.config.write_text(
            f"""name: {name}
data: data
listeners:
  application: {{address: "127.0.0.1:{application}"}}
  administration: {{address: "127.0.0.1:{administration}"}}
  node: {{address: "127.0.0.1:{node}"}}
network: {{id: "{self.network_id()}", peers: [{peers}]}}
"""
        )
        self.tuple = self.folder / "tuple.json"
        self.run("node", "init", "--config", self.config, "--owner", owner, "--output", self.tuple)
        self.id = json.loads(self.tuple.read_text())["nodeID"]

    def run(self, *arguments):
        done = self.network.entente(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def node_address(self, name):
        for line in (self.network.data / name / "node.yaml").read_text().splitlines():
            if line.strip().startswith("node: {address:"):
                return line.split('"')[1]
        raise AssertionError(f"no address of {name}")

    def network_id(self):
        out = json.loads(self.run("governance", "constitution", "--data", self.network.data, "--json"))
        return out["networkId"]

    def sign(self):
        return self.run("actor", "sign-node", "--key", self.actors / f"{self.owner}.key", self.tuple)

    def start(self):
        self.log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(
            [self.network.binary, "node", "run", "--config", str(self.config)], stdout=self.log, stderr=self.log
        )

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)

    def text(self):
        return (self.folder / "log").read_text()

    def approve(self, digest, signer=None):
        signer = signer or self.owner
        return self.network.entente(
            "node", "approve", "--config", self.config, "--digest", digest,
            "--signing-certificate", self.actors / f"{signer}.pem", "--signing-key", self.actors / f"{signer}.key",
        )

    def url(self, listener=1):
        return f"https://127.0.0.1:{self.ports[listener]}"

    def actions(self, new_member=False):
        """What a proposal to admit it has."""
        tuple_ = json.loads(self.tuple.read_text())
        actions = []
        if new_member:
            certificate = (self.actors / f"{self.owner}.pem").read_text()
            actions.append({"name": "set_member", "args": {"id": self.owner, "certificates": [certificate]}})
        actions.append({"name": "set_software_key", "args": {"owner": self.owner, "key": tuple_["platformKey"]}})
        actions.append({"name": "set_node", "args": tuple_})
        return actions
