#!/usr/bin/env python3
"""Recomputes what Entente's threshold cryptography put out, with code that shares nothing with it.

    threshold_check.py IN OUT

IN is JSON: hexadecimal `keys`, `dealings` (deal messages of the dealers that stand), `ciphertext`, `shares` (decryption
shares of enough actors) and `message`, and what to encrypt in the other direction: `encrypt` with `label`, `message`, `r`,
`s`. OUT gets JSON with the ciphertext made here, or `error`; the exit code is 1 if anything differs.

ristretto255 is written from RFC 9496 with Python's integers, hashing from RFC 9380, the equality proof from RFC 9497, CBOR
from RFC 8949. Nothing but the standard library is used.
"""

import hashlib
import json
import sys

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def is_negative(value):
    return value % P & 1


def absolute(value):
    return -value % P if is_negative(value) else value % P


def sqrt_ratio(u, v):
    """RFC 9496, 4.2: whether u/v is a square, and the root."""
    root = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    check = v * root * root % P
    correct = check == u % P
    flipped = check == -u % P
    flipped_i = check == -u * SQRT_M1 % P
    if flipped or flipped_i:
        root = root * SQRT_M1 % P
    return correct or flipped, absolute(root)


INVSQRT_A_MINUS_D = sqrt_ratio(1, (-1 - D) % P)[1]
ONE_MINUS_D_SQ = (1 - D * D) % P
D_MINUS_ONE_SQ = (D - 1) * (D - 1) % P


class Element:
    """A group element, as extended coordinates of one of the Edwards points that stand for it."""

    def __init__(self, x, y, z, t):
        self.x, self.y, self.z, self.t = x, y, z, t

    @staticmethod
    def decode(data):
        """RFC 9496, 4.3.1; the identity is refused too."""
        s = int.from_bytes(data, "little")
        if len(data) != 32 or s >= P or is_negative(s):
            raise ValueError("no canonical field element")
        ss = s * s % P
        u1, u2 = (1 - ss) % P, (1 + ss) % P
        v = (-(D * u1 * u1) - u2 * u2) % P
        square, inverse = sqrt_ratio(1, v * u2 * u2 % P)
        den_x = inverse * u2 % P
        den_y = inverse * den_x * v % P
        x = absolute(2 * s * den_x)
        y = u1 * den_y % P
        t = x * y % P
        if not square or is_negative(t) or y == 0 or s == 0:
            raise ValueError("no element, or the identity")
        return Element(x, y, 1, t)

    def encode(self):
        """RFC 9496, 4.3.2."""
        u1 = (self.z + self.y) * (self.z - self.y) % P
        u2 = self.x * self.y % P
        inverse = sqrt_ratio(1, u1 * u2 * u2 % P)[1]
        den1, den2 = inverse * u1 % P, inverse * u2 % P
        z_inverse = den1 * den2 * self.t % P
        x, y, den = self.x, self.y, den2
        if is_negative(self.t * z_inverse):
            x, y = self.y * SQRT_M1 % P, self.x * SQRT_M1 % P
            den = den1 * INVSQRT_A_MINUS_D % P
        if is_negative(x * z_inverse):
            y = -y % P
        return absolute(den * (self.z - y)).to_bytes(32, "little")

    def __add__(self, other):
        a = (self.y - self.x) * (other.y - other.x) % P
        b = (self.y + self.x) * (other.y + other.x) % P
        c = self.t * 2 * D * other.t % P
        d = self.z * 2 * other.z % P
        e, f, g, h = b - a, d - c, d + c, b + a
        return Element(e * f % P, g * h % P, f * g % P, e * h % P)

    def __rmul__(self, scalar):
        result, power, scalar = IDENTITY, self, scalar % L
        while scalar:
            if scalar & 1:
                result = result + power
            power = power + power
            scalar >>= 1
        return result

    def __neg__(self):
        return Element(-self.x % P, self.y, self.z, -self.t % P)

    def __eq__(self, other):
        return (self.x * other.y - self.y * other.x) % P == 0 or (self.y * other.y - self.x * other.x) % P == 0


IDENTITY = Element(0, 1, 1, 0)
GENERATOR = Element.decode(bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"))


def one_way_map(data):
    """RFC 9496, 4.3.4."""

    def half(part):
        t = (int.from_bytes(part, "little") & (2**255 - 1)) % P
        r = SQRT_M1 * t * t % P
        u = (r + 1) * ONE_MINUS_D_SQ % P
        v = (-1 - r * D) * (r + D) % P
        square, s = sqrt_ratio(u, v)
        s_prime = -absolute(s * t) % P
        s, c = (s, -1) if square else (s_prime, r)
        n = (c * (r - 1) * D_MINUS_ONE_SQ - v) % P
        w0, w1 = 2 * s * v % P, n * ROOT % P
        w2, w3 = (1 - s * s) % P, (1 + s * s) % P
        return Element(w0 * w3 % P, w2 * w1 % P, w1 * w3 % P, w0 * w2 % P)

    return half(data[:32]) + half(data[32:])


# The constant of the RFC: its choice of the root of a·d - 1.
ROOT = 25063068953384623474111414158702152701244531502492656460079210482610430750235


def expand(message, domain, count):
    """expand_message_xmd of RFC 9380, 5.3.1, with SHA-512."""
    suffix = domain + bytes([len(domain)])
    first = hashlib.sha512(bytes(128) + message + count.to_bytes(2, "big") + b"\0" + suffix).digest()
    block, output, number = bytes(64), b"", 0
    while len(output) < count:
        number += 1
        mixed = bytes(a ^ b for a, b in zip(first, block))
        block = hashlib.sha512(mixed + bytes([number]) + suffix).digest()
        output += block
    return output[:count]


def hashed(purpose, fields, count=64):
    """A transcript: fields behind their lengths."""
    message = b""
    for field in fields:
        if isinstance(field, int):
            field = field.to_bytes(8, "little")
        elif isinstance(field, str):
            field = field.encode()
        elif isinstance(field, Element):
            field = field.encode()
        message += len(field).to_bytes(4, "little") + field
    return expand(message, b"entente/v1/threshold/" + purpose.encode(), count)


def scalar(data):
    return int.from_bytes(data, "little") % L


def canonical(data):
    value = int.from_bytes(data, "little")
    if len(data) != 32 or value >= L:
        raise ValueError("no canonical scalar")
    return value


def cbor(data):
    """RFC 8949: the items that the messages use."""

    def item(at):
        major, short = data[at] >> 5, data[at] & 31
        at += 1
        if major == 7:
            return {20: False, 21: True, 22: None}[short], at
        if short >= 24:
            width = 1 << (short - 24)
            short, at = int.from_bytes(data[at:at + width], "big"), at + width
        if major == 0:
            return short, at
        if major in (2, 3):
            part = data[at:at + short]
            return (part if major == 2 else part.decode()), at + short
        if major == 4:
            values = []
            for _ in range(short):
                value, at = item(at)
                values.append(value)
            return values, at
        raise ValueError(f"major type {major}")

    value, end = item(0)
    if end != len(data):
        raise ValueError("bytes after the item")
    return value


def cbor_encode(value):
    def head(major, number):
        if number < 24:
            return bytes([major << 5 | number])
        for short, width in ((24, 1), (25, 2), (26, 4), (27, 8)):
            if number < 1 << 8 * width:
                return bytes([major << 5 | short]) + number.to_bytes(width, "big")
        raise ValueError("too large")

    if value is None:
        return b"\xf6"
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    return head(4, len(value)) + b"".join(map(cbor_encode, value))


def lagrange(indexes):
    """λ_i at 0."""
    result = []
    for own in indexes:
        numerator = denominator = 1
        for other in indexes:
            if other != own:
                numerator = numerator * other % L
                denominator = denominator * (other - own) % L
        result.append(numerator * pow(denominator, -1, L) % L)
    return result


def known(purpose, context, element, proof):
    """Schnorr's proof of knowledge."""
    challenge, response = canonical(proof[:32]), canonical(proof[32:])
    commitment = response * GENERATOR + challenge * element
    return scalar(hashed("knowledge", [purpose, context, element, commitment])) == challenge


def equal(purpose, context, key, point, product, proof):
    """RFC 9497, 2.2.2, for one pair and the group's generator."""
    context = b"EntenteV1-" + hashed("equality", [purpose, context, GENERATOR])

    def framed(data):
        return len(data).to_bytes(2, "big") + data

    def to_scalar(message):
        return scalar(expand(message, b"HashToScalar-" + context, 64))

    challenge, response = canonical(proof[:32]), canonical(proof[32:])
    seed = hashlib.sha512(framed(key.encode()) + framed(b"Seed-" + context)).digest()
    weight = to_scalar(
        framed(seed) + (0).to_bytes(2, "big") + framed(point.encode()) + framed(product.encode()) + b"Composite")
    m, z = weight * point, weight * product
    t2 = response * GENERATOR + challenge * key
    t3 = response * m + challenge * z
    message = b"".join(framed(each.encode()) for each in (key, m, z, t2, t3)) + b"Challenge"
    return to_scalar(message) == challenge


def demand(condition, what):
    if not condition:
        raise ValueError(what)


class Keys:
    def __init__(self, data):
        fields = cbor(data)
        demand(fields[:2] == [1, "threshold.keys"], "keys: version and kind")
        self.network, self.key_id, self.generation, self.context = fields[2:6]
        self.threshold, members = fields[6]
        self.indexes = [member[0] for member in members]
        self.key = Element.decode(fields[7])
        self.share_keys = dict(zip(self.indexes, map(Element.decode, fields[8])))
        self.digest = hashed("key set", [data], 32)


def second_generator(network):
    return one_way_map(hashed("tdh2 gbar", [network]))


def challenge(masked, label, key, u, w, u_bar, w_bar):
    return scalar(hashed("tdh2 challenge", [masked, label, key, u, w, u_bar, w_bar]))


def mask(shared):
    return hashed("tdh2 mask", [shared], 32)


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def check_dealings(keys, messages):
    """The sum of what was dealt is the key, and each dealer knew its constant."""
    total = [IDENTITY] * keys.threshold
    for data in messages:
        fields = cbor(data)
        demand(fields[:2] == [1, "dkg.deal"] and fields[2] == keys.context, "a dealing of something else")
        dealer, commitments, constant_proof, ephemeral, ephemeral_proof, _ = fields[4]
        demand(len(commitments) == keys.threshold, "degree")
        elements = list(map(Element.decode, commitments))
        context = hashed("constant", [keys.context, dealer, *commitments], 32)
        demand(known("constant", context, elements[0], constant_proof), "proof of the constant")
        context = hashed("ephemeral", [keys.context, dealer], 32)
        demand(known("ephemeral", context, Element.decode(ephemeral), ephemeral_proof), "proof of the ephemeral key")
        total = [a + b for a, b in zip(total, elements)]
    demand(total[0] == keys.key, "Y is not the sum of the constants")
    for index, share_key in keys.share_keys.items():
        value = IDENTITY
        for element in reversed(total):
            value = index * value + element
        demand(value == share_key, f"the share key of {index}")


def check_ciphertext(keys, data):
    fields = cbor(data)
    demand(fields[:2] == [1, "threshold.tdh2"], "ciphertext: version and kind")
    label, masked = fields[2:4]
    u, u_bar = map(Element.decode, fields[4:6])
    e, f = map(canonical, fields[6:8])
    demand(cbor(label)[2] == keys.network and cbor(label)[5] == keys.key_id, "label")
    w = f * GENERATOR + -(e * u)
    w_bar = f * second_generator(keys.network) + -(e * u_bar)
    demand(challenge(masked, label, keys.key, u, w, u_bar, w_bar) == e, "the ciphertext's check")
    return masked, u, hashed("ciphertext", [data], 32)


def check_shares(keys, ciphertext, messages, expected):
    masked, u, digest = ciphertext
    parts = {}
    for data in messages:
        fields = cbor(data)
        demand(fields[:2] == [1, "threshold.share"] and fields[3:5] == [keys.digest, digest], "share: of something else")
        index, part = fields[2], Element.decode(fields[5])
        context = hashed("decryption share", [keys.digest, digest, index], 32)
        demand(equal("decryption share", context, keys.share_keys[index], u, part, fields[6]), f"share of {index}")
        parts[index] = part
    indexes = sorted(parts)[:keys.threshold]
    demand(len(indexes) == keys.threshold, "too few shares")
    shared = IDENTITY
    for index, weight in zip(indexes, lagrange(indexes)):
        shared = shared + weight * parts[index]
    demand(xor(masked, mask(shared)) == expected, "the message")


def encrypt(keys, label, message, r, s):
    g_bar = second_generator(keys.network)
    masked = xor(message, mask(r * keys.key))
    u, u_bar = r * GENERATOR, r * g_bar
    e = challenge(masked, label, keys.key, u, s * GENERATOR, u_bar, s * g_bar)
    f = (s + r * e) % L
    return cbor_encode(
        [1, "threshold.tdh2", label, masked, u.encode(), u_bar.encode(), e.to_bytes(32, "little"), f.to_bytes(32, "little")])


def main():
    data = json.load(open(sys.argv[1]))
    out = {}
    try:
        keys = Keys(bytes.fromhex(data["keys"]))
        check_dealings(keys, list(map(bytes.fromhex, data["dealings"])))
        ciphertext = check_ciphertext(keys, bytes.fromhex(data["ciphertext"]))
        check_shares(keys, ciphertext, list(map(bytes.fromhex, data["shares"])), bytes.fromhex(data["message"]))
        order = data["encrypt"]
        out["ciphertext"] = encrypt(
            keys, bytes.fromhex(order["label"]), bytes.fromhex(order["message"]), scalar(bytes.fromhex(order["r"])),
            scalar(bytes.fromhex(order["s"]))).hex()
    except (ValueError, KeyError, IndexError, TypeError) as error:
        out["error"] = f"{type(error).__name__}: {error}"
    with open(sys.argv[2], "w") as file:
        json.dump(out, file)
    return 1 if "error" in out else 0


if __name__ == "__main__":
    sys.exit(main())
