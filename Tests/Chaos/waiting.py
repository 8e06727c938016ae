"""Waiting with a bound that a machine which stands still, or does something else for a while, does not use up."""

import time


def looks(seconds, pause=0.1):
    """Yields again and again with pauses between, until `seconds` have passed, of which one round counts 1 at most."""
    spent, last = 0.0, time.monotonic()
    while True:
        yield
        time.sleep(pause)
        now = time.monotonic()
        spent += min(now - last, 1.0)
        last = now
        if spent >= seconds:
            yield
            return
