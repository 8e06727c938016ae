"""Looks at all nodes now and then: their states and memory."""

import json
import threading
import time

from waiting import looks


class Watch:
    """A thread that samples a cluster, keeps the largest resident sizes, and writes samples to a file."""

    def __init__(self, cluster, path, seconds=1.0):
        self.cluster, self.path, self.seconds = cluster, path, seconds
        self.largest = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._body, daemon=True)

    def start(self):
        self._thread.start()

    def stop(self):
        self._stopping.set()
        self._thread.join()

    def _body(self):
        with open(self.path, "w", encoding="utf-8") as file:
            while not self._stopping.wait(self.seconds):
                sample = {"time": time.monotonic(), "memory": {node.name: node.memory() for node in self.cluster.nodes}}
                for roles in sample["memory"].values():
                    for role, size in roles.items():
                        self.largest[role] = max(size, self.largest.get(role, 0))
                file.write(json.dumps(sample) + "\n")
                file.flush()


def all_back(cluster, seconds):
    """Waits until all nodes take part and agree on a primary; gives the seconds, or None and the last states."""
    begun, states = time.monotonic(), []
    for _ in looks(seconds):
        states = [node.state(1.0) for node in cluster.nodes]
        if all(s and s["state"] == "active" and s["worker"] == "ready" for s in states):
            if len({s["primary_id"] for s in states}) == 1 and states[0]["primary_id"]:
                return time.monotonic() - begun, states
    return None, states
