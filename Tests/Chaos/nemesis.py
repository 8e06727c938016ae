"""The faults, and a schedule of them by seed.

A fault begins, lasts, and is undone. `needs` names what the disk must be able to do for it (see disks.py). Whom it
strikes is a word of the schedule ("leader", "follower", "majority", "all"); who that is shows when it strikes.
"""

import dataclasses
import os
import random
import signal

from cluster import CLIENTS
from waiting import looks

PROCESSES = ("launcher", "manager", "worker")


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of fault: whom it may strike, how long it lasts, what it takes."""

    targets: tuple
    seconds: tuple
    needs: str = ""
    # Several at once may be in force with one of these.
    isBackground: bool = False


KINDS = {
    "kill-manager": Kind(("leader", "follower", "majority", "all"), (0.1, 0.5)),
    "kill-worker": Kind(("leader", "follower", "all"), (0.1, 0.5)),
    "kill-launcher": Kind(("leader", "follower"), (0.1, 0.5)),
    "kill-node": Kind(("leader", "follower", "majority", "all"), (0.5, 3)),
    "restart": Kind(("leader", "follower"), (0.5, 2)),
    "pause-manager": Kind(("leader", "follower", "majority"), (1, 8)),
    "pause-worker": Kind(("leader", "follower"), (1, 6)),
    "pause-node": Kind(("leader", "follower"), (2, 8)),
    "isolate": Kind(("leader", "follower"), (2, 8)),
    "isolate-from-peers": Kind(("leader", "follower"), (2, 8)),
    "isolate-from-clients": Kind(("leader",), (2, 6)),
    "split": Kind(("majority",), (2, 8)),
    "bridge": Kind(("leader", "follower"), (2, 8)),
    "one-way-out": Kind(("leader", "follower"), (2, 8)),
    "one-way-in": Kind(("leader", "follower"), (2, 8)),
    "unplug": Kind(("leader", "follower"), (2, 8)),
    "loss": Kind(("leader", "all"), (4, 8), isBackground=True),
    "delay": Kind(("leader", "all"), (4, 8), isBackground=True),
    "disorder": Kind(("all",), (4, 8), isBackground=True),
    "reset": Kind(("leader", "all"), (3, 6), isBackground=True),
    "narrow": Kind(("leader", "follower"), (4, 8), isBackground=True),
    "full-disk": Kind(("leader", "follower", "majority"), (4, 8), "full"),
    "slow-disk": Kind(("leader", "follower", "all"), (4, 8), "slow", isBackground=True),
    "stalled-disk": Kind(("leader", "follower"), (2, 6), "stalled"),
    "failing-disk": Kind(("leader", "follower"), (2, 4), "error"),
    "power-loss": Kind(("leader", "follower", "majority", "all"), (0.2, 2), "power"),
}


@dataclasses.dataclass
class Fault:
    """One fault of a schedule."""

    kind: str
    target: str
    seconds: float
    # For loss, delay and the like.
    strength: float
    # Quiet afterwards.
    pause: float
    together: "Fault | None" = None

    def __str__(self):
        text = f"{self.kind} {self.target} {self.seconds:.1f} s"
        return text + (f" with {self.together}" if self.together else "")


def schedule(seed, kinds, pause=(2.0, 5.0), shorter=1.0):
    """An endless sequence of faults: all kinds once in a random order, then again in another."""
    choice = random.Random(seed)

    def make(name):
        kind = KINDS[name]
        return Fault(
            name,
            choice.choice(kind.targets),
            choice.uniform(*kind.seconds) * shorter,
            choice.random(),
            choice.uniform(*pause) * shorter,
        )

    while True:
        order = sorted(kinds)
        choice.shuffle(order)
        for name in order:
            fault = make(name)
            # Two faults of one disk get in each other's way.
            backgrounds = [
                each
                for each in order
                if KINDS[each].isBackground and each != name and not (KINDS[name].needs and KINDS[each].needs)
            ]
            if backgrounds and choice.random() < 0.25:
                fault.together = make(choice.choice(backgrounds))
            yield fault


class Nemesis:
    """Brings faults upon a cluster and takes them back."""

    def __init__(self, cluster, say):
        self.cluster, self.say = cluster, say
        self.problems = []

    def possible(self):
        """The kinds that can be done here."""
        able = self.cluster.nodes[0].disk.faults
        count = len(self.cluster.nodes)
        return [n for n, k in KINDS.items() if (not k.needs or k.needs in able) and (n != "bridge" or count >= 3)]

    def strike(self, fault):
        """Begins a fault. Gives the nodes that it strikes and what undoes it."""
        nodes = self.cluster.nodes
        leader = self.cluster.leader()
        others = [node for node in nodes if node is not leader]
        size = len(nodes) // 2 + 1
        struck = {
            "leader": [leader],
            "follower": [others[int(fault.strength * len(others)) % len(others)]] if others else [leader],
            "majority": [leader, *others][:size],
            "all": list(nodes),
        }[fault.target]
        method = getattr(self, fault.kind.replace("-", "_"))
        return struck, method(fault, struck)

    # Processes.

    def _kill(self, struck, roles):
        ended = [node.signal(roles, signal.SIGKILL) for node in struck]
        return ended

    def kill_manager(self, fault, struck):
        self._kill(struck, ("manager",))
        return lambda: None

    def kill_worker(self, fault, struck):
        self._kill(struck, ("worker",))
        return lambda: None

    def kill_launcher(self, fault, struck):
        with self.cluster.lock:
            orphans = []
            for node in struck:
                pids = node.pids()
                node.signal(("launcher",), signal.SIGKILL)
                orphans += [pid for role, pid in pids.items() if role != "launcher"]

        def undo():
            left = gone(orphans, 10)
            if left:
                self.problems.append(f"processes outlive their launcher by 10 s: {left}")
                for pid in left:
                    os.kill(pid, signal.SIGKILL)

        return undo

    def kill_node(self, fault, struck):
        with self.cluster.lock:
            for node in struck:
                node.isWanted = False
            self._kill(struck, PROCESSES)
        return lambda: self._start(struck)

    def _start(self, struck):
        with self.cluster.lock:
            for node in struck:
                node.isWanted = True

    def restart(self, fault, struck):
        for node in struck:
            if not node.stop():
                self.problems.append(f"{node.name} does not stop within 60 s of SIGTERM")
        return lambda: self._start(struck)

    def _pause(self, struck, roles):
        stopped = [node.signal(roles, signal.SIGSTOP) for node in struck]

        def undo():
            for pids in stopped:
                for pid in pids.values():
                    try:
                        os.kill(pid, signal.SIGCONT)
                    except ProcessLookupError:
                        pass

        return undo

    def pause_manager(self, fault, struck):
        return self._pause(struck, ("manager",))

    def pause_worker(self, fault, struck):
        return self._pause(struck, ("worker",))

    def pause_node(self, fault, struck):
        return self._pause(struck, PROCESSES)

    # The network.

    def _rules(self, fault, rules):
        name = f"{fault.kind} {id(fault)}"
        self.cluster.wire.set(name, rules)
        return lambda: self.cluster.wire.set(name, None)

    def _hosts(self, nodes, withClients=False):
        return [node.host for node in nodes] + ([CLIENTS] if withClients else [])

    def _between(self, ones, others, rule):
        pairs = {(a, b): rule for a in ones for b in others if a != b}
        return {**pairs, **{(b, a): rule for a, b in pairs}}

    def _cut(self, fault, struck, withClients, withPeers=True):
        ones = self._hosts(struck)
        rest = [node for node in self.cluster.nodes if node not in struck]
        others = self._hosts(rest if withPeers else [], withClients)
        return self._rules(fault, self._between(ones, others, {"blocked": True}))

    def isolate(self, fault, struck):
        return self._cut(fault, struck, True)

    def isolate_from_peers(self, fault, struck):
        return self._cut(fault, struck, False)

    def isolate_from_clients(self, fault, struck):
        return self._cut(fault, struck, True, withPeers=False)

    def split(self, fault, struck):
        # The leader goes with the minority, so that the others have to elect one.
        minority = struck[: len(self.cluster.nodes) - len(struck)]
        return self._cut(fault, minority, False)

    def bridge(self, fault, struck):
        # Only the struck node sees all others, which see one half of each other.
        rest = [node for node in self.cluster.nodes if node not in struck]
        half = len(rest) // 2
        rules = self._between(self._hosts(rest[:half]), self._hosts(rest[half:]), {"blocked": True})
        return self._rules(fault, rules)

    def _one_way(self, fault, struck, isOut):
        others = [host for host in self._hosts(self.cluster.nodes, True) if host != struck[0].host]
        pairs = [(struck[0].host, other) if isOut else (other, struck[0].host) for other in others]
        return self._rules(fault, {pair: {"blocked": True} for pair in pairs})

    def one_way_out(self, fault, struck):
        return self._one_way(fault, struck, True)

    def one_way_in(self, fault, struck):
        return self._one_way(fault, struck, False)

    def unplug(self, fault, struck):
        for node in struck:
            node.space.unplug(True)

        def undo():
            for node in struck:
                node.space.unplug(False)

        return undo

    def _around(self, fault, struck, rule):
        return self._rules(
            fault, self._between(self._hosts(struck), self._hosts(self.cluster.nodes, True), rule)
        )

    def loss(self, fault, struck):
        return self._around(fault, struck, {"loss": 0.02 + 0.2 * fault.strength})

    def delay(self, fault, struck):
        seconds = 0.01 + 0.15 * fault.strength
        return self._around(fault, struck, {"delay": seconds, "jitter": seconds / 2})

    def disorder(self, fault, struck):
        return self._around(fault, struck, {"duplicate": 0.1 + 0.3 * fault.strength, "jitter": 0.03})

    def reset(self, fault, struck):
        return self._around(fault, struck, {"reset": 0.002 + 0.01 * fault.strength})

    def narrow(self, fault, struck):
        return self._around(fault, struck, {"rate": 20_000 + 200_000 * fault.strength})

    # Disks.

    def _disks(self, struck, begin, end):
        for node in struck:
            begin(node.disk)

        def undo():
            for node in struck:
                end(node.disk)

        return undo

    def full_disk(self, fault, struck):
        return self._disks(struck, lambda disk: disk.fill(), lambda disk: disk.empty())

    def slow_disk(self, fault, struck):
        seconds = 0.05 + 0.3 * fault.strength
        return self._disks(struck, lambda disk: disk.slow(seconds), lambda disk: disk.quicken())

    def stalled_disk(self, fault, struck):
        return self._disks(struck, lambda disk: disk.stall(), lambda disk: disk.resume())

    def failing_disk(self, fault, struck):
        # The disk is repaired, with what was synced on it, after the node has seen its errors.
        for node in struck:
            node.disk.fail()
        return lambda: self.power_loss(fault, struck)()

    def power_loss(self, fault, struck):
        # The processes are dead before their disks lose what was not synced: nobody acknowledges anything in between.
        with self.cluster.lock:
            pids = []
            for node in struck:
                node.isWanted = False
                pids += node.signal(PROCESSES, signal.SIGKILL).values()
                launcher = node.process
                if launcher is not None:
                    launcher.wait()
        left = gone(pids, 10)
        if left:
            self.problems.append(f"processes outlive SIGKILL by 10 s: {left}")
        for node in struck:
            node.disk.lose_power()

        def undo():
            for node in struck:
                node.disk.remount()
            self._start(struck)

        return undo


def gone(pids, seconds):
    """Waits until processes are gone; gives those that are not."""
    left = list(pids)
    for _ in looks(seconds, 0.05):
        left = [pid for pid in left if is_alive(pid)]
        if not left:
            break
    return left


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
