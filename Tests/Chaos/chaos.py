"""`make chaos`: real nodes under real faults with clients throughout, and a verdict on what the clients were told."""

import argparse
import collections
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import ledgers
import linearizability
import report
import witness
from cluster import APPLICATION, Cluster
from disks import loops_work
from guard import Guard
from load import Load
from nemesis import Nemesis, schedule
from pressure import Pressure
from report import Struck
from spaces import missing
from watch import Watch, all_back

# Seconds within which all nodes have to be back after a fault; a loaded machine needs more than an idle one.
BACK_SECONDS = 90


class Run:
    """One run, from founding to verdict."""

    def __init__(self, options):
        self.options = options
        self.struck = []
        self.problems = []
        self.operations = []
        self.verdict = witness.Verdict()

    def say(self, text):
        print(f"{time.monotonic() - self.begun:7.1f}  {text}", flush=True)

    def go(self):
        options = self.options
        self.begun = time.monotonic()
        self.folder = pathlib.Path(options.folder or tempfile.mkdtemp(prefix="chaos-"))
        guard = Guard()
        loops = not options.no_loops and loops_work(self.folder)
        # The ledger grows by about 16 MiB a minute under this load.
        mebibytes = 4000 if options.pressure else 160 + int(options.minutes * 20)
        try:
            self.cluster = Cluster(
                self.folder, options.binary, options.nodes, guard, loops, options.seed, mebibytes=mebibytes
            )
        except (OSError, subprocess.CalledProcessError) as error:
            # A machine may allow namespaces and yet not the wires and disks that are made in them.
            guard.close()
            print(f"skipped: this machine can't make the network: {error}")
            return 77
        try:
            self.cluster.start()
            disks = "ext4 on loop devices" if loops else "tmpfs (no root: only full disks)"
            self.say(f"{options.nodes} nodes run, seed {options.seed}, disks are {disks}, files in {self.folder}")
            if options.pressure:
                Pressure(self.cluster, self.say, self.problems).run(options.pressure.split(","))
            else:
                self.chaos()
        finally:
            late = self.cluster.stop()
            self.problems += [f"{name} does not stop within 60 s of SIGTERM" for name in late]
            self.verify()
            self.cluster.close()
            guard.close()
        if not options.pressure:
            self.tell()
        return self.conclude()

    def chaos(self):
        load = Load(self.cluster, self.options.seed, self.options.clients, self.options.threads, self.options.pause)
        load.deploy()
        self.watch = Watch(self.cluster, self.folder / "samples.jsonl")
        self.watch.start()
        load.start()
        try:
            self.faults()
        finally:
            self.operations, failed = load.stop()
            self.problems += failed
        self.watch.stop()
        self.judge(load.contract)

    def faults(self):
        nemesis = Nemesis(self.cluster, self.say)
        kinds = self.options.faults.split(",") if self.options.faults else nemesis.possible()
        deadline = time.monotonic() + self.options.minutes * 60
        time.sleep(2)
        for fault in schedule(self.options.seed, kinds, shorter=self.options.shorter):
            if time.monotonic() > deadline:
                break
            one = Struck(f"{fault.kind} {fault.target}", time.monotonic())
            undos = []
            try:
                for each in (fault, fault.together):
                    if each:
                        nodes, undo = nemesis.strike(each)
                        undos.append(undo)
                        one.who += " ".join(node.name for node in nodes) + " "
                self.say(f"{fault}: {one.who.strip()}")
                time.sleep(fault.seconds)
            finally:
                for undo in reversed(undos):
                    undo()
            one.ended = time.monotonic()
            self.struck.append(one)
            seconds, states = all_back(self.cluster, BACK_SECONDS)
            if seconds is None:
                one.until = time.monotonic()
                self.problems.append(f"after {fault} ({one.who}) not all nodes are back in {BACK_SECONDS} s: {states}")
                break
            one.back = time.monotonic()
            self.problems += nemesis.problems
            nemesis.problems = []
            time.sleep(fault.pause)
            one.until = time.monotonic()

    def judge(self, contract):
        """Heals, waits, reads all ledgers, runs both checkers."""
        try:
            self.say(f"settled in {self.cluster.settle(BACK_SECONDS):.1f} s")
        except TimeoutError as error:
            self.problems.append(str(error))
        found = {}
        for node in self.cluster.nodes:
            try:
                found[node.name] = ledgers.ledger(node.door(APPLICATION), contract)
            except Exception as error:
                self.problems.append(f"the ledger of {node.name} can't be read: {type(error).__name__}: {error}")
        if not found:
            return
        self.problems += witness.agree(found)
        name, (_, entries) = max(found.items(), key=lambda item: len(item[1][1]))
        with open(self.folder / "ledger.jsonl", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(vars(entry)) + "\n" for entry in entries)
        self.verdict = witness.check(self.operations, entries)
        self.problems += self.verdict.problems
        if not self.verdict.acknowledged:
            self.problems.append("nothing was acknowledged in the whole run")
        self.say(f"the ledger of {name} was the witness: {len(entries)} calls")
        try:
            wrong = linearizability.check(self.operations)
            self.problems += [f"register {key} is not linearizable: {reason}" for key, reason in wrong.items()]
        except linearizability.TooHard as error:
            self.problems.append(f"the linearizability of the history can't be decided: {error}")
        self.problems += [f"operation {o.number}: {o.why}" for o in self.operations if o.why.startswith("WRONG")]

    def verify(self):
        """`entente ledger verify` of each node's files."""
        for node in self.cluster.nodes:
            out = subprocess.run(
                [self.options.binary, "ledger", "verify", node.disk.path / "data", "--network-certificate",
                 self.cluster.service], capture_output=True, text=True, timeout=300,
            )
            if out.returncode != 0:
                self.problems.append(f"the ledger files of {node.name} don't verify: {out.stdout}{out.stderr}")
            for chunk in (node.disk.path / "data" / "ledger").glob("*.committed"):
                # st_blocks counts 512 bytes; a closed chunk keeps no space that was reserved for its growth.
                spare = chunk.stat().st_blocks * 512 - chunk.stat().st_size
                if spare > 1 << 20:
                    self.problems.append(f"{node.name} keeps {spare} bytes of disk space for the closed {chunk.name}")
                    break

    def tell(self):
        verdict = self.verdict
        print()
        print("\n".join(report.table(self.struck, self.operations, verdict)))
        print(
            f"\nacknowledged {verdict.acknowledged}, lost {verdict.lost}, duplicates {verdict.duplicates}, "
            f"unknown {verdict.unknown} (of which {verdict.unknown_found} happened), invalid {verdict.invalid}, "
            f"reads of committed state {verdict.peeks}"
        )
        largest = ", ".join(f"{role} {size} MiB" for role, size in sorted(self.watch.largest.items()))
        print(f"largest resident sizes: {largest}")
        for node in self.cluster.nodes:
            codes = collections.Counter(code for _, code in node.ends)
            ends = ", ".join(f"{count} times {code}" for code, count in sorted(codes.items()))
            print(f"{node.name}: launcher ended {ends or 'never'} (signals are negative)")

    def conclude(self):
        for problem in self.problems:
            print(f"PROBLEM: {problem}")
        if self.problems or self.options.keep:
            print(f"seed {self.options.seed}; histories, logs and genesis are in {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
        print("FAILED" if self.problems else "passed", flush=True)
        return 1 if self.problems else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default=os.environ.get("ENTENTE_BIN", ".build-release/release/entente"))
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000)
    parser.add_argument("--nodes", type=int, default=3, choices=range(1, 10))
    parser.add_argument("--faults", default="", help="kinds with commas between; all that can be done here if not given")
    parser.add_argument("--shorter", type=float, default=1.0, help="factor for the length of faults and pauses")
    parser.add_argument("--clients", type=int, default=3, help="client processes; the first goes by the gateway")
    parser.add_argument("--threads", type=int, default=4, help="clients of each process")
    parser.add_argument("--pause", type=float, default=0.1, help="seconds between operations of a client at most")
    parser.add_argument("--pressure", default="", help="instead of faults: slow-follower, connections, with commas between")
    parser.add_argument("--folder", help="where the files go; a temporary folder, removed after a good run, if not given")
    parser.add_argument("--keep", action="store_true", help="keep the files of a good run too")
    parser.add_argument("--no-loops", action="store_true", help="use tmpfs even where loop devices can be mounted")
    options = parser.parse_args()
    options.binary = os.path.abspath(options.binary)
    reason = missing()
    if reason:
        print(f"skipped: no network namespaces with TUN devices here: {reason}")
        sys.exit(77)
    sys.exit(Run(options).go())


if __name__ == "__main__":
    main()
