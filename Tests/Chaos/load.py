"""The contract, the gateway, and the client processes of a run."""

import json
import pathlib
import signal
import subprocess
import sys
import time

import vyper
from eth_account import Account
from eth_utils import to_checksum_address

from client import CHAIN, Settings
from cluster import APPLICATION
from doors import Door, MaybeDone, NotSent
from history import load
from waiting import looks

HERE = pathlib.Path(__file__).parent
GATEWAY = 8545
MILLION = 1_000_000


class Load:
    """Clients that work on a cluster until they are told to stop."""

    def __init__(self, cluster, seed, processes=3, threads=4, pause=0.1, keys=5, key_seconds=12.0):
        self.cluster, self.seed = cluster, seed
        self.processes, self.threads, self.pause = processes, threads, pause
        self.keys, self.key_seconds = keys, key_seconds
        self.running = []
        self.gateway = None

    def deploy(self):
        """Puts the contract into the chain."""
        out = vyper.compile_code(
            (HERE / "registers.vy").read_text(), output_formats=["bytecode", "method_identifiers"]
        )
        self.selectors = {name.split("(")[0]: each for name, each in out["method_identifiers"].items()}
        account = Account.create()
        signed = account.sign_transaction(
            {"chainId": CHAIN, "nonce": 0, "data": out["bytecode"], "value": 0, "gas": 2_000_000, "gasPrice": 0}
        )
        door = self.cluster.nodes[0].door(APPLICATION)
        _, _, answer = door.rpc("eth_sendRawTransaction", "0x" + signed.raw_transaction.hex().removeprefix("0x"))
        _, _, receipt = door.rpc("eth_getTransactionReceipt", answer["result"])
        assert receipt["result"]["status"] == "0x1", receipt
        self.contract = to_checksum_address(receipt["result"]["contractAddress"])

    def start(self):
        """Starts the gateway, which uses one actor's key, and the clients: the first process goes by the gateway."""
        folder, actors = self.cluster.folder, self.cluster.folder / "actors"
        addresses = [(node.space.address, APPLICATION) for node in self.cluster.nodes]
        arguments = [self.cluster.binary, "gateway", "--listen", f"127.0.0.1:{GATEWAY}"]
        arguments += ["--certificate", actors / "actor2.pem", "--key", actors / "actor2.key"]
        arguments += ["--network-certificate", self.cluster.service]
        for host, port in addresses:
            arguments += ["--node", f"{host}:{port}"]
        with open(folder / "gateway.log", "ab") as log:
            self.gateway = self.cluster.clients.spawn(arguments, stdout=log, stderr=log)
        self.cluster.guard.tell(f"start {self.gateway.pid}")
        self._await_gateway()
        begun = time.monotonic()
        for index in range(self.processes):
            actor = f"actor{index % len(self.cluster.nodes) + 1}"
            settings = Settings(
                name=f"client{index}",
                first=(index + 1) * MILLION,
                output=str(folder / f"history{index}.jsonl"),
                seed=self.seed,
                threads=self.threads,
                pause=self.pause,
                contract=self.contract,
                selectors=self.selectors,
                start=begun,
                keys=self.keys,
                key_seconds=self.key_seconds,
                gateway=GATEWAY if index == 0 else 0,
                nodes=addresses,
                service=str(self.cluster.service),
                certificate=str(actors / f"{actor}.pem"),
                certificate_key=str(actors / f"{actor}.key"),
            )
            command = [sys.executable, HERE / "client.py", json.dumps(vars(settings))]
            process = self.cluster.clients.spawn(command)
            self.cluster.guard.tell(f"start {process.pid}")
            self.running.append(process)
        # No fault before all of them are at work: a loaded machine needs long to start them.
        outputs = [folder / f"history{index}.jsonl" for index in range(self.processes)]
        if not any(all(each.exists() and each.stat().st_size for each in outputs) for _ in looks(180)):
            raise TimeoutError("the clients don't start")

    def _await_gateway(self):
        def asked():
            try:
                Door("127.0.0.1", GATEWAY).rpc("eth_chainId", timeout=2)
                return True
            except (NotSent, MaybeDone):
                return False

        if not any(self.cluster.clients.run(asked) for _ in looks(60)):
            raise TimeoutError("the gateway does not start")

    def stop(self, seconds=120):
        """Lets the clients finish what they do; gives all operations and sentences about clients that failed."""
        problems = []
        for process in self.running:
            process.send_signal(signal.SIGTERM)
        for process in self.running:
            try:
                if process.wait(seconds) != 0:
                    problems.append(f"a client process ended with {process.returncode}; see above")
            except subprocess.TimeoutExpired:
                process.kill()
                problems.append("a client process does not stop")
        if self.gateway is not None:
            if self.gateway.poll() is not None:
                problems.append(f"the gateway ended with {self.gateway.returncode}")
            self.gateway.terminate()
            try:
                self.gateway.wait(20)
            except subprocess.TimeoutExpired:
                self.gateway.kill()
                problems.append("the gateway does not stop")
            self.gateway = None
        self.running = []
        return load(sorted(self.cluster.folder.glob("history*.jsonl"))), problems
