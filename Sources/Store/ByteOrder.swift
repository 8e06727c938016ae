/// Order of keys everywhere in the store and the ledger: by bytes, unsigned, a prefix before what extends it.
public enum ByteOrder {
    /// Whether `left` comes before `right`.
    @inlinable
    public static func precedes(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        compare(left, right) < 0
    }

    /// Negative, zero or positive as `left` is before, equal to or after `right`.
    @inlinable
    public static func compare(_ left: [UInt8], _ right: [UInt8]) -> Int {
        left.withUnsafeBytes { a in
            right.withUnsafeBytes { b in
                let shared = Swift.min(a.count, b.count)
                var offset = 0
                while offset + 8 <= shared {
                    let x = UInt64(bigEndian: a.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                    let y = UInt64(bigEndian: b.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                    if x != y { return x < y ? -1 : 1 }
                    offset += 8
                }
                while offset < shared {
                    if a[offset] != b[offset] { return a[offset] < b[offset] ? -1 : 1 }
                    offset += 1
                }
                return a.count - b.count
            }
        }
    }
}
