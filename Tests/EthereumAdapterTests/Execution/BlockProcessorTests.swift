import EVM
import EthereumAdapter
import Primitives
import Testing

@Suite("Block processor")
struct BlockProcessorTests {
    static let alice = Address(number: 0xa11ce)
    static let bob = Address(number: 0xb0b)
    static let miner = Address(number: 0xc01)

    static func world() -> EthereumAdapter::WorldState {
        var diff = StateDiff()
        diff.accounts[alice] = AccountState(balance: UInt256(1_000_000_000_000_000_000 as UInt64))
        var world = EthereumAdapter::WorldState()
        world.apply(diff)
        return world
    }

    static func processor(_ fork: Fork, on world: EthereumAdapter::WorldState, gasLimit: UInt64 = 100_000)
        -> BlockProcessor
    {
        BlockProcessor(
            on: world,
            environment: BlockEnvironment(
                number: 1, coinbase: miner, gasLimit: gasLimit,
                baseFee: fork >= .london ? UInt256(10 as UInt64) : .zero), fork: fork, blockHash: { _ in .zero })
    }

    static func transfer(_ nonce: UInt64, value: UInt64 = 5, gas: UInt64 = 21_000) -> Transaction {
        Transaction(
            chainID: 1, nonce: nonce, gasPrice: UInt256(12 as UInt64), gasLimit: gas, to: bob,
            value: UInt256(value))
    }

    @Test func feesAreSplitAndBurnt() throws {
        var world = Self.world()
        var processor = Self.processor(.cancun, on: world)
        let receipt = try processor.execute(Self.transfer(0), sender: Self.alice)
        #expect(receipt.succeeded == true)
        #expect(receipt.gasUsed == 21_000)
        world.apply(processor.finish().diff, block: 1)
        #expect(world.account(Self.bob)?.balance == UInt256(5 as UInt64))
        #expect(world.account(Self.miner)?.balance == UInt256(42_000 as UInt64))
        let rest = UInt256(1_000_000_000_000_000_000 - 21_000 * 12 - 5 as UInt64)
        #expect(world.account(Self.alice) == AccountState(nonce: 1, balance: rest))
        world.rollback(to: 0)
        #expect(
            world.stateRoot()
                == {
                    var state = Self.world(); return state.stateRoot()
                }())
    }

    /// A refused transaction leaves no trace and does not stop the block.
    @Test func refusedTransactionsAreSkipped() throws {
        let world = Self.world()
        var processor = Self.processor(.cancun, on: world, gasLimit: 50_000)
        #expect(throws: TransactionError(.nonceTooHigh)) {
            try processor.execute(Self.transfer(1), sender: Self.alice)
        }
        #expect(throws: TransactionError(.insufficientFunds)) {
            try processor.execute(Self.transfer(0), sender: Self.bob)
        }
        #expect(throws: TransactionError(.gasLimitReached)) {
            try processor.execute(Self.transfer(0, gas: 50_001), sender: Self.alice)
        }
        _ = try processor.execute(Self.transfer(0), sender: Self.alice)
        #expect(throws: TransactionError(.nonceTooLow)) {
            try processor.execute(Self.transfer(0), sender: Self.alice)
        }
        _ = try processor.execute(Self.transfer(1), sender: Self.alice)
        #expect(throws: TransactionError(.gasLimitReached)) {
            try processor.execute(Self.transfer(2), sender: Self.alice)
        }
        let outcome = processor.finish()
        #expect(outcome.receipts.map(\.cumulativeGasUsed) == [21_000, 42_000])
        #expect(outcome.gasUsed == 42_000)
        #expect(outcome.diff.accounts.keys.sorted() == [Self.bob, Self.miner, Self.alice].sorted())
        let header = outcome.seal(Header(number: 1), transactions: [], stateRoot: .zero)
        #expect(header.gasUsed == 42_000)
        #expect(header.receiptsRoot == Receipt.root(outcome.receipts))
    }

    /// Before Byzantium a receipt holds the state root after its transaction.
    @Test func oldReceiptsHoldRoots() throws {
        var world = Self.world()
        var processor = Self.processor(.homestead, on: world)
        let first = try processor.execute(Self.transfer(0), sender: Self.alice)
        let second = try processor.execute(Self.transfer(1), sender: Self.alice)
        #expect(first.outcome != second.outcome)
        world.apply(processor.finish().diff)
        #expect(second.outcome == .stateRoot(world.stateRoot()))
    }

    /// A contract that stores its input destructs itself: its slots are in the diff, one by one, as removed.
    @Test func destructionClearsStorage() throws {
        var world = Self.world()
        let contract = Address(number: 0xdead)
        let code: [UInt8] = [0x33, 0xff]
        var diff = StateDiff()
        diff.accounts[contract] = AccountState(nonce: 1, codeHash: Keccak256.hash(code))
        diff.codes[Keccak256.hash(code)] = code
        for slot in 1...3 as ClosedRange<UInt64> {
            diff.storage[StorageKey(contract, Bytes32(UInt256(slot)))] = UInt256(slot)
        }
        world.apply(diff)
        var processor = Self.processor(.shanghai, on: world)
        var call = Self.transfer(0, value: 0, gas: 60_000)
        call.to = contract
        #expect(try processor.execute(call, sender: Self.alice).succeeded == true)
        let outcome = processor.finish()
        #expect(outcome.diff.accounts[contract] == .some(nil))
        #expect(outcome.diff.storage.count == 3)
        #expect(!outcome.diff.storage.values.contains { !$0.isZero })
        world.apply(outcome.diff, block: 1)
        #expect(!world.hasStorage(contract))
        _ = world.stateRoot()
        world.rollback(to: 0)
        #expect(world.slots(of: contract).count == 3)
        #expect(world.account(contract)?.nonce == 1)
    }

    @Test func creationIsNamedInTheReceipt() throws {
        let world = Self.world()
        var processor = Self.processor(.cancun, on: world)
        var create = Self.transfer(0, value: 0, gas: 90_000)
        create.to = nil
        // PUSH1 1, PUSH1 0, RETURN: one zero byte of code.
        create.input = [0x60, 1, 0x60, 0, 0xf3]
        let receipt = try processor.execute(create, sender: Self.alice)
        #expect(receipt.succeeded == true)
        let address = try #require(receipt.contractAddress)
        #expect(address == Self.alice.created(nonce: 0))
        let outcome = processor.finish()
        #expect(outcome.diff.codes[Keccak256.hash([0])] == [0])
        #expect(outcome.diff.accounts[address] == AccountState(nonce: 1, codeHash: Keccak256.hash([0])))
    }
}
