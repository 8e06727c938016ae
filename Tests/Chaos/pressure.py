"""Pressure instead of faults: a follower that does not keep up under full load, and crowds of connections.

`scripts/chaos.sh --pressure slow-follower,connections`. Throughput is `entente bench`'s, which proves its own outcome;
sizes are the kernel's.
"""

import json
import pathlib
import signal
import subprocess
import sys
import time

from cluster import ADMINISTRATION, APPLICATION
from watch import all_back

HERE = pathlib.Path(__file__).parent
# Resident mebibytes that a leader may grow by while a follower stands still, per node: the ledger's tail and bounded
# queues, not all that was missed.
GROWTH_MAX = 300


def committed(node):
    """Transactions that a node has committed since its start, by its metrics."""
    _, _, data = node.door(ADMINISTRATION).request("GET", "/node/metrics", timeout=10)
    for line in data.decode().splitlines():
        if line.startswith("entente_transactions_committed_total "):
            return int(line.split()[1])
    raise ValueError("no such metric")


class Pressure:
    def __init__(self, cluster, say, problems):
        self.cluster, self.say, self.problems = cluster, say, problems

    def _bench(self, seconds):
        folder, actors = self.cluster.folder, self.cluster.folder / "actors"
        nodes = ",".join(f"{node.space.address}:{APPLICATION}" for node in self.cluster.nodes)
        log = open(folder / "bench.log", "ab")
        return self.cluster.clients.spawn(
            [self.cluster.binary, "bench", "--nodes", nodes, "--certificate", actors / "actor1.pem",
             "--key", actors / "actor1.key", "--network-certificate", self.cluster.service,
             "--workload", "transfers", "--loop", "closed", "--seconds", str(seconds), "--send-to", "primary"],
            stdout=log, stderr=log,
        )

    def _rate(self, leader, seconds):
        """Transactions a second over a span, with the largest resident size of the leader's manager and worker."""
        first, begun, largest = committed(leader), time.monotonic(), {}
        while time.monotonic() - begun < seconds:
            for role, size in leader.memory().items():
                largest[role] = max(size, largest.get(role, 0))
            time.sleep(0.5)
        return (committed(leader) - first) / (time.monotonic() - begun), largest

    def slow_follower(self, seconds=15):
        """Full load; one follower is first well, then stands still, then gets a trickle, then is well again."""
        leader = self.cluster.leader()
        slow = next(node for node in self.cluster.nodes if node is not leader)
        bench = self._bench(seconds * 3 + 15)
        time.sleep(10)
        begun = time.monotonic()
        well, before = self._rate(leader, seconds)
        self.say(f"all well: {well:.0f} transactions a second, leader {before}")
        slow.signal(("manager",), signal.SIGSTOP)
        still, during = self._rate(leader, seconds)
        slow.signal(("manager",), signal.SIGCONT)
        self.say(f"{slow.name} stands still: {still:.0f} a second, leader {during}")
        hosts = [node.host for node in self.cluster.nodes if node is not slow]
        rules = {(a, b): {"rate": 50_000} for h in hosts for a, b in ((h, slow.host), (slow.host, h))}
        self.cluster.wire.set("trickle", rules)
        trickle, narrow = self._rate(leader, seconds)
        self.cluster.wire.set("trickle", None)
        self.say(f"{slow.name} gets 50 kB a second: {trickle:.0f} a second, leader {narrow}")
        try:
            code = bench.wait(seconds * 3 + 120 - (time.monotonic() - begun))
            if code != 0:
                self.problems.append(f"entente bench ended with {code}; see bench.log")
        except subprocess.TimeoutExpired:
            bench.kill()
            self.problems.append("entente bench does not end")
        stopped = time.monotonic()
        self.cluster.settle(120)
        self.say(f"{slow.name} has caught up {time.monotonic() - stopped:.1f} s after the load, leader {leader.memory()}")
        for name, rate, sizes in (("stands still", still, during), ("gets a trickle", trickle, narrow)):
            if rate < well / 2:
                self.problems.append(f"the network slows from {well:.0f} to {rate:.0f} a second when a follower {name}")
            for role, size in sizes.items():
                if size > before[role] + GROWTH_MAX:
                    self.problems.append(
                        f"the leader's {role} grows from {before[role]} to {size} MiB when a follower {name}"
                    )

    def connections(self, idle=1000, busy=200, seconds=20):
        """Crowds on one node, while the others and its administration go on."""
        node = self.cluster.nodes[-1]
        actors = self.cluster.folder / "actors"
        before = node.memory()
        settings = {
            "host": node.space.address, "port": APPLICATION, "service": str(self.cluster.service),
            "certificate": str(actors / "actor1.pem"), "key": str(actors / "actor1.key"),
            "idle": idle, "busy": busy, "pause": 0.1, "seconds": seconds,
        }
        crowd = self.cluster.clients.spawn(
            [sys.executable, HERE / "crowd.py", json.dumps(settings)], stdout=subprocess.PIPE, text=True
        )
        self.cluster.guard.tell(f"start {crowd.pid}")
        assert crowd.stdout.readline().strip() == "crowded"
        time.sleep(2)
        begun = time.monotonic()
        state = node.state(10)
        asked = time.monotonic() - begun
        during = node.memory()
        said = json.loads(crowd.stdout.readline())
        crowd.wait(30)
        self.say(f"{idle} idle and {busy} busy connections at {node.name}: {said}")
        self.say(f"its sizes before {before}, with the crowd {during}; /node/state took {asked * 1000:.0f} ms")
        if said["errors"] or said["idle_kept"] != idle:
            self.problems.append(f"a crowd was not served: {said}")
        if state is None:
            self.problems.append("the administration listener does not answer beside a crowd")

    def run(self, names):
        for name in names:
            getattr(self, name.replace("-", "_"))()
            seconds, states = all_back(self.cluster, 60)
            if seconds is None:
                self.problems.append(f"after {name} not all nodes are back: {states}")
