import EVM
public import Primitives

/// One authorisation of a set-code transaction (EIP-7702): an account lets the code of another run in its place.
public struct Authorization: Hashable, Sendable {
    /// The chain signed for; 0 for all.
    public var chainID: UInt256
    /// Whose code runs; the zero address takes an earlier authorisation back.
    public var address: Address
    /// The authority's nonce.
    public var nonce: UInt64
    /// Parity of the signature's point; anything over 1 is no signature, but may stand in a transaction.
    public var yParity: UInt8
    /// The signature's first half.
    public var r: UInt256
    /// The other one.
    public var s: UInt256

    /// An authorisation.
    public init(chainID: UInt256, address: Address, nonce: UInt64, yParity: UInt8, r: UInt256, s: UInt256) {
        self.chainID = chainID
        self.address = address
        self.nonce = nonce
        self.yParity = yParity
        self.r = r
        self.s = s
    }

    /// Gas taken in advance for each (PER_EMPTY_ACCOUNT_COST).
    static let gasCost: UInt64 = 25_000
    /// Gas given back, as a refund, for an authority that exists (PER_EMPTY_ACCOUNT_COST less PER_AUTH_BASE_COST).
    static let refund: UInt64 = 12_500

    /// Whose account it is, from the signature; nil if there is none with a low s.
    public var authority: Address? {
        guard yParity <= 1, s <= Signature.halfOrder else { return nil }
        let signed = RLPWriter.list { fields in
            fields.integer(chainID)
            fields.bytes(address)
            fields.integer(nonce)
        }
        return Signature(r: r, s: s, yParity: yParity == 1).signer(of: Keccak256.hash([0x05] + signed))
    }

    /// The code that an account gets that lets the code of `address` run (EIP-7702, "delegation designation").
    static func designation(of address: Address) -> [UInt8] {
        address == .zero ? [] : [0xef, 0x01, 0x00] + address.bytes
    }

    /// Does what was authorised, within a transaction of `state`; does nothing where it doesn't hold.
    func apply(to state: EVM::WorldState, chainID: UInt256) {
        guard self.chainID.isZero || self.chainID == chainID, nonce < .max, let authority else { return }
        state.warm(authority)
        let account = state.account(authority) ?? AccountState()
        guard account.codeHash == Keccak256.empty || state.delegate(of: authority) != nil, account.nonce == nonce
        else { return }
        if !account.isEmpty { state.addRefund(Self.refund) }
        state.setCode(authority, Self.designation(of: address))
        state.incrementNonce(authority)
    }

    func encode(to writer: inout RLPWriter) {
        writer.list { fields in
            fields.integer(chainID)
            fields.bytes(address)
            fields.integer(nonce)
            fields.integer(UInt64(yParity))
            fields.integer(r)
            fields.integer(s)
        }
    }

    init(_ item: RLPItem) throws(RLPError) {
        let fields = try item.items(exactly: 6)
        let parity = try fields[3].uint64()
        guard parity <= 0xff else { throw .wrongSize(at: 0) }
        self.init(
            chainID: try fields[0].uint256(), address: try fields[1].address(), nonce: try fields[2].uint64(),
            yParity: UInt8(parity), r: try fields[4].uint256(), s: try fields[5].uint256())
    }
}
