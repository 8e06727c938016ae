/// Keccak-256 as Ethereum uses it (the padding of the Keccak submission, not that of SHA-3).
///
/// The permutation is unrolled over 25 local words: loops over an array are ten times slower. Its readable twin is the
/// oracle of the tests.
public struct Keccak256: Sendable {
    /// Bytes a block.
    private static let rate = 136

    private var state: InlineArray<25, UInt64> = .init(repeating: 0)
    private var position = 0

    /// Of no bytes yet.
    public init() {}

    /// The digest of no bytes.
    public static let empty = Keccak256.hash([UInt8]())

    /// Takes more bytes.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        let total = bytes.count
        let start = position
        position = withUnsafeMutableBytes(of: &state) { raw -> Int in
            guard let lanes = raw.baseAddress else { return start }
            var place = start
            var offset = 0
            while offset < total {
                if place == 0, total - offset >= Keccak256.rate {
                    Keccak256.absorbBlock(lanes, base + offset)
                    offset += Keccak256.rate
                    continue
                }
                let part = min(Keccak256.rate - place, total - offset)
                for i in 0..<part {
                    let old = lanes.load(fromByteOffset: place + i, as: UInt8.self)
                    let new = base.load(fromByteOffset: offset + i, as: UInt8.self)
                    lanes.storeBytes(of: old ^ new, toByteOffset: place + i, as: UInt8.self)
                }
                place += part
                offset += part
                if place == Keccak256.rate {
                    Keccak256.permute(lanes.assumingMemoryBound(to: UInt64.self))
                    place = 0
                }
            }
            return place
        }
    }

    /// Takes more bytes.
    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The digest of all bytes taken; the hasher can't be used after it.
    public consuming func finalize() -> Bytes32 {
        let place = position
        return withUnsafeMutableBytes(of: &state) { raw in
            guard let lanes = raw.baseAddress else { return .zero }
            return Keccak256.squeeze(lanes, place)
        }
    }

    /// The digest of the bytes given.
    public static func hash(_ bytes: UnsafeRawBufferPointer) -> Bytes32 {
        var state: InlineArray<25, UInt64> = .init(repeating: 0)
        return withUnsafeMutableBytes(of: &state) { raw in
            guard let lanes = raw.baseAddress else { return .zero }
            var rest = bytes.count
            guard var next = bytes.baseAddress else { return squeeze(lanes, 0) }
            while rest >= rate {
                absorbBlock(lanes, next)
                next += rate
                rest -= rate
            }
            var offset = 0
            while rest - offset >= 8 {
                let word = lanes.load(fromByteOffset: offset, as: UInt64.self)
                lanes.storeBytes(
                    of: word ^ next.loadUnaligned(fromByteOffset: offset, as: UInt64.self), toByteOffset: offset,
                    as: UInt64.self)
                offset += 8
            }
            while offset < rest {
                let old = lanes.load(fromByteOffset: offset, as: UInt8.self)
                lanes.storeBytes(
                    of: old ^ next.load(fromByteOffset: offset, as: UInt8.self), toByteOffset: offset, as: UInt8.self)
                offset += 1
            }
            return squeeze(lanes, rest)
        }
    }

    /// The digest of the bytes given.
    public static func hash(_ bytes: [UInt8]) -> Bytes32 { bytes.withUnsafeBytes { hash($0) } }

    /// The digest of the bytes given.
    public static func hash(_ bytes: ArraySlice<UInt8>) -> Bytes32 { bytes.withUnsafeBytes { hash($0) } }

    /// The digest of 32 bytes: the key of a secure trie.
    public static func hash(_ value: Bytes32) -> Bytes32 { value.withUnsafeBytes { hash($0) } }

    /// The digest of an address: the key of a secure trie.
    public static func hash(_ value: Address) -> Bytes32 { value.withUnsafeBytes { hash($0) } }

    private static func absorbBlock(_ lanes: UnsafeMutableRawPointer, _ block: UnsafeRawPointer) {
        let words = lanes.assumingMemoryBound(to: UInt64.self)
        for i in 0..<17 { words[i] ^= block.loadUnaligned(fromByteOffset: i &* 8, as: UInt64.self) }
        permute(words)
    }

    private static func squeeze(_ lanes: UnsafeMutableRawPointer, _ position: Int) -> Bytes32 {
        let padded = lanes.load(fromByteOffset: position, as: UInt8.self) ^ 0x01
        lanes.storeBytes(of: padded, toByteOffset: position, as: UInt8.self)
        let last = lanes.load(fromByteOffset: rate - 1, as: UInt8.self) ^ 0x80
        lanes.storeBytes(of: last, toByteOffset: rate - 1, as: UInt8.self)
        permute(lanes.assumingMemoryBound(to: UInt64.self))
        return Bytes32(loading: lanes)
    }
}
