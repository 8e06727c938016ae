public import Primitives

/// The Ethereum Virtual Machine: executes messages on a ``WorldState`` under the rules of one fork.
///
/// Transaction rules (nonce, signature, fees, intrinsic gas, refund cap) are the caller's, before and after
/// ``execute(_:)``, within the same transaction of the state; see ``WorldState`` for the sequence. An instance may serve
/// any number of blocks and transactions of its fork; it keeps its frames' stacks and memories. Not for several threads
/// at once.
public final class EVM {
    /// The rules.
    public let fork: Fork
    /// The state.
    public let state: WorldState
    /// The block that opcodes see.
    public var block: BlockEnvironment
    /// Who watches; nil costs nothing.
    public var tracer: (any Tracer)?

    let table: InstructionTable
    let prices: GasPrices
    let precompiles: PrecompileTable
    /// The message in execution.
    var message = Message(caller: .zero, target: .call(.zero), gas: 0)
    var frames = FramePool()
    /// Depth of the running frame; -1 between messages.
    var depth = -1
    var result: ExecutionResult?

    /// A machine for a fork, a block and a state.
    public init(fork: Fork, block: BlockEnvironment, state: WorldState, tracer: (any Tracer)? = nil) {
        self.fork = fork
        self.block = block
        self.state = state
        self.tracer = tracer
        table = .table(for: fork)
        prices = GasPrices(fork)
        precompiles = .table(for: fork)
    }

    deinit { frames.destroy() }

    /// Runs one message to its end. The caller must have the value that goes with it.
    public func execute(_ message: Message) -> ExecutionResult {
        precondition(depth == -1, "a message is executed from within another")
        self.message = message
        result = nil
        let gas = Int64(clamping: message.gas)
        let caller = state.index(of: message.caller)
        message.input.withUnsafeBytes { input in
            let entry: Entry
            switch message.target {
            case .call(let address):
                let index = state.index(of: address)
                var codeAccount = index
                if fork >= .prague, let delegate = state.delegate(of: index) {
                    codeAccount = delegate
                    _ = state.warmAccount(delegate)
                }
                entry = enterCall(
                    Call(
                        opcode: 0xf1, caller: caller, account: index, codeAccount: codeAccount, code: address,
                        address: address, sender: message.caller, value: message.value, transfers: true,
                        isStatic: message.isStatic, input: input, gas: gas, target: 0..<0))
            case .create(let nonce):
                entry = enterCreate(
                    Address.contract(of: message.caller, nonce: nonce), opcode: 0xf0, caller: caller,
                    sender: message.caller, value: message.value, initCode: input, gas: gas)
            }
            switch entry {
            case .entered:
                if tracer == nil { run(Untraced.self) } else { run(Traced.self) }
            case .done(let status, let gasLeft, let output):
                finish(status, gas: gasLeft, output: output, created: nil)
            }
        }
        guard let result else { preconditionFailure("a message ended without a result") }
        self.result = nil
        return result
    }

    /// Sets the result of the outermost call.
    func finish(_ status: ExecutionResult.Status, gas: Int64, output: [UInt8], created: Address?) {
        result = ExecutionResult(
            status: status, gasLeft: UInt64(gas), refund: UInt64(max(0, state.refund)), output: output,
            logs: state.logs, createdAddress: status == .success ? created : nil)
    }
}

extension Address {
    /// The address of a contract made by CREATE or a transaction.
    public static func contract(of sender: Address, nonce: UInt64) -> Address {
        Address(
            tailOf: Keccak256.hash(
                RLPWriter.list {
                    $0.bytes(sender)
                    $0.integer(nonce)
                }))
    }

    /// The address of a contract made by CREATE2 (EIP-1014).
    public static func contract(of sender: Address, salt: Bytes32, initCodeHash: Bytes32) -> Address {
        Address(tailOf: Keccak256.hash([0xff] + sender.bytes + salt.bytes + initCodeHash.bytes))
    }
}
