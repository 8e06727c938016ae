import AdapterKit
import EVM
import Primitives

// Calls that leave no trace.
extension RPCServer {
    private func simulator(_ call: RPCCall, overrides: Int?) throws(RPCError) -> CallSimulator {
        let (view, header) = try chain.view(at: call.parameters.block(1, default: .latest))
        let overrides = try AccountOverride.list(overrides.flatMap { call.parameters.optional($0) })
        return CallSimulator(chain: chain, view: view, header: header, overrides: overrides)
    }

    func call(_ call: RPCCall) throws(RPCError) -> JSON {
        let arguments = try CallArguments(call.parameters.object(0))
        let simulator = try simulator(call, overrides: 2)
        let cap = chain.settings.callGasCap
        let outcome = try simulator.run(arguments, gas: min(arguments.gas ?? cap, cap))
        switch outcome.result.status {
        case .success: return .data(outcome.result.output)
        case .revert: throw .reverted(outcome.result.output)
        case .halt(let reason): throw .server(reason.rpcText)
        }
    }

    func estimateGas(_ call: RPCCall) throws(RPCError) -> JSON {
        let arguments = try CallArguments(call.parameters.object(0))
        let simulator = try simulator(call, overrides: 2)
        return .quantity(
            try GasEstimator(simulator: simulator, call: arguments, cap: chain.settings.callGasCap).estimate())
    }

    /// Rounds of list and execution at most; each finds what the one before made reachable.
    private static let accessListRoundsMax = 8

    func createAccessList(_ call: RPCCall) throws(RPCError) -> JSON {
        var arguments = try CallArguments(call.parameters.object(0))
        let simulator = try simulator(call, overrides: nil)
        let cap = chain.settings.callGasCap
        var excluded: Set<Address> = [arguments.from, simulator.header.beneficiary]
        excluded.insert(
            arguments.to
                ?? Address.contract(of: arguments.from, nonce: simulator.view.account(arguments.from)?.nonce ?? 0))
        for _ in 0..<Self.accessListRoundsMax {
            let tracer = AccessListTracer(excluding: excluded)
            let outcome = try simulator.run(arguments, gas: min(arguments.gas ?? cap, cap), tracer: tracer)
            let list = tracer.list
            guard list != arguments.accessList else {
                var answer = JSONObject([.init(name: "accessList", value: RPCFormat.accessList(list))])
                switch outcome.result.status {
                case .success: break
                case .revert: answer.append("error", .string(RPCError.reverted(outcome.result.output).message))
                case .halt(let reason): answer.append("error", .string(reason.rpcText))
                }
                answer.append("gasUsed", .quantity(outcome.gasUsed))
                return .object(answer)
            }
            arguments.accessList = list
        }
        throw .server("the access list doesn't settle")
    }
}
