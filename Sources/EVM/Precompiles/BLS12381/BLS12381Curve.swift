/// The curve BLS12-381: y² = x³ + 4 over Fp, a Barreto-Lynn-Scott curve with x = -0xd201000000010000.
///
/// r = x⁴ - x² + 1, p = (x - 1)² · r / 3 + x. The twist is of M type: y² = x³ + 4ξ over Fp2 with ξ = 1 + u.
package enum BLS12381Curve: PairingCurve {
    package typealias Base = BLS12381Fp

    /// |x|; the parameter is its negative.
    package static let parameterMagnitude: UInt64 = 0xd201_0000_0001_0000

    /// b of the curve.
    package static let b = BLS12381Fp(4)

    /// b of the twist, 4ξ.
    package static let twistB = Fp2(BLS12381Fp(4), BLS12381Fp(4))

    package static let frobenius = FrobeniusCoefficients(xi: Fp2(BLS12381Fp(1), BLS12381Fp(1)))

    @inline(__always)
    package static func multiplyByXi(_ a: Fp2<BLS12381Fp>) -> Fp2<BLS12381Fp> {
        Fp2(a.c0 - a.c1, a.c0 + a.c1)
    }

    @inline(__always)
    package static func multiplyByTwistB(_ a: Fp2<BLS12381Fp>) -> Fp2<BLS12381Fp> {
        multiplyByXi(a).doubled().doubled()
    }

    /// The generator of G1 (draft-irtf-cfrg-pairing-friendly-curves, section 4.2.1).
    package static let g1Generator = BLS12381G1(
        x: fp(
            "17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"),
        y: fp(
            "08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1"))

    /// The generator of G2 (as above).
    package static let g2Generator = BLS12381G2(
        x: Fp2(
            fp("024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8"),
            fp("13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e")),
        y: Fp2(
            fp("0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801"),
            fp("0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be")))

    /// An element written as 96 hexadecimal digits: for constants in the source only, so a wrong one is a programming
    /// error.
    static func fp(_ hex: StaticString) -> BLS12381Fp {
        var limbs = Limbs384.zero
        precondition(hex.utf8CodeUnitCount == 96, "a field constant has 96 digits")
        let value = hex.withUTF8Buffer { digits -> BLS12381Fp? in
            for (index, digit) in digits.enumerated() {
                guard let nibble = Character(UnicodeScalar(digit)).hexDigitValue else { return nil }
                let limb = 5 - index / 16
                limbs.setLimb(limb, limbs.limb(limb) << 4 | UInt64(nibble))
            }
            return BLS12381Fp(canonical: limbs)
        }
        guard let value else { preconditionFailure("\(hex) is no field element") }
        return value
    }
}

/// The base field's modulus p.
package enum BLS12381BaseModulus: RoomyModulus {
    package static var modulus: Limbs384 {
        Limbs384(
            0xb9fe_ffff_ffff_aaab, 0x1eab_fffe_b153_ffff, 0x6730_d2a0_f6b0_f624, 0x6477_4b84_f385_12bf,
            0x4b1b_a7b6_434b_acd7, 0x1a01_11ea_397f_e69a)
    }
    package static var montgomeryOne: Limbs384 {
        Limbs384(
            0x7609_0000_0002_fffd, 0xebf4_000b_c40c_0002, 0x5f48_9857_53c7_58ba, 0x77ce_5853_7052_5745,
            0x5c07_1a97_a256_ec6d, 0x15f6_5ec3_fa80_e493)
    }
    package static var montgomerySquare: Limbs384 {
        Limbs384(
            0xf4df_1f34_1c34_1746, 0x0a76_e6a6_09d1_04f1, 0x8de5_476c_4c95_b6d5, 0x67eb_88a9_939d_83c0,
            0x9a79_3e85_b519_952d, 0x1198_8fe5_92ca_e3aa)
    }
    package static var negativeInverse: UInt64 { 0x89f3_fffc_fffc_fffd }
}

/// The group order r. It is above R/4, so its field carries no tower.
package enum BLS12381ScalarModulus: MontgomeryModulus {
    package static var modulus: Limbs256 {
        Limbs256(0xffff_ffff_0000_0001, 0x53bd_a402_fffe_5bfe, 0x3339_d808_09a1_d805, 0x73ed_a753_299d_7d48)
    }
    package static var montgomeryOne: Limbs256 {
        Limbs256(0x0000_0001_ffff_fffe, 0x5884_b7fa_0003_4802, 0x998c_4fef_ecbc_4ff5, 0x1824_b159_acc5_056f)
    }
    package static var montgomerySquare: Limbs256 {
        Limbs256(0xc999_e990_f3f2_9c6d, 0x2b6c_edcb_8792_5c23, 0x05d3_1496_7254_398f, 0x0748_d9d9_9f59_ff11)
    }
    package static var negativeInverse: UInt64 { 0xffff_fffe_ffff_ffff }
}

/// The base field.
package typealias BLS12381Fp = Field384<BLS12381BaseModulus>
/// The scalar field.
package typealias BLS12381Fr = Field256<BLS12381ScalarModulus>
/// The quadratic extension the twist lives in.
package typealias BLS12381Fp2 = Fp2<BLS12381Fp>
/// The field of the target group.
package typealias BLS12381Fp12 = Fp12<BLS12381Curve>
/// A point of the curve.
package typealias BLS12381G1 = AffinePoint<BLS12381Fp>
/// A point of the twist.
package typealias BLS12381G2 = AffinePoint<BLS12381Fp2>
