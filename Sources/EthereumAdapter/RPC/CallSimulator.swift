import EVM
import Primitives

/// Runs a call on the state after a block, in that block's surroundings, and throws its effects away.
struct CallSimulator {
    let chain: EthereumChain
    let view: StateView
    let header: Header
    let overrides: [AccountOverride]

    /// What a run gave.
    struct Outcome {
        var result: ExecutionResult
        /// Gas used, intrinsic gas included and refunds taken off.
        var gasUsed: UInt64
        /// What refunds took off.
        var refund: UInt64
    }

    private var surroundings: ReplayEnvironment? { chain.replay?.environment }
    private var number: UInt64 { surroundings?.header.number ?? header.number }
    private var time: UInt64 { surroundings?.header.timestamp ?? header.timestamp }

    var fork: Fork { chain.rules.fork(number: number, time: time) }

    /// Runs the call with `gas` units.
    /// - Throws: ``RPCError`` if a transaction like this could not start.
    func run(_ call: CallArguments, gas: UInt64, tracer: (any Tracer)? = nil) throws(RPCError) -> Outcome {
        let fork = fork
        let source = surroundings?.header ?? header
        let baseFee = call.feeCap.isZero ? .zero : source.baseFeePerGas ?? .zero
        let price = call.price(baseFee: baseFee)
        guard call.feeCap.isZero || call.feeCap >= baseFee else {
            throw .server(
                "max fee per gas less than block base fee: address \(call.from.hex), maxFeePerGas: \(call.feeCap), "
                    + "baseFee: \(baseFee)")
        }
        let environment = BlockEnvironment(
            number: number, timestamp: time, coinbase: source.beneficiary, gasLimit: source.gasLimit,
            baseFee: baseFee, difficulty: source.difficulty, prevRandao: source.mixHash,
            chainID: UInt256(chain.rules.chainID),
            blobBaseFee: FeeRules.blobBaseFee(excess: source.excessBlobGas ?? 0, .schedule(fork)))
        let evm = EVM(
            fork: fork, block: environment, state: .init(reader: view, codeCache: chain.codeCache), tracer: tracer)
        apply(overrides, to: evm)

        let transaction = call.transaction(gas: gas)
        let intrinsic = transaction.intrinsicGas(fork)
        guard gas >= intrinsic else { throw .server("intrinsic gas too low: have \(gas), want \(intrinsic)") }
        let floor = transaction.floorGas(fork)
        guard gas >= floor else {
            throw .server("insufficient gas for floor data gas cost: have \(gas), want \(floor)")
        }
        if call.to == nil, let limit = fork.initCodeSizeMax, call.input.count > limit {
            throw .server("max initcode size exceeded: code size \(call.input.count) limit \(limit)")
        }
        evm.state.beginTransaction(fork)
        let nonce = evm.state.nonce(call.from)
        try pay(call, gas: gas, price: price, evm)
        evm.state.warm(call.from)
        if let to = call.to { evm.state.warm(to) }
        if fork >= .shanghai { evm.state.warm(source.beneficiary) }
        for entry in call.accessList {
            evm.state.warm(entry.address)
            for slot in entry.slots { evm.state.warm(entry.address, UInt256(slot)) }
        }
        if call.to == nil {
            evm.state.incrementNonce(call.from)
        } else if nonce < .max {
            evm.state.incrementNonce(call.from)
        }
        if fork >= .prague {
            for authorization in call.authorizations {
                authorization.apply(to: evm.state, chainID: environment.chainID)
            }
        }
        let result = evm.execute(
            Message(
                caller: call.from, target: call.to.map { .call($0) } ?? .create(nonce: nonce), value: call.value,
                input: call.input, gas: gas - intrinsic, gasPrice: price))
        let used = gas - result.gasLeft
        let refund = result.isSuccess ? min(result.refund, used / fork.refundQuotient) : 0
        return Outcome(result: result, gasUsed: max(used - refund, floor), refund: refund)
    }

    /// Takes the price of the gas from the caller, and makes sure that it has the value.
    private func pay(_ call: CallArguments, gas: UInt64, price: UInt256, _ evm: EVM) throws(RPCError) {
        let balance = evm.state.balance(call.from)
        let (cap, tooLarge) = UInt256(gas).multipliedReportingOverflow(by: call.feeCap)
        let (needed, overflow) = cap.addingReportingOverflow(call.value)
        guard !tooLarge, !overflow, needed <= balance else {
            throw .server(
                "insufficient funds for gas * price + value: address \(call.from.hex) have \(balance) want "
                    + (tooLarge || overflow ? "over 2^256" : needed.description))
        }
        _ = evm.state.subtractBalance(call.from, UInt256(gas) &* price)
    }

    private func apply(_ overrides: [AccountOverride], to evm: EVM) {
        guard !overrides.isEmpty else { return }
        evm.state.beginTransaction(fork)
        for override in overrides {
            if let balance = override.balance {
                _ = evm.state.subtractBalance(override.address, evm.state.balance(override.address))
                evm.state.addBalance(override.address, balance)
            }
            if let nonce = override.nonce { evm.state.setNonce(override.address, nonce) }
            if let code = override.code { evm.state.setCode(override.address, code) }
            for (slot, value) in override.storage {
                evm.state.setStorage(override.address, UInt256(slot), value)
            }
        }
        evm.state.endTransaction()
    }
}

extension Halt {
    /// go-ethereum's text for the end of a call.
    var rpcText: String {
        switch self {
        case .outOfGas: "out of gas"
        case .undefinedOpcode: "invalid opcode"
        case .stackUnderflow: "stack underflow"
        case .stackOverflow: "stack limit reached 1024"
        case .invalidJump: "invalid jump destination"
        case .returnDataOutOfBounds: "return data out of bounds"
        case .staticViolation: "write protection"
        case .initCodeTooLarge: "max initcode size exceeded"
        case .codeTooLarge: "max code size exceeded"
        case .invalidCode: "invalid code: must not begin with 0xef"
        case .addressCollision: "contract address collision"
        case .precompileFailure: "precompiled contract failed"
        }
    }
}
