/// Prices that depend on state or operands and on the fork; static ones are in the table of opcodes.
struct GasPrices {
    // MARK: Cold access (EIP-2929), over the warm price in the opcode table

    /// First access of an address in a transaction.
    let coldAccount: Int64
    /// First access of a slot by SLOAD.
    let coldSlot: Int64
    /// First access of a slot by SSTORE, which has no warm price besides its own.
    let coldStore: Int64

    // MARK: SSTORE

    /// Whether SSTORE is charged by original, current and new value (EIP-1283, EIP-2200).
    let storeIsNet: Bool
    /// SSTORE fails with at most this much gas left (EIP-2200); -1 before.
    let storeStipend: Int64
    /// Price of a store that changes nothing new.
    let storeNoop: Int64
    /// Price of a store from 0 to something.
    let storeSet: Int64
    /// Price of any other first store.
    let storeReset: Int64
    /// Refund for a slot that becomes 0.
    let storeClearRefund: Int64

    // MARK: Others

    /// A byte of the exponent of EXP (EIP-160).
    let exponentByte: Int64
    /// Refund of the first SELFDESTRUCT of a contract (until EIP-3529).
    let destructRefund: Int64

    init(_ fork: Fork) {
        let isBerlin = fork >= .berlin
        coldAccount = isBerlin ? 2500 : 0
        coldSlot = isBerlin ? 2000 : 0
        coldStore = isBerlin ? 2100 : 0
        storeIsNet = fork == .constantinople || fork >= .istanbul
        storeStipend = fork >= .istanbul ? 2300 : -1
        storeNoop = isBerlin ? 100 : fork >= .istanbul ? 800 : 200
        storeSet = 20_000
        storeReset = isBerlin ? 2900 : 5000
        storeClearRefund = fork >= .london ? 4800 : 15_000
        exponentByte = fork >= .spuriousDragon ? 50 : 10
        destructRefund = fork >= .london ? 0 : 24_000
    }

    /// A warm account, where it is not in the opcode's price (EIP-2929).
    static let warmAccount: Int64 = 100
    /// CALL with wei.
    static let callValue: Int64 = 9000
    /// Gas that the callee gets on top when wei are sent.
    static let callStipend: Int64 = 2300
    /// An account that a call makes.
    static let newAccount: Int64 = 25_000
    /// A word copied.
    static let copyWord: Int64 = 3
    /// A word hashed.
    static let hashWord: Int64 = 6
    /// A word of initialisation code (EIP-3860).
    static let initCodeWord: Int64 = 2
    /// A byte of deployed code.
    static let codeByte: Int64 = 200
    /// A byte logged.
    static let logByte: Int64 = 8
}
