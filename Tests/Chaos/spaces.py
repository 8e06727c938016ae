"""Network namespaces, each with one TUN device whose packets the wire carries (see wire.py)."""

import ctypes
import fcntl
import os
import struct
import subprocess
import threading

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
# Larger packets than Ethernet's: fewer of them pass through a wire written in Python.
MTU = 8000

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result, what):
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


class Space:
    """A network namespace with an address. What runs in it sees loopback and the wire, nothing else."""

    def __init__(self, name, address):
        self.name, self.address = name, address
        self._thread(self._make, enter=False)

    def _make(self):
        _check(_libc.unshare(CLONE_NEWNET), "a network namespace")
        self.namespace = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.ioctl(self.tun, TUNSETIFF, struct.pack("16sH22x", b"wire", IFF_TUN | IFF_NO_PI))
        for command in (
            "link set lo up",
            f"link set wire mtu {MTU} txqueuelen 2000",
            f"address add {self.address}/24 dev wire",
            "link set wire up",
        ):
            subprocess.run(["ip", *command.split()], check=True)

    def run(self, function):
        """Calls a function in a thread within the namespace. Sockets that it makes stay there."""
        return self._thread(function)

    def spawn(self, arguments, **options):
        """Starts a process within the namespace."""
        return self.run(lambda: subprocess.Popen(arguments, stdin=subprocess.DEVNULL, **options))

    def unplug(self, isUnplugged):
        """Takes the device down or up, as a pulled cable does."""
        state = "down" if isUnplugged else "up"
        self.run(lambda: subprocess.run(["ip", "link", "set", "wire", state], check=True))

    def close(self):
        os.close(self.tun)
        os.close(self.namespace)

    def _thread(self, function, enter=True):
        result = []

        def body():
            try:
                if enter:
                    _check(_libc.setns(self.namespace, CLONE_NEWNET), "entering a network namespace")
                result.append((function(), None))
            except BaseException as error:
                result.append((None, error))

        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        value, error = result[0]
        if error is not None:
            raise error
        return value


def missing():
    """Why namespaces can't be made here; None if they can."""
    try:
        Space("probe", "10.77.0.250").close()
    except (OSError, subprocess.CalledProcessError) as error:
        return f"{error} (root, or user namespaces and a /dev/net/tun that all may open, are needed)"
    return None
