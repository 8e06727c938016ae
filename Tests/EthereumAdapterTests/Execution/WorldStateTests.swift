import EVM
import EthereumAdapter
import Primitives
import Testing

@Suite("World state")
struct WorldStateTests {
    /// The state as two dictionaries, and its root by the trie that is built at one go.
    struct Model: Equatable {
        var accounts: [Address: AccountState] = [:]
        var storage: [StorageKey: UInt256] = [:]

        mutating func apply(_ diff: StateDiff) {
            for (address, account) in diff.accounts { accounts[address] = account }
            for (key, value) in diff.storage { storage[key] = value.isZero ? nil : value }
        }

        func root() -> Bytes32 {
            OrderedTrie.root(
                accounts.map { address, account in
                    let slots = storage.filter { $0.key.address == address }.map { key, value in
                        var encoded = RLPWriter()
                        encoded.integer(value)
                        return (key: Keccak256.hash(key.slot).bytes, value: encoded.bytes)
                    }
                    let value = RLPWriter.list {
                        $0.integer(account.nonce)
                        $0.integer(account.balance)
                        $0.bytes(OrderedTrie.root(slots))
                        $0.bytes(account.codeHash)
                    }
                    return (key: Keccak256.hash(address).bytes, value: value)
                })
        }

        /// A random change; deleting an account clears its storage, as executions do.
        func randomDiff(_ random: inout SeededGenerator) -> StateDiff {
            var diff = StateDiff()
            for _ in 0..<Int.random(in: 1...10, using: &random) {
                let address = Address(number: UInt64.random(in: 1...25, using: &random))
                switch Int.random(in: 0..<6, using: &random) {
                case 0:
                    diff.accounts[address] = .some(nil)
                    for key in storage.keys where key.address == address { diff.storage[key] = .zero }
                    for key in diff.storage.keys where key.address == address { diff.storage[key] = .zero }
                case 1, 2:
                    guard (diff.accounts[address] ?? accounts[address]) != nil else { continue }
                    let slot = Bytes32(UInt256(UInt64.random(in: 0...20, using: &random)))
                    diff.storage[StorageKey(address, slot)] =
                        Bool.random(using: &random) ? .zero : UInt256(UInt64.random(in: 1...1000, using: &random))
                default:
                    diff.accounts[address] = AccountState(
                        nonce: UInt64.random(in: 0...3, using: &random),
                        balance: UInt256(UInt64.random(in: 0...UInt64.max, using: &random)))
                }
            }
            return diff
        }
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func agreesWithModelThroughApplyRollbackCommit(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var state = EthereumAdapter::WorldState()
        var history: [(number: UInt64, model: Model)] = [(0, Model())]
        for step in 0..<150 {
            let (number, model) = history[history.count - 1]
            switch Int.random(in: 0..<10, using: &random) {
            case 0 where history.count > 1:
                let target = history[Int.random(in: 0..<history.count, using: &random)].number
                state.rollback(to: target)
                history.removeAll { $0.number > target }
            case 1:
                let final = history[Int.random(in: 0..<history.count, using: &random)].number
                state.commit(to: final)
                history.removeAll { $0.number < final }
            case 2, 3, 4:
                #expect(state.stateRoot() == model.root(), "seed \(seed) step \(step)")
                #expect(state.accountCount == model.accounts.count)
            default:
                let diff = model.randomDiff(&random)
                var after = model
                after.apply(diff)
                state.apply(diff, block: number + 1)
                history.append((number + 1, after))
            }
            let current = history[history.count - 1].model
            for number in 1...25 as ClosedRange<UInt64> {
                let address = Address(number: number)
                #expect(state.account(address) == current.accounts[address], "seed \(seed) step \(step)")
                let slots = current.storage.filter { $0.key.address == address }
                #expect(
                    Dictionary(uniqueKeysWithValues: state.slots(of: address).map { ($0.slot, $0.value) })
                        == Dictionary(uniqueKeysWithValues: slots.map { ($0.key.slot, $0.value) }))
                #expect(state.hasStorage(address) == !slots.isEmpty)
                for (key, value) in slots { #expect(state.storage(address, key.slot) == value) }
            }
        }
        let current = history[history.count - 1].model
        #expect(state.stateRoot() == current.root(), "seed \(seed)")
    }

    @Test func diffsSurviveTheLedgersForm() throws {
        var random = SeededGenerator(seed: 11)
        var model = Model()
        for _ in 0..<50 {
            var diff = model.randomDiff(&random)
            diff.codes[Keccak256.hash([1, 2, 3])] = [1, 2, 3]
            let writes = diff.writes
            #expect(try StateDiff(writes: writes) == diff)
            let order = writes.map { Array($0.map.utf8) + [0] + $0.key }
            #expect(order == order.sorted { $0.lexicographicallyPrecedes($1) })
            model.apply(diff)
        }
    }

    /// Write sets that no execution makes: slots without an account, a deletion that leaves slots. Nothing traps, and
    /// when roots were asked for makes no difference.
    @Test(arguments: [false, true])
    func incoherentDiffsAreHarmless(asksOften: Bool) {
        let address = Address(number: 1)
        let key = StorageKey(address, .zero)
        var state = EthereumAdapter::WorldState()
        func apply(_ change: (inout StateDiff) -> Void) {
            var diff = StateDiff()
            change(&diff)
            state.apply(diff)
            if asksOften { _ = state.stateRoot() }
        }
        apply { $0.storage[key] = .one }
        #expect(state.account(address) == nil)
        #expect(state.storage(address, .zero) == .one)
        apply { $0.accounts[address] = AccountState(nonce: 1) }
        let root = state.stateRoot()
        apply { $0.accounts[address] = .some(nil) }
        #expect(state.stateRoot() == OrderedTrie.emptyRoot)
        apply { $0.accounts[address] = AccountState(nonce: 1) }
        #expect(state.stateRoot() == root)
        apply { $0.accounts[address] = .some(nil) }
        apply { $0.storage[key] = .zero }
        #expect(state.stateRoot() == OrderedTrie.emptyRoot)
        #expect(state.accountCount == 0)
        #expect(!state.hasStorage(address))
    }

    @Test func malformedWritesAreRefused() {
        func refused(_ map: String, _ key: [UInt8], _ value: [UInt8]?, _ error: StateDiffError) {
            #expect(throws: error) { try StateDiff(writes: [StateWrite(map: map, key: key, value: value)]) }
        }
        let address = [UInt8](repeating: 1, count: 20)
        refused("ethereum.other", address, [1], .unknownMap("ethereum.other"))
        refused(StateWrite.Map.accounts, [1], nil, .malformed(map: StateWrite.Map.accounts))
        refused(StateWrite.Map.accounts, address, [0xc0], .malformed(map: StateWrite.Map.accounts))
        refused(StateWrite.Map.accounts, address, [], .malformed(map: StateWrite.Map.accounts))
        refused(StateWrite.Map.storage, address, [1], .malformed(map: StateWrite.Map.storage))
        let slot = address + [UInt8](repeating: 0, count: 32)
        refused(StateWrite.Map.storage, slot, [0, 1], .malformed(map: StateWrite.Map.storage))
        refused(StateWrite.Map.storage, slot, [], .malformed(map: StateWrite.Map.storage))
        refused(StateWrite.Map.storage, slot, [UInt8](repeating: 1, count: 33), .malformed(map: StateWrite.Map.storage))
        refused(StateWrite.Map.code, [UInt8](repeating: 0, count: 32), [1], .malformed(map: StateWrite.Map.code))
    }

    @Test func proofsOfAccountsAndSlots() {
        var diff = StateDiff()
        for number in 1...40 as ClosedRange<UInt64> {
            diff.accounts[Address(number: number)] = AccountState(nonce: number, balance: UInt256(number))
            diff.storage[StorageKey(Address(number: 7), Bytes32(UInt256(number)))] = UInt256(number)
        }
        var state = EthereumAdapter::WorldState()
        state.apply(diff)
        let root = state.stateRoot()
        let seven = Address(number: 7)
        let account = ProofCheck.value(
            of: Keccak256.hash(seven).bytes, root: root, nodes: state.accountProof(seven))
        let storageRoot = state.storageRoot(seven)
        #expect(
            account
                == .some(
                    RLPWriter.list {
                        $0.integer(7 as UInt64)
                        $0.integer(7 as UInt64)
                        $0.bytes(storageRoot)
                        $0.bytes(Keccak256.empty)
                    }))
        let slot = Bytes32(UInt256(9 as UInt64))
        #expect(
            ProofCheck.value(
                of: Keccak256.hash(slot).bytes, root: storageRoot, nodes: state.storageProof(seven, slot))
                == .some([9]))
        let stranger = Address(number: 99)
        #expect(
            ProofCheck.value(of: Keccak256.hash(stranger).bytes, root: root, nodes: state.accountProof(stranger))
                == .some(nil))
    }
}
