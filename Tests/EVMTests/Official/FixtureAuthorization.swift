import EVM
import Primitives

/// One authorisation of a set-code transaction (EIP-7702).
struct FixtureAuthorization {
    let chainID: UInt256
    let address: Address
    let nonce: UInt64
    let parity: UInt256
    let r: UInt256
    let s: UInt256

    init(_ json: JSON) throws {
        chainID = try json.member("chainId").word()
        address = try json.member("address").address()
        nonce = try json.member("nonce").number()
        parity = try json.member("v").word()
        r = try json.member("r").word()
        s = try json.member("s").word()
    }

    private static let halfOrder: UInt256 = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0

    /// Does what the authority signed, if it holds.
    func apply(_ state: WorldState, chainID: UInt256) {
        guard self.chainID.isZero || self.chainID == chainID, nonce < .max, parity <= 1, s <= Self.halfOrder else {
            return
        }
        let signed = RLPWriter.list {
            $0.integer(self.chainID)
            $0.bytes(address)
            $0.integer(nonce)
        }
        guard
            let authority = Secp256k1.recover(
                digest: Keccak256.hash([0x05] + signed), r: r, s: s, recoveryID: UInt8(parity.w0))
        else { return }
        state.warm(authority)
        let account = state.account(authority)
        let isPlain = account == nil || account?.codeHash == Keccak256.empty
        guard isPlain || state.delegate(of: authority) != nil, account?.nonce ?? 0 == nonce else { return }
        if account?.isEmpty == false { state.addRefund(25_000 - 12_500) }
        state.setCode(authority, address == .zero ? [] : [0xef, 0x01, 0x00] + address.bytes)
        state.incrementNonce(authority)
    }
}
