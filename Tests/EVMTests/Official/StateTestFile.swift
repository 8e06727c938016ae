import EVM
import Primitives

/// Runs the cases of one file in the format GeneralStateTests.
struct StateTestFile {
    let name: String
    let json: JSON

    /// What a run found.
    struct Outcome {
        var cases = 0
        var failures: [String] = []
    }

    /// Runs the cases of the forks given.
    func run(forks: ClosedRange<Fork> = .frontier ... .osaka, tracer: (any Tracer)? = nil) -> Outcome {
        var outcome = Outcome()
        do {
            for test in try json.members() {
                let reader = MemoryReader(try test.value.member("pre").accounts())
                for post in try test.value.member("post").members() {
                    guard let fork = Fork(fixtureName: post.name), forks.contains(fork) else { continue }
                    for (i, expected) in try post.value.elements().enumerated() {
                        outcome.cases += 1
                        if let flaw = try run(test.value, expected, fork, reader, tracer) {
                            outcome.failures.append("\(name) \(test.name) \(post.name) \(i): \(flaw)")
                        }
                    }
                }
            }
        } catch {
            outcome.failures.append("\(name): \(error)")
        }
        return outcome
    }

    private func run(
        _ test: JSON, _ expected: JSON, _ fork: Fork, _ reader: MemoryReader, _ tracer: (any Tracer)?
    ) throws -> String? {
        let block = try environment(try test.member("env"), fork)
        let state = WorldState(reader: reader)
        let evm = EVM(fork: fork, block: block, state: state, tracer: tracer)
        let mustFail = expected["expectException"] != nil
        var logs: [Log] = []
        // A transaction that can't even be read is as good as refused.
        let transaction = try? FixtureTransaction(
            try test.member("transaction"), try expected.member("indexes"))
        if let transaction {
            let flaw = transaction.flaw(
                fork, block, state.account(transaction.sender) ?? AccountState(),
                senderDelegates: fork >= .prague && state.delegate(of: transaction.sender) != nil)
            if flaw == nil, mustFail { return "accepted, expected \(expected["expectException"]?.string ?? "")" }
            if let flaw, !mustFail { return "refused: \(flaw)" }
            if flaw == nil { logs = transaction.run(evm) }
        } else if !mustFail {
            return "unreadable transaction"
        }
        // The runners of these tests touch the beneficiary, as a block's reward of 0 does.
        state.beginTransaction(fork)
        state.addBalance(block.coinbase, .zero)
        state.endTransaction()
        let after = MemoryReader(reader.accounts)
        after.apply(state.takeChanges())
        let root = NaiveTrie.stateRoot(after.accounts)
        let logsHash = Keccak256.hash(Self.encode(logs))
        if try logsHash != expected.member("logs").digest() { return "logs differ" }
        return try root == expected.member("hash").digest() ? nil : "state root differs"
    }

    private func environment(_ env: JSON, _ fork: Fork) throws -> BlockEnvironment {
        BlockEnvironment(
            number: try env.member("currentNumber").number(), timestamp: try env.member("currentTimestamp").number(),
            coinbase: try env.member("currentCoinbase").address(),
            gasLimit: try env.member("currentGasLimit").word().clampedToUInt64,
            baseFee: try env["currentBaseFee"]?.word() ?? .zero,
            difficulty: try env.member("currentDifficulty").word(),
            prevRandao: try env["currentRandom"].map { Bytes32(try $0.word()) } ?? .zero,
            blobBaseFee: Self.blobBaseFee(
                try env["currentExcessBlobGas"]?.number() ?? 0, fraction: fork >= .prague ? 5_007_716 : 3_338_477))
    }

    /// fake_exponential of EIP-4844.
    private static func blobBaseFee(_ excess: UInt64, fraction: UInt256) -> UInt256 {
        var output = UInt256.zero
        var term = fraction
        var i: UInt64 = 1
        while !term.isZero {
            output = output &+ term
            term = (term &* UInt256(excess)).dividedOrZero(by: fraction &* UInt256(i)).quotient
            i += 1
        }
        return output.dividedOrZero(by: fraction).quotient
    }

    static func encode(_ logs: [Log]) -> [UInt8] {
        RLPWriter.list { list in
            for log in logs {
                list.list { item in
                    item.bytes(log.address)
                    item.list { topics in
                        for topic in log.topics { topics.bytes(topic) }
                    }
                    item.bytes(log.data)
                }
            }
        }
    }
}
