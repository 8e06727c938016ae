import EVM
import Glibc
import Primitives

// `EVMBench NAME` runs one program once and prints gas (or calls) and CPU nanoseconds; without a name it runs each
// five times and prints the best rate.

let sender = Address(number: 0x5e4d)
let contract = Address(number: 0xc0de)

func cpuNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

struct Sample {
    /// Gas for the loops, calls for the token.
    var units: UInt64
    var nanoseconds: UInt64
    var perSecond: Double { Double(units) * 1e9 / Double(nanoseconds) }
}

func machine(_ code: String) -> EVM {
    let reader = BenchState()
    reader.deploy(Hex.decode(code) ?? [], at: contract)
    reader.accounts[sender] = AccountState(nonce: 1, balance: UInt256.one << 80)
    if code == tokenCode {
        let slot = Keccak256.hash(Bytes32.zero.bytes + Bytes32(UInt256(sender)).bytes)
        reader.slots[contract] = [UInt256(slot): UInt256.one << 80, 1: UInt256.one << 80]
    }
    return EVM(fork: .cancun, block: BlockEnvironment(number: 1), state: WorldState(reader: reader))
}

func runLoop(_ code: String) -> Sample {
    let evm = machine(code)
    let gas: UInt64 = 1_000_000_000
    // Once short of gas first, so that the code is analysed and the pages are there.
    for limit in [10_000, gas] {
        evm.state.beginTransaction(.cancun)
        let start = cpuNanoseconds()
        let result = evm.execute(Message(caller: sender, target: .call(contract), gas: limit))
        let time = cpuNanoseconds() - start
        evm.state.endTransaction()
        if limit == gas {
            precondition(result.isSuccess, "the program ended with \(result.status)")
            return Sample(units: gas - result.gasLeft, nanoseconds: time)
        }
    }
    preconditionFailure("no run")
}

/// Transfers of one unit to `holders` addresses in turn, each a transaction.
func runToken(calls: Int, holders: Int) -> Sample {
    let evm = machine(tokenCode)
    let inputs = (0..<holders).map { i in
        [0xa9, 0x05, 0x9c, 0xbb] + UInt256(Address(tailOf: Keccak256.hash(Bytes32(UInt256(i))))).bytes
            + UInt256.one.bytes
    }
    func pass(_ count: Int) {
        for i in 0..<count {
            evm.state.beginTransaction(.cancun)
            evm.state.incrementNonce(sender)
            evm.state.warm(sender)
            evm.state.warm(contract)
            let result = evm.execute(
                Message(caller: sender, target: .call(contract), input: inputs[i % holders], gas: 100_000))
            precondition(result.isSuccess && result.output.last == 1, "the transfer failed")
            evm.state.endTransaction()
        }
    }
    if calls > holders { pass(holders) }
    let start = cpuNanoseconds()
    pass(calls)
    return Sample(units: UInt64(calls), nanoseconds: cpuNanoseconds() - start)
}

func run(_ name: String) -> Sample? {
    switch name {
    case "erc20_new": runToken(calls: 50_000, holders: 50_000)
    case "erc20_known": runToken(calls: 50_000, holders: 1000)
    default: loops.first { $0.name == name }.map { runLoop($0.code) }
    }
}

if let name = CommandLine.arguments.dropFirst().first {
    guard let sample = run(name) else {
        print("no program \(name)")
        exit(1)
    }
    print(sample.units, sample.nanoseconds)
} else {
    for name in loops.map(\.name) + ["erc20_new", "erc20_known"] {
        let best = (0..<5).compactMap { _ in run(name)?.perSecond }.max() ?? 0
        let isToken = name.hasPrefix("erc20")
        print(name, isToken ? "\(Int(best)) calls/s" : "\(Int(best / 1e6)) Mgas/s")
    }
}
