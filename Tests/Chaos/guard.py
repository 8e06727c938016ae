"""Undoes what would outlive a run that was killed: thaws frozen disks, ends processes.

It lives in a session of its own and reads lines until its standard input closes, which it does when the run ends in
whatever way: `freeze PATH`, `thaw PATH`, `start PID`, `ended PID`.
"""

import fcntl
import os
import signal
import subprocess
import sys


class Guard:
    """The guard's process, seen from the run."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, text=True, start_new_session=True
        )

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)


def main():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    frozen, started = set(), set()
    for line in sys.stdin:
        verb, _, what = line.strip().partition(" ")
        {"freeze": frozen.add, "thaw": frozen.discard, "start": started.add, "ended": started.discard}[verb](what)
    for path in frozen:
        try:
            folder = os.open(path, os.O_RDONLY)
            fcntl.ioctl(folder, 0xC0045878, 0)
        except OSError:
            pass
    for pid in started:
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            pass


if __name__ == "__main__":
    main()
