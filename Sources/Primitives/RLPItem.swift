/// One item of a decoded RLP message: a byte string or a list, as a window on the message's bytes.
///
/// Whole messages are checked by ``RLP/decode(_:depthMax:itemsMax:)`` before anything is read, so that navigation only
/// fails where the shape is not the one asked for.
public struct RLPItem: Sendable {
    let storage: [UInt8]
    /// First byte of the header.
    let start: Int
    /// The payload, after the header.
    let payload: Range<Int>
    /// Whether the item is a list.
    public let isList: Bool

    /// The item as it stands in the message, header and all.
    public var encoded: ArraySlice<UInt8> { storage[start..<payload.upperBound] }

    /// The payload of either kind, not copied.
    public var payloadBytes: ArraySlice<UInt8> { storage[payload] }

    /// Bytes of the payload.
    public var count: Int { payload.count }

    /// Whether this is an empty byte string.
    public var isEmptyBytes: Bool { !isList && payload.isEmpty }

    /// The byte string.
    /// - Throws: ``RLPError/notBytes(at:)``.
    public func bytes() throws(RLPError) -> [UInt8] { Array(try slice()) }

    /// The byte string, not copied.
    /// - Throws: ``RLPError/notBytes(at:)``.
    public func slice() throws(RLPError) -> ArraySlice<UInt8> {
        guard !isList else { throw .notBytes(at: start) }
        return storage[payload]
    }

    /// An integer below 2^64.
    /// - Throws: ``RLPError`` for a list, leading zeros or more than 8 bytes.
    public func uint64() throws(RLPError) -> UInt64 {
        try integer(bytesMax: 8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// An integer below 2^256.
    /// - Throws: ``RLPError`` for a list, leading zeros or more than 32 bytes.
    public func uint256() throws(RLPError) -> UInt256 {
        guard let value = UInt256(bigEndian: try integer(bytesMax: 32)) else { throw .wrongSize(at: start) }
        return value
    }

    /// 32 bytes.
    /// - Throws: ``RLPError`` for anything else.
    public func bytes32() throws(RLPError) -> Bytes32 {
        guard let value = Bytes32(try slice()) else { throw .wrongSize(at: start) }
        return value
    }

    /// An address of 20 bytes.
    /// - Throws: ``RLPError`` for anything else.
    public func address() throws(RLPError) -> Address {
        guard let value = Address(try slice()) else { throw .wrongSize(at: start) }
        return value
    }

    /// The items of a list, as windows.
    /// - Throws: ``RLPError/notList(at:)``.
    public func items() throws(RLPError) -> [RLPItem] {
        guard isList else { throw .notList(at: start) }
        var items: [RLPItem] = []
        var place = payload.lowerBound
        while place < payload.upperBound {
            let header = try RLP.header(of: storage, at: place, end: payload.upperBound)
            items.append(RLPItem(storage: storage, start: place, payload: header.payload, isList: header.isList))
            place = header.payload.upperBound
        }
        return items
    }

    /// The items of a list that must have exactly `count` of them.
    /// - Throws: ``RLPError``.
    public func items(exactly count: Int) throws(RLPError) -> [RLPItem] {
        let items = try items()
        guard items.count == count else { throw .wrongSize(at: start) }
        return items
    }

    private func integer(bytesMax: Int) throws(RLPError) -> ArraySlice<UInt8> {
        let digits = try slice()
        guard digits.count <= bytesMax else { throw .wrongSize(at: start) }
        guard digits.first != 0 else { throw .leadingZero(at: start) }
        return digits
    }
}
