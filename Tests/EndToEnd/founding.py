"""Two organisations' nodes, set up by the documented commands, for tests that need a genesis of their own."""

import json
import os
import signal
import socket
import subprocess
import time

import pytest
import requests

BINARY = os.environ.get("ENTENTE_BIN", "entente")
OWNERS = ["bank-a", "bank-b"]
ADAPTER = "  - {kind: ethereum, endpoint: ethereum, settings: {genesis: {config: {chainId: 7}, alloc: {}}}}\n"


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

    def __init__(self, folder, adapter=ADAPTER):
        """`adapter`: YAML lines of the genesis's only adapter, in the folder of the certificates."""
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
            + f"adapters:\n{adapter}"
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
