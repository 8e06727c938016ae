import Primitives

/// Encodes the nodes of a secure trie (yellow paper, appendix D) and makes references to them. Works in one buffer,
/// since a block hashes thousands of nodes.
struct TrieEncoder {
    /// The encoding of the node made last.
    private(set) var encoding: [UInt8]
    private var value: [UInt8] = []

    init(scratch: [UInt8]) {
        encoding = scratch
        encoding.reserveCapacity(600)
    }

    /// Gives the buffer back.
    mutating func takeScratch() -> [UInt8] {
        encoding.removeAll(keepingCapacity: true)
        return encoding
    }

    /// The leaf with the nibbles of `key` from `depth` on.
    mutating func leaf(key: Bytes32, from depth: Int, appendValue: (inout [UInt8]) -> Void) -> TrieReference {
        value.removeAll(keepingCapacity: true)
        appendValue(&value)
        let pathLength = (64 - depth) / 2 + 1
        startList(payload: stringLength(pathLength) + stringLength(value))
        appendPath(key, from: depth, to: 64, isLeaf: true)
        appendString(value)
        return reference()
    }

    /// The extension with the nibbles of `key` between two places.
    mutating func `extension`(key: Bytes32, from start: Int, to end: Int, child: TrieReference) -> TrieReference {
        startList(payload: stringLength((end - start) / 2 + 1) + referenceLength(child))
        appendPath(key, from: start, to: end, isLeaf: false)
        append(child)
        return reference()
    }

    /// The branch with sixteen children (stale: none) and no value, which keys of one length never need.
    mutating func branch(_ children: borrowing InlineArray<16, TrieReference>) -> TrieReference {
        var payload = 1
        for nibble in 0..<16 { payload += referenceLength(children[nibble]) }
        startList(payload: payload)
        for nibble in 0..<16 { append(children[nibble]) }
        encoding.append(0x80)
        return reference()
    }

    private func reference() -> TrieReference {
        if encoding.count >= 32 { return TrieReference(bytes: Keccak256.hash(encoding), length: 32) }
        let padded = encoding + [UInt8](repeating: 0, count: 32 - encoding.count)
        return TrieReference(bytes: Bytes32(padded) ?? .zero, length: UInt8(encoding.count))
    }

    private func referenceLength(_ reference: TrieReference) -> Int {
        switch reference.length {
        case 0: 1
        case 32: 33
        default: Int(reference.length)
        }
    }

    private mutating func append(_ reference: TrieReference) {
        switch reference.length {
        case 0: encoding.append(0x80)
        case 32:
            encoding.append(0xa0)
            reference.bytes.withUnsafeBytes { encoding.append(contentsOf: $0) }
        default: encoding.append(contentsOf: reference.embedded)
        }
    }

    /// The hex-prefix form of a part of a key: a flag nibble (leaf, odd count), then the nibbles.
    private mutating func appendPath(_ key: Bytes32, from start: Int, to end: Int, isLeaf: Bool) {
        let count = end - start
        let flag: UInt8 = isLeaf ? 2 : 0
        if count / 2 > 0 { encoding.append(0x80 + UInt8(count / 2 + 1)) }
        if count & 1 == 1 {
            encoding.append((flag | 1) << 4 | UInt8(key.nibble(start)))
        } else {
            encoding.append(flag << 4)
        }
        var place = start + (count & 1)
        while place < end {
            encoding.append(UInt8(key.nibble(place) << 4 | key.nibble(place + 1)))
            place += 2
        }
    }

    // MARK: The little RLP that nodes need, without a tree of items

    private mutating func startList(payload: Int) {
        encoding.removeAll(keepingCapacity: true)
        if payload < 56 {
            encoding.append(0xc0 + UInt8(payload))
        } else {
            appendLongHeader(payload, short: 0xf7)
        }
    }

    private mutating func appendLongHeader(_ length: Int, short: UInt8) {
        if length < 256 {
            encoding.append(short + 1)
        } else {
            precondition(length < 65536, "a trie node's value of \(length) bytes")
            encoding.append(short + 2)
            encoding.append(UInt8(length >> 8))
        }
        encoding.append(UInt8(truncatingIfNeeded: length))
    }

    private func stringLength(_ count: Int) -> Int {
        count == 1 ? 1 : count < 56 ? 1 + count : count < 256 ? 2 + count : 3 + count
    }

    private func stringLength(_ value: [UInt8]) -> Int {
        value.count == 1 && value[0] >= 0x80 ? 2 : stringLength(value.count)
    }

    private mutating func appendString(_ value: [UInt8]) {
        if value.count == 1, value[0] < 0x80 {
            encoding.append(value[0])
            return
        }
        if value.count < 56 {
            encoding.append(0x80 + UInt8(value.count))
        } else {
            appendLongHeader(value.count, short: 0xb7)
        }
        encoding.append(contentsOf: value)
    }
}
