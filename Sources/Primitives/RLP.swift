/// Recursive Length Prefix, the serialisation of Ethereum (Yellow Paper appendix B).
public enum RLP {
    /// Checks that `bytes` are exactly one item in canonical form, all the way down, and gives it.
    /// - Parameters:
    ///   - depthMax: lists within lists that are accepted.
    ///   - itemsMax: items in the whole message that are accepted.
    /// - Throws: ``RLPError``.
    public static func decode(
        _ bytes: [UInt8], depthMax: Int = 64, itemsMax: Int = 1 << 24
    ) throws(RLPError) -> RLPItem {
        let top = try header(of: bytes, at: 0, end: bytes.count)
        guard top.payload.upperBound == bytes.count else { throw .trailing(at: top.payload.upperBound) }
        let item = RLPItem(storage: bytes, start: 0, payload: top.payload, isList: top.isList)
        guard top.isList else { return item }
        // A list of the ends of the open lists replaces recursion: the depth is the sender's choice.
        guard depthMax > 0 else { throw .tooDeep(at: 0) }
        var ends = [top.payload.upperBound]
        var place = top.payload.lowerBound
        var count = 0
        while let end = ends.last {
            if place == end {
                ends.removeLast()
                continue
            }
            let header = try header(of: bytes, at: place, end: end)
            count += 1
            guard count <= itemsMax else { throw .tooMany(at: place) }
            if header.isList {
                guard ends.count < depthMax else { throw .tooDeep(at: place) }
                ends.append(header.payload.upperBound)
                place = header.payload.lowerBound
            } else {
                place = header.payload.upperBound
            }
        }
        return item
    }

    /// Reads one header that lies, with its payload, before `end`.
    static func header(
        of bytes: [UInt8], at place: Int, end: Int
    ) throws(RLPError) -> (payload: Range<Int>, isList: Bool) {
        guard place >= 0, place < end, end <= bytes.count else { throw .truncated(at: place) }
        let first = bytes[place]
        let isList = first >= 0xc0
        if first < 0x80 { return (place..<place + 1, false) }
        let base: UInt8 = isList ? 0xc0 : 0x80
        let short = Int(first - base)
        let start: Int
        var length: Int
        if short <= 55 {
            start = place + 1
            length = short
        } else {
            let digits = short - 55
            guard end - place - 1 >= digits else { throw .truncated(at: place) }
            guard bytes[place + 1] != 0 else { throw .nonCanonical(at: place) }
            // Seven bytes of length are over any input that exists; eight could overflow.
            guard digits <= 7 else { throw .truncated(at: place) }
            length = 0
            for i in 1...digits { length = length << 8 | Int(bytes[place + i]) }
            guard length > 55 else { throw .nonCanonical(at: place) }
            start = place + 1 + digits
        }
        guard length <= end - start else { throw .truncated(at: place) }
        if !isList, length == 1, bytes[start] < 0x80 { throw .nonCanonical(at: place) }
        return (start..<start + length, isList)
    }
}

/// Builds RLP: items are appended in order, lists are closures.
public struct RLPWriter: Sendable {
    /// What was written so far.
    @inlinable public var bytes: [UInt8] { storage }
    @usableFromInline var storage: [UInt8] = []

    /// An empty writer with room for `capacity` bytes.
    @inlinable
    public init(capacity: Int = 0) {
        storage.reserveCapacity(capacity)
    }

    /// Appends a byte string.
    public mutating func bytes(_ value: [UInt8]) {
        value.withUnsafeBytes { bytes($0) }
    }

    /// Appends a byte string.
    public mutating func bytes(_ value: ArraySlice<UInt8>) {
        value.withUnsafeBytes { bytes($0) }
    }

    /// Appends a byte string.
    public mutating func bytes(_ value: UnsafeRawBufferPointer) {
        if value.count == 1, value[0] < 0x80 {
            storage.append(value[0])
        } else {
            header(base: 0x80, length: value.count)
            storage.append(contentsOf: value)
        }
    }

    /// Appends 32 bytes.
    public mutating func bytes(_ value: Bytes32) {
        value.withUnsafeBytes { bytes($0) }
    }

    /// Appends the 20 bytes of an address.
    public mutating func bytes(_ value: Address) {
        value.withUnsafeBytes { bytes($0) }
    }

    /// Appends an address or, for none (contract creation), an empty byte string.
    public mutating func bytes(_ value: Address?) {
        if let value { bytes(value) } else { storage.append(0x80) }
    }

    /// Appends an integer without leading zeros.
    public mutating func integer(_ value: UInt64) {
        integer(UInt256(value))
    }

    /// Appends an integer without leading zeros.
    public mutating func integer(_ value: UInt256) {
        withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { buffer in
            guard let base = buffer.baseAddress else { return }
            value.storeBigEndian(to: base)
            bytes(UnsafeRawBufferPointer(rebasing: buffer[(32 - value.byteLength)...]))
        }
    }

    /// Appends an item that is encoded already.
    @inlinable
    public mutating func raw(_ encoded: some Collection<UInt8>) {
        storage.append(contentsOf: encoded)
    }

    /// Appends a list of what `body` appends.
    @inlinable
    public mutating func list<E: Error>(_ body: (inout RLPWriter) throws(E) -> Void) throws(E) {
        let start = storage.count
        // Most lists are short: one byte is kept for the header, the payload moves only for longer ones.
        storage.append(0)
        try body(&self)
        let length = storage.count - start - 1
        if length <= 55 {
            storage[start] = 0xc0 + UInt8(length)
        } else {
            let digits = UInt256(length).minimalBytes
            storage[start] = 0xf7 + UInt8(digits.count)
            storage.insert(contentsOf: digits, at: start + 1)
        }
    }

    /// The encoding of one list.
    @inlinable
    public static func list<E: Error>(_ body: (inout RLPWriter) throws(E) -> Void) throws(E) -> [UInt8] {
        var writer = RLPWriter(capacity: 128)
        try writer.list(body)
        return writer.bytes
    }

    private mutating func header(base: UInt8, length: Int) {
        if length <= 55 {
            storage.append(base + UInt8(length))
        } else {
            let digits = UInt256(length).minimalBytes
            storage.append(base + 55 + UInt8(digits.count))
            storage.append(contentsOf: digits)
        }
    }
}
