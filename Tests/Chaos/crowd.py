"""Many connections to one node: idle ones that only stay, busy ones that ask all the time. Prints JSON at its end."""

import json
import resource
import sys
import threading
import time

from doors import Door, MaybeDone, NotSent, trust


def main():
    settings = json.loads(sys.argv[1])
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192) if most > 0 else 8192, most))
    context = trust(settings["service"], settings["certificate"], settings["key"])
    errors, times = [], []

    def ask(door, timeout=30):
        begun = time.monotonic()
        try:
            status, _, answer = door.rpc("eth_blockNumber", timeout=timeout)
        except (NotSent, MaybeDone) as error:
            errors.append(f"{type(error).__name__}: {error}")
            return None
        if status != 200 or "result" not in answer:
            errors.append(f"status {status}: {answer}")
        return time.monotonic() - begun

    begun = time.monotonic()
    idle = [Door(settings["host"], settings["port"], context) for _ in range(settings["idle"])]
    for door in idle:
        ask(door)
    opened = time.monotonic() - begun
    kept = [door._open for door in idle]
    stopping = threading.Event()

    def busy():
        door = Door(settings["host"], settings["port"], context)
        while not stopping.is_set():
            taken = ask(door)
            if taken is not None:
                times.append(taken)
            stopping.wait(settings["pause"])

    threads = [threading.Thread(target=busy) for _ in range(settings["busy"])]
    for thread in threads:
        thread.start()
    print("crowded", flush=True)
    time.sleep(settings["seconds"])
    stopping.set()
    for thread in threads:
        thread.join()
    # Each idle connection must still be the one that was opened, and answer.
    for door in idle:
        door._used = time.monotonic()
        ask(door)
    times.sort()
    print(
        json.dumps(
            {
                "opened_seconds": opened,
                "idle_kept": sum(door._open is first for door, first in zip(idle, kept)),
                "answers": len(times),
                "median_ms": times[len(times) // 2] * 1000 if times else None,
                "p99_ms": times[len(times) * 99 // 100] * 1000 if times else None,
                "errors": len(errors),
                "first_errors": errors[:3],
            }
        ),
        flush=True,
    )


if __name__ == "__main__":
    main()
