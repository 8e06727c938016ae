"""What the wire knows of IPv4 and TCP: enough to tell links apart and to reset a connection (RFC 791, RFC 9293)."""

import struct

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
TCP = 6


def checksum(data):
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def hosts(packet):
    """The last bytes of source and destination of an IPv4 packet; None for anything else."""
    if len(packet) < 20 or packet[0] >> 4 != 4:
        return None
    return packet[15], packet[19]


def segment(source, destination, ports, sequence, acknowledgement, flags):
    """A TCP segment without options and data, in an IPv4 packet."""
    tcp = struct.pack("!HHIIBBHHH", *ports, sequence, acknowledgement, 5 << 4, flags, 0, 0, 0)
    pseudo = source + destination + struct.pack("!BBH", 0, TCP, len(tcp))
    tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, TCP, 0, source, destination)
    return ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + tcp


def resets(packet):
    """The two segments that end the connection of a TCP packet: for its receiver and for its sender.

    None if the packet is not TCP or itself a reset. Both take their numbers from the packet, so that the ends accept
    them (RFC 9293 section 3.10.7.4: exactly the next expected number).
    """
    header = (packet[0] & 15) * 4
    if packet[9] != TCP or len(packet) < header + 20:
        return None
    source, destination = packet[12:16], packet[16:20]
    sport, dport, sequence, acknowledgement, offset, flags = struct.unpack_from("!HHIIBB", packet, header)
    if flags & RST or not flags & ACK:
        return None
    length = len(packet) - header - (offset >> 4) * 4 + bool(flags & SYN) + bool(flags & FIN)
    following = (sequence + length) & 0xFFFFFFFF
    return (
        segment(source, destination, (sport, dport), sequence, acknowledgement, RST | ACK),
        segment(destination, source, (dport, sport), acknowledgement, following, RST | ACK),
    )
