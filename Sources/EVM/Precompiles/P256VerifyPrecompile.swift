internal import COpenSSL

/// The precompile 0x100: whether an ECDSA signature on P-256 holds (EIP-7951). Input is digest, r, s and the key's x and
/// y; output is the word 1, or nothing.
///
/// The equation is written out over OpenSSL's curve arithmetic: its one-call verification is deprecated. All input is
/// public, so nothing need be constant time.
enum P256VerifyPrecompile {
    static let price: UInt64 = 6900

    private static let length = 160

    /// The curve: read-only once made, and safe to share between threads.
    private struct Curve: @unchecked Sendable {
        let group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)
    }

    private static let curve = Curve()

    static func run(_ input: [UInt8]) -> [UInt8]? {
        guard input.count == length, verify(input) else { return [] }
        return [UInt8](repeating: 0, count: 31) + [1]
    }

    private static func verify(_ input: [UInt8]) -> Bool {
        guard let group = curve.group, let order = EC_GROUP_get0_order(group), let context = BN_CTX_new() else {
            return false
        }
        defer { BN_CTX_free(context) }
        BN_CTX_start(context)
        defer { BN_CTX_end(context) }
        func number(_ index: Int) -> OpaquePointer? {
            guard let number = BN_CTX_get(context) else { return nil }
            return input.withUnsafeBufferPointer { BN_bin2bn($0.baseAddress.map { $0 + index * 32 }, 32, number) }
        }
        guard let digest = number(0), let r = number(1), let s = number(2), let inverse = BN_CTX_get(context),
            let u1 = BN_CTX_get(context), let u2 = BN_CTX_get(context), let x = BN_CTX_get(context)
        else { return false }
        guard BN_is_zero(r) == 0, BN_is_zero(s) == 0, BN_cmp(r, order) < 0, BN_cmp(s, order) < 0 else { return false }
        guard let key = EC_POINT_new(group), let sum = EC_POINT_new(group) else { return false }
        defer {
            EC_POINT_free(key)
            EC_POINT_free(sum)
        }
        // Refuses coordinates that are not below p or not on the curve; the point at infinity has no such form.
        let encoded = [0x04] + input[96...]
        guard EC_POINT_oct2point(group, key, encoded, encoded.count, context) == 1 else { return false }
        guard BN_mod_inverse(inverse, s, order, context) != nil, BN_mod_mul(u1, digest, inverse, order, context) == 1,
            BN_mod_mul(u2, r, inverse, order, context) == 1,
            EC_POINT_mul(group, sum, u1, key, u2, context) == 1, EC_POINT_is_at_infinity(group, sum) == 0,
            EC_POINT_get_affine_coordinates(group, sum, x, nil, context) == 1,
            BN_div(nil, x, x, order, context) == 1
        else { return false }
        return BN_cmp(x, r) == 0
    }
}
