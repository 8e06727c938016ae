"""The parts of a chaos run that are pure: the wire's decisions, forged resets, schedules, gaps."""

import itertools
import socket
import struct
import types

import pytest

import nemesis
import report
import waiting
from packets import ACK, RST, SYN, checksum, hosts, resets, segment
from wire import Carrier

ONE, TWO = socket.inet_aton("10.77.0.1"), socket.inet_aton("10.77.0.2")


def packet(flags=ACK, sequence=1000, acknowledgement=2000, data=b""):
    plain = segment(ONE, TWO, (4000, 8547), sequence, acknowledgement, flags)
    return plain[:2] + struct.pack("!H", len(plain) + len(data)) + plain[4:] + data


def test_checksums_are_right():
    # The example of RFC 1071 section 3.
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF ^ 0xDDF2
    made = segment(ONE, TWO, (1, 2), 3, 4, SYN)
    assert checksum(made[:20]) == 0
    assert checksum(ONE + TWO + struct.pack("!BBH", 0, 6, 20) + made[20:]) == 0


def test_hosts_are_read_from_ipv4_only():
    assert hosts(packet()) == (1, 2)
    assert hosts(b"\x60" + bytes(39)) is None
    assert hosts(b"") is None


def test_a_reset_has_the_numbers_that_both_ends_expect():
    to_receiver, to_sender = resets(packet(sequence=0xFFFFFFFE, acknowledgement=77, data=b"abcd"))
    assert struct.unpack_from("!HHIIBB", to_receiver, 20) == (4000, 8547, 0xFFFFFFFE, 77, 0x50, RST | ACK)
    assert struct.unpack_from("!HHIIBB", to_sender, 20) == (8547, 4000, 77, 2, 0x50, RST | ACK)
    assert hosts(to_receiver) == (1, 2) and hosts(to_sender) == (2, 1)
    assert resets(packet(flags=RST)) is None


def test_a_plain_wire_carries_at_once():
    assert Carrier().take(packet(), 0) == [(2, packet())]


def test_a_blocked_link_is_blocked_one_way():
    carrier = Carrier()
    carrier.rules([[1, 2, {"blocked": True}]])
    back = segment(TWO, ONE, (8547, 4000), 1, 1, ACK)
    assert carrier.take(packet(), 0) == []
    assert carrier.take(back, 0) == [(1, back)]


def test_delays_hold_packets_and_a_later_block_drops_them():
    carrier = Carrier()
    carrier.rules([[1, 2, {"delay": 0.5}]])
    assert carrier.take(packet(), 10) == []
    assert carrier.due(10.4) == []
    assert carrier.due(10.5) == [(2, packet())]
    carrier.take(packet(), 20)
    carrier.rules([[1, 2, {"blocked": True}]])
    assert carrier.due(30) == []


def test_loss_and_duplication_have_the_wanted_share():
    carrier = Carrier(1)
    carrier.rules([[1, 2, {"loss": 0.25, "duplicate": 0.5}]])
    counts = [len(carrier.take(packet(), 0)) for _ in range(4000)]
    assert 900 < counts.count(0) < 1100
    assert 1350 < counts.count(2) < 1650


def test_a_narrow_link_delays_and_drops_what_does_not_fit():
    carrier = Carrier()
    carrier.rules([[1, 2, {"rate": 1000}]])
    for _ in range(100):
        carrier.take(packet(data=bytes(60)), 0)
    delivered = len(carrier.due(10))
    assert 5 <= delivered <= 7
    assert carrier.counts["dropped"] == 100 - delivered


@pytest.mark.parametrize("seed", range(5))
def test_a_schedule_repeats_with_its_seed_and_leaves_out_no_kind(seed):
    kinds = sorted(nemesis.KINDS)
    first, again = (list(itertools.islice(nemesis.schedule(seed, kinds), len(kinds))) for _ in range(2))
    assert first == again
    assert sorted(fault.kind for fault in first) == kinds
    assert first != list(itertools.islice(nemesis.schedule(seed + 1, kinds), len(kinds)))
    for fault in first:
        assert fault.target in nemesis.KINDS[fault.kind].targets
        if fault.together:
            assert not (nemesis.KINDS[fault.kind].needs and nemesis.KINDS[fault.together.kind].needs)


def test_every_kind_of_fault_can_be_done():
    for name in nemesis.KINDS:
        assert callable(getattr(nemesis.Nemesis, name.replace("-", "_")))


def test_gaps_are_measured_within_their_span():
    times = [1, 2, 3, 7, 8, 9, 20]
    assert report.longest_gap(times, 2.5, 8) == 4
    assert report.longest_gap(times, 8, 9) == 1
    assert report.longest_gap(times, 9.5, 12) == 10.5
    assert report.longest_gap(times, 21, 25) == 4
    assert report.longest_gap([], 0, 5) == 5


def test_a_wait_counts_what_was_waited_and_not_what_was_lost(monkeypatch):
    now = [0.0]

    def sleep(seconds):
        # Once the machine stands still for ten minutes.
        now[0] += 600 if now[0] == 5 else seconds

    clock = types.SimpleNamespace(monotonic=lambda: now[0], sleep=sleep)
    monkeypatch.setattr(waiting, "time", clock)
    assert sum(1 for _ in waiting.looks(10, 1)) == 11
    assert now[0] > 600
    assert sum(1 for _ in waiting.looks(0, 0)) == 2
