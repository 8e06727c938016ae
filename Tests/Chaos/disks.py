"""Disks of nodes that can be filled, slowed, stalled, and that can lose power.

With root each is an ext4 image on a loop device. Without, it is a tmpfs, which can only be filled.
"""

import fcntl
import os
import pathlib
import shutil
import struct
import subprocess
import threading
import time

from waiting import looks

FIFREEZE, FITHAW = 0xC0045877, 0xC0045878
# EXT4_IOC_SHUTDOWN with NOLOGFLUSH: from now on every operation fails with EIO, and what no fsync wrote is lost.
SHUTDOWN, NOLOGFLUSH = 0x8004587D, 2


class MemoryDisk:
    """A tmpfs of a fixed size."""

    faults = {"full"}

    def __init__(self, folder, mebibytes):
        self.path, self.mebibytes = pathlib.Path(folder), mebibytes
        self.path.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "chaos", self.path], check=True)

    def used(self):
        """Bytes in use."""
        usage = shutil.disk_usage(self.path)
        return usage.total - usage.free

    def fill(self):
        """Takes all space that is left."""
        with open(self.path / "filler", "ab") as file:
            step = 1 << 20
            while step >= 4096:
                try:
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), step)
                except OSError:
                    step //= 2

    def empty(self):
        """Gives it back."""
        (self.path / "filler").unlink(missing_ok=True)

    def close(self):
        subprocess.run(["umount", "--lazy", self.path], check=False)


class LoopDisk(MemoryDisk):
    """ext4 on a loop device. `guard` is told of what must be undone when this process dies (see guard.py)."""

    faults = {"full", "slow", "stalled", "power", "error"}

    def __init__(self, folder, mebibytes, image, guard):
        self.path, self.mebibytes, self.guard = pathlib.Path(folder), mebibytes, guard
        self.image = image
        self._slowing = None
        self.path.mkdir(parents=True)
        with open(self.image, "wb") as file:
            file.truncate(mebibytes << 20)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", "-J", "size=4", self.image], check=True)
        self.mount()

    def mount(self):
        subprocess.run(["mount", "-o", "loop", self.image, self.path], check=True)

    def _control(self, request, argument=0):
        folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(folder, request, argument)
        finally:
            os.close(folder)

    def stall(self):
        """Every write and fsync waits until `resume`."""
        self.guard.tell(f"freeze {self.path}")
        self._control(FIFREEZE)

    def resume(self):
        self._control(FITHAW)
        self.guard.tell(f"thaw {self.path}")

    def slow(self, stalled=0.15, free=0.003):
        """Stalls most of the time, so that an fsync takes some `stalled` seconds, until `quicken`."""
        stop = threading.Event()

        def body():
            while not stop.is_set():
                self.stall()
                time.sleep(stalled)
                self.resume()
                time.sleep(free)

        self._slowing = stop, threading.Thread(target=body, daemon=True)
        self._slowing[1].start()

    def quicken(self):
        stop, thread = self._slowing
        stop.set()
        thread.join()
        self._slowing = None

    def lose_power(self):
        """What was not synced is gone; every operation fails. Nothing may be using the disk.

        An fdatasync that is under way at this instant may report success for data that are lost (Linux 6.18 passes over
        the failed conversion of unwritten extents), so whoever could still acknowledge something must be dead.
        """
        self._control(SHUTDOWN, struct.pack("I", NOLOGFLUSH))

    def fail(self):
        """From now on every operation fails. What came before is on the disk, so no sync has lied."""
        self.stall()
        self.lose_power()
        self.resume()

    def remount(self, seconds=30):
        """Brings the disk back as after a loss of power. Nothing may have files open on it for long."""
        command = ["umount", self.path]
        if not any(subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0 for _ in looks(seconds)):
            raise TimeoutError(f"{self.path} stays busy")
        self.mount()

    def close(self):
        if self._slowing:
            self.quicken()
        super().close()


def loops_work(folder):
    """Whether ext4 on loop devices can be mounted and frozen here."""

    class NoGuard:
        def tell(self, _):
            pass

    try:
        disk = LoopDisk(folder / "probe", 32, folder / "probe.image", NoGuard())
        disk.stall()
        disk.resume()
        disk.close()
        (folder / "probe.image").unlink()
        return True
    except (OSError, subprocess.CalledProcessError):
        return False
