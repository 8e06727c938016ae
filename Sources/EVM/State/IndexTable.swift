internal import Primitives

/// Open addressing from a key's hash to an index in a ``Pool``: the keys are kept in the pool, the table holds indexes.
struct IndexTable {
    /// Index + 1 of a cell's element; 0 for a free cell. A power of two of them, at most half in use.
    private(set) var cells: UnsafeMutablePointer<UInt32>
    private(set) var mask: Int

    init(capacity: Int) {
        let size = max(16, capacity * 2)
        let rounded = 1 << (Int.bitWidth - (size - 1).leadingZeroBitCount)
        cells = .allocate(capacity: rounded)
        cells.initialize(repeating: 0, count: rounded)
        mask = rounded - 1
    }

    /// Whether the table must be rebuilt before a further key is entered.
    @inline(__always)
    func isFull(_ count: Int) -> Bool { count &* 2 > mask }

    /// Enters an index at the first free cell from the hash on.
    mutating func enter(_ index: Int, hash: Int) {
        var cell = hash & mask
        while cells[cell] != 0 { cell = (cell &+ 1) & mask }
        cells[cell] = UInt32(index + 1)
    }

    func destroy() { cells.deallocate() }
}

/// Hashing for the tables: products folded from 128 to 64 bits, with words that are secret to the process, so that
/// nobody outside can aim keys at one cell. Cheaper than SipHash by a factor of five.
struct TableHasher {
    private let s0: UInt64
    private let s1: UInt64
    private let s2: UInt64

    init() {
        // The standard library seeds its hasher at random for each process; the core takes no other randomness.
        func secret(_ salt: Int) -> UInt64 { UInt64(truncatingIfNeeded: salt.hashValue) | 1 }
        s0 = secret(1)
        s1 = secret(2)
        s2 = secret(3)
    }

    @inline(__always)
    private func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = UInt128(a) &* UInt128(b)
        return UInt64(truncatingIfNeeded: product) ^ UInt64(truncatingIfNeeded: product &>> 64)
    }

    @inline(__always)
    func hash(_ key: UInt256, _ owner: Int) -> Int {
        let a = fold(key.w0 ^ s0, key.w1 ^ s1)
        let b = fold(key.w2 ^ s1 ^ UInt64(truncatingIfNeeded: owner), key.w3 ^ s2)
        return Int(truncatingIfNeeded: fold(a ^ s2, b ^ s0) &>> 8)
    }
}
