public import Primitives

/// Watches an execution. Without a tracer the interpreter is a specialisation that has no trace of this.
public protocol Tracer: AnyObject {
    /// Called before each operation.
    func step(_ step: TraceStep)
    /// Called when a call, creation or precompile is entered; nested as they are.
    func enter(_ call: TraceCall)
    /// Called when the innermost open call ends.
    func exit(_ result: TraceResult)
}

/// The machine before one operation. The buffers are lent for the duration of the callback.
public struct TraceStep {
    /// Place in the code.
    public let pc: Int
    /// The operation's byte.
    public let opcode: UInt8
    /// Gas left.
    public let gas: UInt64
    /// 1 for the outermost call.
    public let depth: Int
    /// The executing account.
    public let address: Address
    /// The stack, top last.
    public let stack: UnsafeBufferPointer<UInt256>
    /// The memory.
    public let memory: UnsafeRawBufferPointer
    /// Data that the last call returned.
    public let returnData: UnsafeRawBufferPointer
    /// The refund counter.
    public let refund: Int64

    /// The operation's name, if it is one.
    public var name: String? { Instruction.name(of: opcode) }
}

/// A call that begins.
public struct TraceCall {
    /// CALL, CALLCODE, DELEGATECALL, STATICCALL, CREATE, CREATE2 or SELFDESTRUCT.
    public let kind: UInt8
    /// The caller.
    public let from: Address
    /// The account whose code runs, or the new contract.
    public let to: Address
    /// Wei that go with it.
    public let value: UInt256
    /// Gas given.
    public let gas: UInt64
    /// Call data or initialisation code, lent.
    public let input: UnsafeRawBufferPointer
}

/// A call that ended.
public struct TraceResult {
    /// How.
    public let status: ExecutionResult.Status
    /// Gas left of what was given.
    public let gasLeft: UInt64
    /// What it returned, lent.
    public let output: UnsafeRawBufferPointer
}
