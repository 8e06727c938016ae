"""A network of `entente node run` processes, each in a namespace and on a disk of its own, founded by hand."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

from disks import LoopDisk, MemoryDisk
from doors import Door, MaybeDone, NotSent, trust
from spaces import Space
from waiting import looks
from wire import Wire

APPLICATION, ADMINISTRATION, NODE = 8545, 8546, 8547
# The first development account, which `entente bench` pays from. Chaos itself pays nothing: gas is free.
FUNDED = {"0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266": {"balance": "0x21e19e0c9bab2400000"}}
# Last byte of the address of the clients' namespace.
CLIENTS = 100


class Node:
    """One node: its processes are started again by a supervisor, as systemd's `Restart=always` does."""

    def __init__(self, cluster, index):
        self.cluster, self.index, self.host = cluster, index, index + 1
        self.name = f"node{index + 1}"
        self.folder = cluster.folder / self.name
        self.folder.mkdir()
        self.space = Space(self.name, f"10.77.0.{self.host}")
        self.disk = cluster.make_disk(cluster.folder / "disks" / self.name)
        self.process = None
        self.isWanted = False
        # Times and exit codes of launchers that ended.
        self.ends = []
        self._door = None

    @property
    def configuration(self):
        return self.folder / "node.yaml"

    def configure(self, peers):
        address = self.space.address
        limits = "limits: {connectionsMax: 2048}"
        self.configuration.write_text(
            f"name: {self.name}\ndata: {self.disk.path}/data\nlisteners:\n"
            f'  application: {{address: "{address}:{APPLICATION}", {limits}}}\n'
            f'  administration: {{address: "{address}:{ADMINISTRATION}"}}\n'
            f'  node: {{address: "{address}:{NODE}"}}\n'
            f"network:\n  found: {str(self.index == 0).lower()}\n  genesis: ../genesis.entente\n"
            f"  peers: {json.dumps(peers)}\nplatform: {{kind: software, folder: platform}}\n"
        )

    # The life of its processes.

    def start(self):
        self.isWanted = True
        if self.process is None or self.process.poll() is not None:
            with open(self.folder / "node.log", "ab") as log:
                log.write(f"---- started at {time.monotonic():.3f}\n".encode())
                arguments = [self.cluster.binary, "node", "run", "--config", self.configuration]
                self.process = self.space.spawn(arguments, stdout=log, stderr=log, start_new_session=True)
            self.cluster.guard.tell(f"start {self.process.pid}")

    def supervise(self):
        """Called regularly: starts what ended and should run."""
        if self.process is not None and self.process.poll() is not None:
            code = self.process.returncode
            self.cluster.guard.tell(f"ended {self.process.pid}")
            self.process = None
            self.ends.append((time.monotonic(), code))
        if self.isWanted and self.process is None and (not self.ends or time.monotonic() - self.ends[-1][0] > 1):
            self.start()

    def stop(self, seconds=60):
        """A clean stop."""
        self.isWanted = False
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                for pid in self.pids().values():
                    os.kill(pid, signal.SIGKILL)
                self.process.wait(10)
                return False
        return True

    def pids(self):
        """Process ids by role: launcher, manager, worker; of those that run."""
        launcher = self.process  # The supervisor may forget it meanwhile.
        if launcher is None or launcher.poll() is not None:
            return {}
        found = {"launcher": launcher.pid}
        for folder in pathlib.Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    stat = (folder / "stat").read_text()
                except OSError:
                    continue
                name, rest = stat[stat.index("(") + 1 :].rsplit(")", 1)
                if int(rest.split()[1]) == launcher.pid and name.startswith("entente-"):
                    found[name.removeprefix("entente-")] = int(folder.name)
        return found

    def signal(self, roles, number):
        """Sends a signal to the processes of these roles; gives their ids."""
        pids = {role: pid for role, pid in self.pids().items() if role in roles}
        for pid in pids.values():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        return pids

    def memory(self):
        """Resident mebibytes by role."""
        result = {}
        for role, pid in self.pids().items():
            try:
                pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
            except (OSError, IndexError):
                continue
            result[role] = pages * os.sysconf("SC_PAGE_SIZE") >> 20
        return result

    # Talking to it from its own machine, past the wire.

    def connect(self, address, timeout):
        return self.space.run(lambda: socket.create_connection(address, timeout=timeout))

    def door(self, port):
        return Door(self.space.address, port, self.cluster.trust(), self.connect)

    def state(self, timeout=2.0):
        """/node/state, or None."""
        if self._door is None:
            if not self.cluster.service.exists():
                return None
            self._door = self.door(ADMINISTRATION)
        try:
            return self._door.get("/node/state", timeout)
        except (NotSent, MaybeDone):
            return None


class Cluster:
    """The nodes, the wire, the clients' namespace."""

    def __init__(self, folder, binary, count, guard, loops, seed, chunkBytes=262144, mebibytes=160):
        self.folder, self.binary, self.guard, self.loops = folder, binary, guard, loops
        self.mebibytes = mebibytes
        (folder / "disks").mkdir()
        self.service = folder / "network.pem"
        self.nodes = [Node(self, index) for index in range(count)]
        self.clients = Space("clients", f"10.77.0.{CLIENTS}")
        self.wire = Wire([*(node.space for node in self.nodes), self.clients], seed)
        self._found(chunkBytes)
        self._supervising = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)
        self.lock = threading.RLock()

    def make_disk(self, path):
        if self.loops:
            return LoopDisk(path, self.mebibytes, path.with_suffix(".image"), self.guard)
        return MemoryDisk(path, self.mebibytes)

    def trust(self):
        actors = self.folder / "actors"
        return trust(self.service, actors / "actor1.pem", actors / "actor1.key")

    def entente(self, *arguments, timeout=120):
        done = subprocess.run([self.binary, *map(str, arguments)], capture_output=True, text=True, timeout=timeout)
        if done.returncode != 0:
            raise RuntimeError(f"entente {' '.join(map(str, arguments))}: {done.stdout}{done.stderr}")
        return done.stdout

    def _found(self, chunkBytes):
        actors = self.folder / "actors"
        actors.mkdir()
        tuples, peers = [], []
        for node in self.nodes:
            owner = f"actor{node.host}"
            self.entente("actor", "init", owner, "--output", actors)
            node.configure(peers)
            peers.append(f"{node.space.address}:{NODE}")
            file = node.folder / "tuple.json"
            node.space.run(
                lambda: self.entente("node", "init", "--config", node.configuration, "--owner", owner, "--output", file)
            )
            self.entente("actor", "sign-node", "--key", actors / f"{owner}.key", file)
            tuples.append(json.loads(file.read_text()))
        owners = [f"actor{node.host}" for node in self.nodes]
        genesis = {
            "name": "chaos",
            "members": [{"id": owner, "certificates": [f"actors/{owner}.pem"]} for owner in owners],
            "nodes": [f"{node.name}/tuple.json" for node in self.nodes],
            "code": [
                {"name": f"entente-{role}", "version": "0.1.0", "role": role, "measurement": measurement}
                for role in ("manager", "worker")
                for measurement in sorted({each[f"{role}Measurement"] for each in tuples})
            ],
            "tee": {
                "platforms": ["software"],
                "softwareKeys": [
                    {"owner": owner, "key": each["platformKey"]} for owner, each in zip(owners, tuples)
                ],
            },
            "voting": {"standard": "majority"},
            "ledger": {"chunkBytes": chunkBytes},
            "adapters": [
                {
                    "kind": "ethereum",
                    "endpoint": "ethereum",
                    "settings": {"genesis": {"config": {"chainId": 1337}, "gasLimit": "0x5f5e100", "alloc": FUNDED}},
                }
            ],
        }
        # JSON is YAML.
        (self.folder / "genesis.yaml").write_text(json.dumps(genesis, indent=1))
        self.entente("genesis", self.folder / "genesis.yaml", "--output", self.folder / "genesis.entente")

    # All nodes together.

    def start(self, seconds=90):
        self.nodes[0].start()
        certificate = self.nodes[0].disk.path / "data" / "network.pem"
        if not any(certificate.exists() for _ in looks(seconds, 0.05)):
            raise TimeoutError("the founder does not start")
        self.service.write_bytes(certificate.read_bytes())
        for node in self.nodes[1:]:
            node.start()
        self._supervisor.start()
        return self.settle(seconds)

    def _supervise(self):
        while not self._supervising.wait(0.1):
            with self.lock:
                for node in self.nodes:
                    node.supervise()

    def settle(self, seconds):
        """Waits until all nodes take part, agree on a primary and have the same commit; gives the seconds it took."""
        start = time.monotonic()
        states = []
        for _ in looks(seconds):
            states = [node.state() for node in self.nodes]
            if (
                all(s and s["state"] == "active" and s["worker"] == "ready" and s["member"] for s in states)
                and len({s["primary_id"] for s in states}) == 1
                and len({(s["commit_seqno"], s["last_seqno"]) for s in states}) == 1
                and states[0]["commit_seqno"] == states[0]["last_seqno"]
            ):
                return time.monotonic() - start
        raise TimeoutError(f"the nodes don't come to the same commit in {seconds} s: {states}")

    def leader(self):
        """The node that most say leads; the first one if nobody says."""
        said = [state["primary_id"] for node in self.nodes if (state := node.state(1.0)) and state["primary_id"]]
        if said:
            wanted = max(sorted(set(said)), key=said.count)
            for node in self.nodes:
                state = node.state(1.0)
                if state and state["node_id"] == wanted:
                    return node
        return self.nodes[0]

    def stop(self):
        """Stops all; gives the names of nodes that did not stop cleanly."""
        self._supervising.set()
        if self._supervisor.is_alive():
            self._supervisor.join()
        threads, late = [], []
        for node in self.nodes:
            thread = threading.Thread(target=lambda node=node: node.stop() or late.append(node.name))
            thread.start()
            threads.append(thread)
        for thread in threads:
            thread.join()
        return late

    def close(self):
        """Gives back namespaces, disks and the wire."""
        self.wire.close()
        for node in self.nodes:
            node.disk.close()
            node.space.close()
        self.clients.close()
