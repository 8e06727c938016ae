public import EVM
public import Primitives

/// The EVM's overlay; the module has a ``WorldState`` of its own under it.
typealias StateOverlay = EVM::WorldState

/// Executes the transactions of one block, in order, on a state that it reads but doesn't change.
///
/// A transaction whose terms don't hold is refused with an error and leaves no trace, so that the maker of a block can
/// go on with the next one. ``finish()`` gives the receipts and what changed.
///
/// Not here: rewards for blocks and ommers, which a ledger with its own consensus doesn't pay, and the DAO's irregular
/// state change, which concerns block 1,920,000 of one chain.
public struct BlockProcessor {
    /// The rules in force.
    public let fork: Fork
    /// What the opcodes see of the block.
    public let environment: BlockEnvironment
    /// Receipts so far.
    public private(set) var receipts: [Receipt] = []
    /// Gas used so far.
    public private(set) var gasUsed: UInt64 = 0
    /// Blob gas used so far.
    public private(set) var blobGasUsed: UInt64 = 0

    private let overlay: StateOverlay
    private let evm: EVM
    private var base: WorldState
    private var diff = StateDiff()

    /// Opens a block.
    /// - Parameters:
    ///   - state: The state before it.
    ///   - environment: What the opcodes see of it.
    ///   - fork: The rules.
    ///   - codeCache: The cache that the blocks before used, if any.
    ///   - blockHash: The hash of an earlier block; asked only for the 256 before this one.
    public init(
        on state: WorldState, environment: BlockEnvironment, fork: Fork, codeCache: CodeCache = CodeCache(),
        blockHash: @escaping (UInt64) -> Bytes32
    ) {
        self.fork = fork
        self.environment = environment
        base = state
        overlay = StateOverlay(
            reader: StateSnapshot(state: state, hash: blockHash), codeCache: codeCache)
        evm = EVM(fork: fork, block: environment, state: overlay)
    }

    /// What the next transaction must fit.
    public var terms: BlockTerms {
        let blobGasMax = fork >= .cancun ? FeeRules.BlobSchedule.schedule(fork).max * Transaction.gasPerBlob : 0
        return BlockTerms(
            fork: fork, baseFee: environment.baseFee, blobBaseFee: environment.blobBaseFee,
            gasLeft: environment.gasLimit - gasUsed, blobGasLeft: blobGasMax - blobGasUsed)
    }

    /// An account as the transactions so far left it.
    public func account(_ address: Address) -> AccountState? { overlay.account(address) }

    /// Checks whether a transaction may be the next one.
    /// - Throws: ``TransactionError`` if not.
    public func check(_ transaction: Transaction, sender: Address) throws(TransactionError) {
        let delegates = fork >= .prague && overlay.delegate(of: sender) != nil
        try transaction.validate(sender: overlay.account(sender), delegates: delegates, in: terms)
    }

    /// Executes the next transaction.
    /// - Throws: ``TransactionError`` if it may not be in the block here; nothing has changed then.
    public mutating func execute(_ transaction: Transaction, sender: Address) throws(TransactionError) -> Receipt {
        try check(transaction, sender: sender)
        overlay.beginTransaction(fork)
        let price = transaction.effectiveGasPrice(baseFee: environment.baseFee)
        // The terms bound these products by the balance.
        let gasCost = UInt256(transaction.gasLimit) &* price
        let blobCost = UInt256(transaction.blobGas) &* environment.blobBaseFee
        guard overlay.subtractBalance(sender, gasCost &+ blobCost) else {
            overlay.revertTransaction()
            throw TransactionError(.insufficientFunds)
        }
        overlay.incrementNonce(sender)
        for authorization in transaction.authorizations {
            authorization.apply(to: overlay, chainID: environment.chainID)
        }
        if fork >= .berlin { warm(transaction, sender) }

        let result = evm.execute(
            Message(
                caller: sender, target: transaction.to.map { .call($0) } ?? .create(nonce: transaction.nonce),
                value: transaction.value, input: transaction.input,
                gas: transaction.gasLimit - transaction.intrinsicGas(fork), gasPrice: price,
                blobHashes: transaction.blobVersionedHashes))

        var used = transaction.gasLimit - result.gasLeft
        used -= min(result.refund, used / fork.refundQuotient)
        used = max(used, transaction.floorGas(fork))
        overlay.addBalance(sender, UInt256(transaction.gasLimit - used) &* price)
        // The base fee is burnt (EIP-1559); the beneficiary is touched even if nothing is left for it.
        overlay.addBalance(environment.coinbase, UInt256(used) &* (price &- environment.baseFee))
        overlay.endTransaction()

        gasUsed += used
        blobGasUsed += transaction.blobGas
        let outcome: Receipt.Outcome
        if fork >= .byzantium {
            outcome = .status(result.isSuccess)
        } else {
            takeChanges()
            outcome = .stateRoot(base.stateRoot())
        }
        let receipt = Receipt(
            kind: transaction.kind, outcome: outcome, cumulativeGasUsed: gasUsed, logs: result.logs, gasUsed: used,
            effectiveGasPrice: price,
            contractAddress: transaction.isCreate ? sender.created(nonce: transaction.nonce) : nil,
            blobGasUsed: transaction.blobGas)
        receipts.append(receipt)
        return receipt
    }

    /// What is warm from the start: sender and target (EIP-2929), the access list (EIP-2930), the beneficiary
    /// (EIP-3651).
    private func warm(_ transaction: Transaction, _ sender: Address) {
        overlay.warm(sender)
        overlay.warm(transaction.to ?? sender.created(nonce: transaction.nonce))
        if fork >= .shanghai { overlay.warm(environment.coinbase) }
        for entry in transaction.accessList {
            overlay.warm(entry.address)
            for slot in entry.slots { overlay.warm(entry.address, UInt256(slot)) }
        }
    }

    /// Pays withdrawals (EIP-4895), after the transactions.
    public mutating func pay(_ withdrawals: [Withdrawal]) {
        for withdrawal in withdrawals {
            credit(withdrawal.address, UInt256(withdrawal.amount) &* UInt256(1_000_000_000 as UInt64))
        }
    }

    /// Makes wei out of nothing, as rewards do; even none touches the account.
    public mutating func credit(_ address: Address, _ amount: UInt256) {
        overlay.beginTransaction(fork)
        overlay.addBalance(address, amount)
        overlay.endTransaction()
    }

    /// Makes the calls that stand before the first transaction: the root of the parent beacon block (EIP-4788) and the
    /// parent's hash (EIP-2935) go to their contracts.
    public mutating func open(_ header: Header) {
        if let root = header.parentBeaconBlockRoot { systemCall(BlockProcessor.beaconRoots, input: root.bytes) }
        if fork >= .prague { systemCall(BlockProcessor.blockHashes, input: header.parentHash.bytes) }
    }

    private static let beaconRoots = Address(hex: "000f3df6d732807ef1319fb7b8bb8522d0beac02") ?? .zero
    private static let blockHashes = Address(hex: "0000f90827f1c53a10cb7a02335b175320002935") ?? .zero

    /// Gives a contract a message that costs nobody gas and is in no receipt, as the protocol does at the start of a
    /// block (EIP-4788); a contract that isn't there gets none.
    public mutating func systemCall(_ contract: Address, input: [UInt8]) {
        guard let account = overlay.account(contract), account.codeHash != Keccak256.empty else { return }
        overlay.beginTransaction(fork)
        _ = evm.execute(
            Message(caller: BlockProcessor.systemAddress, target: .call(contract), input: input, gas: 30_000_000))
        overlay.endTransaction()
    }

    /// Who sends system calls (EIP-4788, SYSTEM_ADDRESS).
    private static let systemAddress = Address(truncating: .max &- .one)

    /// Closes the block.
    public mutating func finish() -> BlockOutcome {
        takeChanges()
        return BlockOutcome(diff: diff, receipts: receipts, gasUsed: gasUsed, blobGasUsed: blobGasUsed)
    }

    /// Moves what changed from the overlay to the diff.
    private mutating func takeChanges() {
        var changed = StateDiff()
        for change in overlay.takeChanges() {
            let address = change.address
            let old = base.account(address)
            if change.account != old { changed.accounts[address] = change.account }
            if let code = change.code, let hash = change.account?.codeHash, base.code(hash) == nil {
                changed.codes[hash] = code
            }
            if change.storageCleared || change.account == nil {
                for (slot, _) in base.slots(of: address) { changed.storage[StorageKey(address, slot)] = .zero }
            }
            for slot in change.storage { changed.storage[StorageKey(address, Bytes32(slot.key))] = slot.value }
        }
        if fork < .byzantium { base.apply(changed) }
        diff.merge(changed)
    }
}

/// What a block did.
public struct BlockOutcome: Sendable {
    /// What changed.
    public var diff: StateDiff
    /// The receipts in order.
    public var receipts: [Receipt]
    /// Gas used.
    public var gasUsed: UInt64
    /// Blob gas used.
    public var blobGasUsed: UInt64

    /// Union of the receipts' filters.
    public var bloom: Bloom {
        var bloom = Bloom()
        for receipt in receipts { bloom.formUnion(receipt.bloom) }
        return bloom
    }

    /// The header with all that follows from execution filled in.
    /// - Parameters:
    ///   - header: Number, time, fees and so on of the block.
    ///   - transactions: Those executed, in order.
    ///   - stateRoot: Of the state after ``diff``.
    public func seal(_ header: Header, transactions: [SignedTransaction], stateRoot: Bytes32) -> Header {
        var encoded = EncodedReceipts()
        for receipt in receipts { encoded.append(receipt) }
        return seal(header, transactions: transactions, stateRoot: stateRoot, receipts: encoded)
    }

    /// The same where the receipts were encoded already.
    func seal(
        _ header: Header, transactions: [SignedTransaction], stateRoot: Bytes32, receipts: EncodedReceipts
    ) -> Header {
        var header = header
        header.stateRoot = stateRoot
        header.transactionsRoot = OrderedTrie.root(indexed: transactions.map(\.encoded))
        header.receiptsRoot = receipts.root
        header.logsBloom = receipts.bloom
        header.gasUsed = gasUsed
        if header.blobGasUsed != nil { header.blobGasUsed = blobGasUsed }
        return header
    }
}

/// The state below a block, as the EVM asks for it.
package struct StateSnapshot: StateReader {
    let state: WorldState
    let hash: (UInt64) -> Bytes32

    package init(state: WorldState, hash: @escaping (UInt64) -> Bytes32) {
        self.state = state
        self.hash = hash
    }

    package func account(_ address: Address) -> AccountState? { state.account(address) }
    package func code(_ hash: Bytes32) -> [UInt8] { state.code(hash) ?? [] }
    package func storage(_ address: Address, _ key: UInt256) -> UInt256 { state.storage(address, Bytes32(key)) }
    package func hasStorage(_ address: Address) -> Bool { state.hasStorage(address) }
    package func blockHash(_ number: UInt64) -> Bytes32 { hash(number) }
}

extension Address {
    /// The contract that an account creates as its `nonce`th (yellow paper, equation 88).
    public func created(nonce: UInt64) -> Address {
        Address.contract(of: self, nonce: nonce)
    }
}

extension BlockEnvironment {
    /// What the opcodes see of a block with this header.
    public init(_ header: Header, chainID: UInt64, fork: Fork) {
        self.init(
            number: header.number, timestamp: header.timestamp, coinbase: header.beneficiary,
            gasLimit: header.gasLimit, baseFee: header.baseFeePerGas ?? .zero, difficulty: header.difficulty,
            prevRandao: header.mixHash, chainID: UInt256(chainID),
            blobBaseFee: header.excessBlobGas.map { FeeRules.blobBaseFee(excess: $0, .schedule(fork)) } ?? .one)
    }
}
