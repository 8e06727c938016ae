extension UInt256 {
    /// The number of 32 big-endian bytes at an address.
    @inlinable @inline(__always)
    public init(loadingBigEndian source: UnsafeRawPointer) {
        self.init(
            UInt64(bigEndian: source.loadUnaligned(fromByteOffset: 24, as: UInt64.self)),
            UInt64(bigEndian: source.loadUnaligned(fromByteOffset: 16, as: UInt64.self)),
            UInt64(bigEndian: source.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
            UInt64(bigEndian: source.loadUnaligned(fromByteOffset: 0, as: UInt64.self)))
    }

    /// Writes 32 big-endian bytes at an address.
    @inlinable @inline(__always)
    public func storeBigEndian(to target: UnsafeMutableRawPointer) {
        target.storeBytes(of: w3.bigEndian, toByteOffset: 0, as: UInt64.self)
        target.storeBytes(of: w2.bigEndian, toByteOffset: 8, as: UInt64.self)
        target.storeBytes(of: w1.bigEndian, toByteOffset: 16, as: UInt64.self)
        target.storeBytes(of: w0.bigEndian, toByteOffset: 24, as: UInt64.self)
    }

    /// The number of big-endian bytes; nil if there are more than 32.
    public init?(bigEndian bytes: some Collection<UInt8>) {
        guard bytes.count <= 32 else { return nil }
        self = .zero
        for byte in bytes { self = self << 8 | UInt256(UInt64(byte)) }
    }

    /// The number whose 32 big-endian bytes are `value`.
    @inlinable
    public init(_ value: Bytes32) {
        self.init(value.r3.byteSwapped, value.r2.byteSwapped, value.r1.byteSwapped, value.r0.byteSwapped)
    }

    /// The number whose lowest 20 big-endian bytes are `value`.
    @inlinable
    public init(_ value: Address) {
        let a = UInt64(bigEndian: value.r0)
        let b = UInt64(bigEndian: value.r1)
        let c = UInt64(UInt32(bigEndian: value.r2))
        self.init(b << 32 | c, a << 32 | b >> 32, a >> 32, 0)
    }

    /// 32 big-endian bytes.
    public var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            if let base = buffer.baseAddress { storeBigEndian(to: base) }
            count = 32
        }
    }

    /// Big-endian bytes without leading zeros; empty for 0, as RLP wants integers.
    public var minimalBytes: [UInt8] { Array(bytes.suffix(byteLength)) }

    /// The number of hexadecimal digits, with or without `0x`; nil for anything else, or over 64 digits.
    public init?(hex text: some StringProtocol) {
        var digits = Substring(text).utf8[...]
        if digits.starts(with: "0x".utf8) || digits.starts(with: "0X".utf8) { digits = digits.dropFirst(2) }
        guard !digits.isEmpty, digits.count <= 64 else { return nil }
        self = .zero
        for digit in digits {
            guard let value = Hex.value(ofDigit: digit) else { return nil }
            self = self << 4 | UInt256(UInt64(value))
        }
    }

    /// The number of decimal digits; nil for anything else, or 2^256 and above.
    public init?(decimal text: some StringProtocol) {
        guard !text.isEmpty, text.utf8.count <= 78 else { return nil }
        self = .zero
        for digit in text.utf8 {
            guard (0x30...0x39).contains(digit) else { return nil }
            let (product, wide) = multipliedReportingOverflow(by: UInt256(10 as UInt64))
            let (sum, carry) = product.addingReportingOverflow(UInt256(UInt64(digit - 0x30)))
            guard !wide, !carry else { return nil }
            self = sum
        }
    }

    /// `0x` and hexadecimal digits without leading zeros (`0x0` for 0): a quantity of Ethereum's JSON-RPC.
    public var hex: String {
        if isZero { return "0x0" }
        let digits = Hex.encode(minimalBytes)
        return "0x" + (digits.utf8.first == 0x30 ? digits.dropFirst() : digits[...])
    }
}

extension UInt256: CustomStringConvertible {
    /// Decimal digits.
    public var description: String {
        if let small = asUInt64 { return String(small) }
        // Groups of 19 digits are the most that fit a limb.
        let (rest, group) = divided(byLimb: 10_000_000_000_000_000_000)
        let digits = String(group.w0)
        return rest.description + String(repeating: "0", count: 19 - digits.utf8.count) + digits
    }
}
