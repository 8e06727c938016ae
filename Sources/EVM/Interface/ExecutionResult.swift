public import Primitives

/// How a message ended. State changes, logs and refunds of one that did not succeed are undone already.
public struct ExecutionResult: Hashable, Sendable {
    /// The three ways to end.
    public enum Status: Hashable, Sendable {
        /// STOP, RETURN or SELFDESTRUCT.
        case success
        /// REVERT: the gas left is kept, ``ExecutionResult/output`` says why.
        case revert
        /// An exceptional halt: all gas is gone.
        case halt(Halt)
    }

    /// How it ended.
    public let status: Status
    /// Gas not used, refunds not counted.
    public let gasLeft: UInt64
    /// The refund counter at the end, before the cap by ``Fork/refundQuotient``. Unless the message succeeded it is what
    /// the caller itself put there (EIP-7702).
    public let refund: UInt64
    /// Data of RETURN or REVERT; for a successful creation the code.
    public let output: [UInt8]
    /// What contracts logged, in order.
    public let logs: [Log]
    /// The contract that a successful creation made.
    public let createdAddress: Address?

    /// Whether it succeeded.
    public var isSuccess: Bool { status == .success }
}

/// Why a call frame ended exceptionally. All have the same effect.
public enum Halt: String, Hashable, Sendable {
    /// Less gas than the operation costs.
    case outOfGas
    /// A byte that is no opcode in this fork, or INVALID.
    case undefinedOpcode
    /// Fewer words on the stack than the operation takes.
    case stackUnderflow
    /// More than 1024 words on the stack.
    case stackOverflow
    /// A jump to something else than a JUMPDEST.
    case invalidJump
    /// RETURNDATACOPY past the end.
    case returnDataOutOfBounds
    /// A change of state within a STATICCALL.
    case staticViolation
    /// Initialisation code over the limit of EIP-3860.
    case initCodeTooLarge
    /// Code over the limit of EIP-170.
    case codeTooLarge
    /// Code that begins with 0xEF (EIP-3541).
    case invalidCode
    /// The new contract's address is taken (EIP-684, EIP-7610).
    case addressCollision
    /// A precompiled contract refused its input.
    case precompileFailure
}
