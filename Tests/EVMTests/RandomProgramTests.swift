import EVM
import Primitives
import Testing

/// Programs of random bytes: whatever they are, they end without a trap, leave no frame open, never end with more gas
/// than they had, and the traced interpreter does the same as the untraced.
@Suite struct RandomProgramTests {
    private final class Watcher: Tracer {
        var depth = 0
        var steps = 0
        func step(_ step: TraceStep) {
            steps += 1
            precondition(step.stack.count <= 1024 && step.depth >= 1)
        }
        func enter(_ call: TraceCall) { depth += 1 }
        func exit(_ result: TraceResult) { depth -= 1 }
    }

    private static let contracts = (1...3).map { Address(number: 0xc0de00 + UInt64($0)) }

    @Test(arguments: Fork.allCases)
    func endWell(fork: Fork) {
        var random = Generator(state: UInt64(fork.rawValue) + 1)
        for round in 0..<400 {
            let seed = random.state
            var accounts: [Address: MemoryReader.Account] = [Address(number: 1): .init(balance: 1 << 20)]
            for contract in Self.contracts {
                accounts[contract] = .init(nonce: 1, balance: 77, code: random.program(), storage: [1: 9])
            }
            let gas = [UInt64(3000), 60_000, 400_000][round % 3]
            var outcomes: [ExecutionResult] = []
            var changes: [[AccountChange]] = []
            let watcher = Watcher()
            for tracer in [nil, watcher] as [Watcher?] {
                let state = WorldState(reader: MemoryReader(accounts))
                let evm = EVM(fork: fork, block: BlockEnvironment(number: 9), state: state, tracer: tracer)
                state.beginTransaction(fork)
                let result = evm.execute(
                    Message(
                        caller: Address(number: 1), target: .call(Self.contracts[0]), value: 3, input: [1, 2, 3],
                        gas: gas))
                state.endTransaction()
                outcomes.append(result)
                changes.append(state.takeChanges())
            }
            #expect(outcomes[0].gasLeft <= gas, "seed \(seed)")
            #expect(outcomes[0] == outcomes[1] && changes[0] == changes[1], "seed \(seed)")
            #expect(watcher.depth == 0, "seed \(seed)")
            if !outcomes[0].isSuccess { #expect(changes[0].isEmpty && outcomes[0].logs.isEmpty, "seed \(seed)") }
        }
    }

    /// A small seeded generator of programs that get somewhere: operands first, then often the opcodes that matter.
    private struct Generator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }

        mutating func program() -> [UInt8] {
            var code: [UInt8] = []
            for _ in 0..<Int(next() % 60) {
                switch next() % 8 {
                case 0...2: code += [0x60, UInt8(truncatingIfNeeded: next())]
                case 3: code += [0x62, 0xc0, 0xde, UInt8(1 + next() % 3)]
                case 4: code += [0x7f] + (0..<32).map { _ in next() % 3 == 0 ? 0xff : 0 }
                case 5:
                    let chosen: [UInt8] = [
                        0xf0, 0xf1, 0xf2, 0xf4, 0xf5, 0xfa, 0xff, 0x55, 0x54, 0x20, 0x5a, 0x3e, 0xf3,
                    ]
                    // Seven zeros and a callee, so that calls have operands.
                    code += [0x60, 0, 0x60, 0, 0x60, 4, 0x60, 0, 0x60, UInt8(next() % 2), 0x62, 0xc0, 0xde]
                    code += [UInt8(1 + next() % 3), 0x61, UInt8(truncatingIfNeeded: next()), 0xff]
                    code.append(chosen[Int(next() % UInt64(chosen.count))])
                default: code.append(UInt8(truncatingIfNeeded: next()))
                }
            }
            return code
        }
    }
}
