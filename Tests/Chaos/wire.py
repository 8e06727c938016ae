"""The fault proxy: a process that carries each IP packet from one namespace to another, or does not.

It works below TCP, so loss, delay, duplication and reordering meet the kernel's own TCP: connections stall, time out
and are half open as on a real network. Each direction of each pair of hosts is a link with rules of its own.
"""

import dataclasses
import heapq
import json
import os
import random
import selectors
import socket
import subprocess
import sys
import time

from packets import hosts, resets


@dataclasses.dataclass
class Link:
    """Rules for the packets from one host to another."""

    blocked: bool = False
    # Probabilities per packet.
    loss: float = 0.0
    duplicate: float = 0.0
    reset: float = 0.0
    # Seconds; each packet waits `delay` plus up to `jitter`, which reorders.
    delay: float = 0.0
    jitter: float = 0.0
    # Bytes per second; 0 is without limit. What would wait longer than half a second is dropped, as in a full queue.
    rate: float = 0.0


class Carrier:
    """Decides what becomes of packets; knows neither clock nor descriptors."""

    QUEUE_SECONDS = 0.5

    def __init__(self, seed=0):
        self.random = random.Random(seed)
        self.links = {}
        self.waiting = []
        self.free = {}
        self.number = 0
        self.counts = {"carried": 0, "dropped": 0, "reset": 0}

    def rules(self, links):
        """Sets all rules: pairs of hosts with what differs from a plain link."""
        self.links = {(source, destination): Link(**each) for source, destination, each in links}
        self.free = {}

    def take(self, packet, now):
        """Gives what to deliver at once, (host, packet) each; what waits is in `due`."""
        pair = hosts(packet)
        if pair is None:
            return []
        link = self.links.get(pair)
        if link is None:
            self.counts["carried"] += 1
            return [(pair[1], packet)]
        if link.blocked or self.random.random() < link.loss:
            self.counts["dropped"] += 1
            return []
        if link.reset and self.random.random() < link.reset:
            ends = resets(packet)
            if ends:
                self.counts["reset"] += 1
                return [(pair[1], ends[0]), (pair[0], ends[1])]
        at = now + link.delay + self.random.random() * link.jitter
        if link.rate:
            start = max(now, self.free.get(pair, 0))
            if start - now > self.QUEUE_SECONDS:
                self.counts["dropped"] += 1
                return []
            self.free[pair] = start + len(packet) / link.rate
            at += self.free[pair] - now
        copies = 2 if self.random.random() < link.duplicate else 1
        self.counts["carried"] += 1
        if at <= now:
            return [(pair[1], packet)] * copies
        for _ in range(copies):
            self.number += 1
            heapq.heappush(self.waiting, (at, self.number, pair, packet))
        return []

    def due(self, now):
        """What has waited long enough. A link that was blocked meanwhile carries nothing of it."""
        ready = []
        while self.waiting and self.waiting[0][0] <= now:
            _, _, pair, packet = heapq.heappop(self.waiting)
            link = self.links.get(pair)
            if link is None or not link.blocked:
                ready.append((pair[1], packet))
        return ready


def serve(control, tuns, seed):
    """Carries packets until the control socket closes. A line sets all rules and is answered by the counts."""
    carrier = Carrier(seed)
    selector = selectors.DefaultSelector()
    selector.register(control, selectors.EVENT_READ, None)
    for tun in tuns.values():
        selector.register(tun, selectors.EVENT_READ, tun)
    commands = control.makefile("rw")

    def deliver(packets):
        for host, packet in packets:
            if host in tuns:
                try:
                    os.write(tuns[host], packet)
                except OSError:
                    pass  # The device is down or its queue full: the packet is lost, as on any network.

    while True:
        now = time.monotonic()
        deliver(carrier.due(now))
        wait = max(0, carrier.waiting[0][0] - now) if carrier.waiting else None
        for key, _ in selector.select(wait):
            if key.data is None:
                line = commands.readline()
                if not line:
                    return
                carrier.rules(json.loads(line))
                commands.write(json.dumps(carrier.counts) + "\n")
                commands.flush()
                continue
            for _ in range(64):
                try:
                    packet = os.read(key.data, 65536)
                except OSError:
                    break
                deliver(carrier.take(packet, time.monotonic()))


class Wire:
    """The wire's process, seen from the one that commands it."""

    def __init__(self, spaces, seed):
        self.hosts = [int(space.address.rsplit(".", 1)[1]) for space in spaces]
        own, theirs = socket.socketpair()
        descriptors = [theirs.fileno(), *(space.tun for space in spaces)]
        tuns = {host: space.tun for host, space in zip(self.hosts, spaces)}
        self.process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno()), json.dumps(tuns), str(seed)], pass_fds=descriptors
        )
        theirs.close()
        self.socket = own
        self.lines = own.makefile("rw")
        self.links = {}

    def set(self, name, rules):
        """Puts rules in force under a name: {(source, destination): {rule: value}}. None takes them back."""
        if rules is None:
            self.links.pop(name, None)
        else:
            self.links[name] = rules
        merged = {}
        for each in self.links.values():
            for pair, rule in each.items():
                merged.setdefault(pair, {}).update(rule)
        self.lines.write(json.dumps([[*pair, rule] for pair, rule in merged.items()]) + "\n")
        self.lines.flush()
        return json.loads(self.lines.readline())

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.process.wait(10)
        self.socket.close()


if __name__ == "__main__":
    serve(
        socket.socket(fileno=int(sys.argv[1])),
        {int(host): tun for host, tun in json.loads(sys.argv[2]).items()},
        int(sys.argv[3]),
    )
