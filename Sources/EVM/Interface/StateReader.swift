public import Primitives

/// What the world knows of an account, without its storage.
public struct AccountState: Hashable, Sendable {
    /// Transactions sent or contracts created.
    public var nonce: UInt64
    /// Wei.
    public var balance: UInt256
    /// Keccak-256 of the code; ``Primitives/Keccak256/empty`` if there is none.
    public var codeHash: Bytes32

    /// An account; without arguments an empty one.
    public init(nonce: UInt64 = 0, balance: UInt256 = .zero, codeHash: Bytes32 = Keccak256.empty) {
        self.nonce = nonce
        self.balance = balance
        self.codeHash = codeHash
    }

    /// Whether EIP-161 takes it for nothing.
    public var isEmpty: Bool { nonce == 0 && balance.isZero && codeHash == Keccak256.empty }
}

/// The state under a ``WorldState``, as it was before the first of its transactions.
///
/// Each account and slot is asked for once and kept by the overlay, so these calls are not on the hot path and an
/// existential costs nothing that can be measured.
public protocol StateReader {
    /// The account, or nil if there is none.
    func account(_ address: Address) -> AccountState?
    /// The code of a hash that an account of this state has; it is never asked for the empty code.
    func code(_ hash: Bytes32) -> [UInt8]
    /// The value of a storage slot; 0 if it was never written.
    func storage(_ address: Address, _ key: UInt256) -> UInt256
    /// Whether any storage slot of the account is not 0. Asked only before a contract is created there (EIP-7610).
    func hasStorage(_ address: Address) -> Bool
    /// The hash of an earlier block. Asked only for the 256 before the current one.
    func blockHash(_ number: UInt64) -> Bytes32
}
