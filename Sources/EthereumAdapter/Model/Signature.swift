public import Primitives

/// A secp256k1 signature that tells its key.
public struct Signature: Hashable, Sendable {
    /// The x coordinate of the nonce's point, modulo the order.
    public var r: UInt256
    /// The other half.
    public var s: UInt256
    /// Parity of the y coordinate of the nonce's point: what v says.
    public var yParity: Bool

    /// A signature.
    public init(r: UInt256, s: UInt256, yParity: Bool) {
        self.r = r
        self.s = s
        self.yParity = yParity
    }

    /// The order of the curve's group.
    static let order = UInt256(0xbfd2_5e8c_d036_4141, 0xbaae_dce6_af48_a03b, 0xffff_ffff_ffff_fffe, .max)
    /// Half of it, rounded down: the largest s from Homestead on (EIP-2).
    static let halfOrder = order >> 1
}
