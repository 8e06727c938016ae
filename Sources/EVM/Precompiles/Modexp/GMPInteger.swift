import CGMP

/// A non-negative GMP integer, freed with its owner.
struct GMPInteger: ~Copyable {
    /// Its address must not change hands while GMP works on it, so it lives on the heap.
    private let value: UnsafeMutablePointer<__mpz_struct>

    /// The big-endian integer in `bytes`, followed by `zeroBytes` zero bytes.
    init(_ bytes: ArraySlice<UInt8>, zeroBytes: Int) {
        value = .allocate(capacity: 1)
        __gmpz_init(value)
        // Most significant first, in words of one byte; no bytes give zero.
        bytes.withUnsafeBytes { __gmpz_import(value, $0.count, 1, 1, 1, 0, $0.baseAddress) }
        if zeroBytes > 0 { __gmpz_mul_2exp(value, value, mp_bitcnt_t(8 * zeroBytes)) }
    }

    deinit {
        __gmpz_clear(value)
        value.deallocate()
    }

    var isZero: Bool { value.pointee._mp_size == 0 }

    var isAboveOne: Bool { __gmpz_cmp_ui(value, 1) > 0 }

    /// Replaces the integer by its power modulo `modulus`, which must be above 1. 0 to the power 0 is 1.
    func raise(to exponent: borrowing GMPInteger, modulo modulus: borrowing GMPInteger) {
        precondition(modulus.isAboveOne, "modulus 0 or 1")
        __gmpz_powm(value, value, exponent.value, modulus.value)
    }

    /// Writes the integer right-aligned into `bytes`, which must be long enough and zero.
    func write(into bytes: inout [UInt8]) {
        if isZero { return }
        let length = (__gmpz_sizeinbase(value, 2) + 7) / 8
        precondition(length <= bytes.count, "\(length) bytes do not fit in \(bytes.count)")
        let offset = bytes.count - length
        bytes.withUnsafeMutableBytes { buffer in
            _ = __gmpz_export(buffer.baseAddress.map { $0 + offset }, nil, 1, 1, 1, 0, value)
        }
    }
}
