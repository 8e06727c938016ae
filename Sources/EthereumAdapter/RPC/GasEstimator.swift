import EVM
import Primitives

/// Finds the least gas with which a call succeeds, by go-ethereum's search (eth/gasestimator): an attempt with all there
/// may be, one with a good guess, then halving until the bounds are close.
struct GasEstimator {
    let simulator: CallSimulator
    let call: CallArguments
    /// Gas that may be tried.
    let cap: UInt64

    /// The search ends when the bounds are this close, as a share of the upper: 1.5 %, as in go-ethereum.
    private static let errorRatio = 0.015
    private static let transferGas: UInt64 = 21_000
    /// What a call with value adds to its callee's gas for nothing.
    private static let stipend: UInt64 = 2300

    /// The estimate.
    /// - Throws: ``RPCError`` if the call fails however much gas it gets.
    func estimate() throws(RPCError) -> UInt64 {
        var high = try upperBound()
        if isPlainTransfer, high >= Self.transferGas, try succeeds(Self.transferGas) { return Self.transferGas }
        let first = try simulator.run(call, gas: high)
        switch first.result.status {
        case .success: break
        case .revert: throw .reverted(first.result.output)
        case .halt(.outOfGas): throw .server("gas required exceeds allowance (\(high))")
        case .halt(let reason): throw .server(reason.rpcText)
        }
        var low = first.gasUsed - 1
        // 63/64 of the gas go to a callee at most (EIP-150), and refunds come only at the end.
        let guess = (first.gasUsed + first.refund + Self.stipend) * 64 / 63
        if guess < high {
            if try succeeds(guess) { high = guess } else { low = guess }
        }
        while low + 1 < high {
            if Double(high - low) / Double(high) < Self.errorRatio { break }
            var middle = low + (high - low) / 2
            // Most calls need little more than they use.
            if middle > low * 2 { middle = low * 2 }
            if try succeeds(middle) { high = middle } else { low = middle }
        }
        return high
    }

    private var isPlainTransfer: Bool {
        guard call.input.isEmpty, call.accessList.isEmpty, let to = call.to else { return false }
        let codeHash = simulator.view.account(to)?.codeHash ?? Keccak256.empty
        return codeHash == Keccak256.empty && simulator.overrides.isEmpty
    }

    private func upperBound() throws(RPCError) -> UInt64 {
        var high = simulator.header.gasLimit
        if let gas = call.gas, gas >= Self.transferGas { high = gas }
        if !call.feeCap.isZero {
            let balance = simulator.view.account(call.from)?.balance ?? .zero
            guard balance >= call.value else { throw .server("insufficient funds for transfer") }
            let allowance = (balance &- call.value).dividedOrZero(by: call.feeCap).quotient.clampedToUInt64
            high = min(high, allowance)
        }
        return min(high, cap)
    }

    /// Whether the call gets through with this much gas; a revert for another reason counts as no, as it does in the
    /// first attempt anyway.
    private func succeeds(_ gas: UInt64) throws(RPCError) -> Bool {
        let intrinsic = call.transaction(gas: gas).intrinsicGas(simulator.fork)
        guard gas >= intrinsic else { return false }
        return try simulator.run(call, gas: gas).result.isSuccess
    }
}
