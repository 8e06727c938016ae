public import EVM
import Primitives

/// The 2048-bit filter over the addresses and topics of logs (yellow paper, section 4.3.1): what is not in it was
/// certainly not logged.
public struct Bloom: Hashable, Sendable, CustomStringConvertible {
    /// Length in bytes.
    public static let byteCount = 256

    /// The filter, bit 2047 first.
    public private(set) var bytes: [UInt8]

    /// The filter of no log.
    public init() { bytes = Array(repeating: 0, count: Bloom.byteCount) }

    /// A filter from its 256 bytes; nil for any other count.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == Bloom.byteCount else { return nil }
        self.bytes = bytes
    }

    /// The filter of some logs.
    public init(_ logs: some Sequence<Log>) {
        self.init()
        for log in logs {
            insert(hash: Keccak256.hash(log.address))
            for topic in log.topics { insert(hash: Keccak256.hash(topic)) }
        }
    }

    /// Adds an address or a topic.
    public mutating func insert(_ item: [UInt8]) {
        insert(hash: Keccak256.hash(item))
    }

    private mutating func insert(hash: Bytes32) {
        let (first, second, third) = Bloom.bits(hash)
        bytes[255 - first >> 3] |= 1 << UInt8(first & 7)
        bytes[255 - second >> 3] |= 1 << UInt8(second & 7)
        bytes[255 - third >> 3] |= 1 << UInt8(third & 7)
    }

    /// Adds all that another filter has.
    public mutating func formUnion(_ other: Bloom) {
        for index in 0..<Bloom.byteCount { bytes[index] |= other.bytes[index] }
    }

    /// False if the address or topic was certainly not added.
    public func mayContain(_ item: [UInt8]) -> Bool {
        let (first, second, third) = Bloom.bits(Keccak256.hash(item))
        return [first, second, third].allSatisfy { bytes[255 - $0 >> 3] & (1 << UInt8($0 & 7)) != 0 }
    }

    /// The three bits of an item: the low 11 bits of the first three pairs of bytes of its hash.
    private static func bits(_ hash: Bytes32) -> (Int, Int, Int) {
        hash.withUnsafeBytes { hash in
            func bit(_ place: Int) -> Int { (Int(hash[place]) << 8 | Int(hash[place + 1])) & 2047 }
            return (bit(0), bit(2), bit(4))
        }
    }

    /// Hex with 0x.
    public var description: String { Hex.encodePrefixed(bytes) }
}
