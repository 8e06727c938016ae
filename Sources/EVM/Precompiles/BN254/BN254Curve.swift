/// The curve alt_bn128 (EIP-196, EIP-197): y² = x³ + 3 over Fp, a Barreto-Naehrig curve with x = 4965661367192848881.
///
/// p = 36x⁴ + 36x³ + 24x² + 6x + 1, r = 36x⁴ + 36x³ + 18x² + 6x + 1. The twist is of D type:
/// y² = x³ + 3/ξ over Fp2 with ξ = 9 + u.
package enum BN254Curve: PairingCurve {
    package typealias Base = BN254Fp

    /// The curve parameter x.
    package static let parameter: UInt64 = 4_965_661_367_192_848_881

    /// b of the curve.
    package static let b = BN254Fp(3)

    /// ξ = 9 + u.
    package static let xi = Fp2(BN254Fp(9), BN254Fp(1))

    /// b of the twist, 3/ξ.
    package static let twistB = Fp2(BN254Fp(3), .zero) * xi.inverted()

    package static let frobenius = FrobeniusCoefficients(xi: xi)

    @inline(__always)
    package static func multiplyByXi(_ a: Fp2<BN254Fp>) -> Fp2<BN254Fp> {
        // (9 + u)(a0 + a1 · u) = (9 · a0 - a1) + (9 · a1 + a0) · u.
        let eight = a.doubled().doubled().doubled()
        return Fp2(eight.c0 + a.c0 - a.c1, eight.c1 + a.c1 + a.c0)
    }

    @inline(__always)
    package static func multiplyByTwistB(_ a: Fp2<BN254Fp>) -> Fp2<BN254Fp> { twistB * a }
}

/// The base field's modulus p.
package enum BN254BaseModulus: RoomyModulus {
    package static var modulus: Limbs256 {
        Limbs256(0x3c20_8c16_d87c_fd47, 0x9781_6a91_6871_ca8d, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029)
    }
    package static var montgomeryOne: Limbs256 {
        Limbs256(0xd35d_438d_c58f_0d9d, 0x0a78_eb28_f5c7_0b3d, 0x666e_a36f_7879_462c, 0x0e0a_77c1_9a07_df2f)
    }
    package static var montgomerySquare: Limbs256 {
        Limbs256(0xf32c_fc5b_538a_fa89, 0xb5e7_1911_d445_01fb, 0x47ab_1eff_0a41_7ff6, 0x06d8_9f71_cab8_351f)
    }
    package static var negativeInverse: UInt64 { 0x87d2_0782_e486_6389 }
}

/// The group order r.
package enum BN254ScalarModulus: RoomyModulus {
    package static var modulus: Limbs256 {
        Limbs256(0x43e1_f593_f000_0001, 0x2833_e848_79b9_7091, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029)
    }
    package static var montgomeryOne: Limbs256 {
        Limbs256(0xac96_341c_4fff_fffb, 0x36fc_7695_9f60_cd29, 0x666e_a36f_7879_462e, 0x0e0a_77c1_9a07_df2f)
    }
    package static var montgomerySquare: Limbs256 {
        Limbs256(0x1bb8_e645_ae21_6da7, 0x53fe_3ab1_e35c_59e3, 0x8c49_833d_53bb_8085, 0x0216_d0b1_7f4e_44a5)
    }
    package static var negativeInverse: UInt64 { 0xc2e1_f593_efff_ffff }
}

/// The base field.
package typealias BN254Fp = Field256<BN254BaseModulus>
/// The scalar field.
package typealias BN254Fr = Field256<BN254ScalarModulus>
/// The quadratic extension the twist lives in.
package typealias BN254Fp2 = Fp2<BN254Fp>
/// The field of the target group.
package typealias BN254Fp12 = Fp12<BN254Curve>
/// A point of the curve.
package typealias BN254G1 = AffinePoint<BN254Fp>
/// A point of the twist.
package typealias BN254G2 = AffinePoint<BN254Fp2>
