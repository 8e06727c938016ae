import AdapterKit
import EVM
import Ledger
import Primitives
import Store

/// Makes a block of a batch: executes what can be, refuses what can't, keeps what is too early.
struct BlockBuilder {
    let chain: EthereumChain
    let batch: Batch
    private var result = BatchResult(outcomes: [], included: [], compartments: [])
    private var entries: [BlockRecord.Entry] = []
    private var receipts = EncodedReceipts()
    private var places: [Bytes32: UInt32] = [:]
    /// Submissions that were deferred, with their transactions.
    private var early: [(place: Int, hash: Bytes32)] = []

    init(chain: EthereumChain, batch: Batch) {
        self.chain = chain
        self.batch = batch
    }

    /// Refusals are JSON-RPC errors for whoever asked.
    private static func refusal(_ message: String) -> ExecutionOutcome {
        .invalid(Rejection(code: -32000, message: message))
    }

    mutating func run(executor: any ParallelExecutor) throws(AdapterError) -> BatchResult {
        var bodies: [SubmissionBody?] = []
        bodies.reserveCapacity(batch.submissions.count)
        var raws: [[UInt8]] = []
        for submission in batch.submissions {
            let body = try? SubmissionBody(decoding: submission.body)
            switch body {
            case .transaction(let raw): raws.append(raw)
            case .replayLoad, .replayBlock:
                if chain.replay != nil, batch.submissions.count == 1, let body { return try replay(body, executor) }
            case nil: break
            }
            bodies.append(body)
        }
        var prepared = chain.prepare(raws, executor: executor)[...]
        chain.pool.expire(now: batch.time)

        let header = nextHeader()
        let fork = chain.rules.fork(number: header.number, time: header.timestamp)
        let outcome: BlockOutcome
        do {
            // The processor holds a copy of the world, so it must be gone before the world changes.
            var processor = BlockProcessor(header: header, fork: fork, on: chain)
            for (submission, body) in zip(batch.submissions, bodies) {
                let outcome: ExecutionOutcome
                if case .transaction = body, let next = prepared.popFirst() {
                    outcome = execute(submission, next, &processor)
                } else {
                    outcome = Self.refusal(body == nil ? "malformed submission" : "replay is not allowed here")
                }
                result.outcomes.append(outcome)
            }
            guard !entries.isEmpty else { return result }
            outcome = processor.finish()
        }
        // What came before its predecessor in the same batch is executed after all.
        for (place, hash) in early {
            if let index = places[hash] { result.outcomes[place] = .executed(index: index) }
        }
        try close(header, outcome)
        return result
    }

    // MARK: Transactions

    private mutating func execute(
        _ submission: Submission, _ result: EthereumChain.Prepared, _ processor: inout BlockProcessor
    ) -> ExecutionOutcome {
        let prepared: SenderCache.Entry
        switch result {
        case .success(let entry): prepared = entry
        case .failure(let error): return Self.refusal(error.description)
        }
        let hash = prepared.transaction.hash
        if let known = known(hash) { return known }
        if let refusal = TransactionPolicy.refusal(prepared.transaction.transaction, chain.settings) {
            return Self.refusal(refusal)
        }
        let nonce = processor.account(prepared.sender)?.nonce ?? 0
        if prepared.transaction.transaction.nonce > nonce {
            let balance = processor.account(prepared.sender)?.balance ?? .zero
            guard submission.answers.isEmpty else {
                return Self.refusal("nonce too high: answers from outside can't wait for an earlier transaction")
            }
            return deferred(prepared, submission, processor.fork, balance: balance)
        }
        do throws(TransactionError) {
            if !submission.answers.isEmpty {
                try processor.check(prepared.transaction.transaction, sender: prepared.sender)
                deliver(submission.answers, &processor)
            }
            let receipt = try processor.execute(prepared.transaction.transaction, sender: prepared.sender)
            let index = include(prepared, receipt, submission)
            executeWaiting(prepared.sender, &processor)
            return .executed(index: index)
        } catch {
            return Self.refusal(text(error, prepared.transaction.transaction))
        }
    }

    /// Tells the oracle contract what services outside said, as the protocol tells others their part at the start of a
    /// block: nobody pays, no receipt has it.
    private func deliver(_ answers: [OutsideAnswer], _ processor: inout BlockProcessor) {
        guard let oracle = chain.settings.oracle else { return }
        for answer in answers {
            if let input = OracleMessage.input(answer) { processor.systemCall(oracle, input: input) }
        }
    }

    /// The first answer again, for a transaction that the chain or this block has.
    private func known(_ hash: Bytes32) -> ExecutionOutcome? {
        if let index = places[hash] { return .executed(index: index) }
        guard let place = chain.blocks.place(of: hash), let block = chain.blocks.block(place.block) else { return nil }
        return .repeated(id: block.id, index: place.index, response: Self.response(hash), readers: .network)
    }

    private func text(_ error: TransactionError, _ transaction: Transaction) -> String {
        // A full block is no fault of the transaction; it is not kept either, since no next batch may come by itself.
        if error == TransactionError(.gasLimitReached), transaction.gasLimit <= chain.settings.blockGasLimit {
            return "the block is full; send the transaction again"
        }
        return error.description
    }

    /// Executes a sender's waiting transactions that have become runnable. One that fails its checks is dropped: whoever
    /// sent it has been answered.
    private mutating func executeWaiting(_ sender: Address, _ processor: inout BlockProcessor) {
        while let nonce = processor.account(sender)?.nonce {
            chain.pool.drop(sender, below: nonce)
            guard let waiting = chain.pool.take(sender, nonce: nonce) else { return }
            let prepared = SenderCache.Entry(transaction: waiting.transaction, sender: sender)
            guard let receipt = try? processor.execute(waiting.transaction.transaction, sender: sender) else { return }
            _ = include(prepared, receipt, waiting.submission)
        }
    }

    private mutating func include(
        _ prepared: SenderCache.Entry, _ receipt: Receipt, _ submission: Submission
    ) -> UInt32 {
        let index = UInt32(entries.count)
        let hash = prepared.transaction.hash
        let encoded = receipts.append(receipt)
        places[hash] = index
        entries.append(.init(transaction: prepared.transaction, sender: prepared.sender, receipt: receipt))
        result.included.append(
            IncludedTransaction(
                actor: submission.actor, requestID: submission.requestID, input: submission.body,
                claims: [hash, Keccak256.hash(encoded)], response: Self.response(hash), readers: .network))
        return index
    }

    private mutating func deferred(
        _ prepared: SenderCache.Entry, _ submission: Submission, _ fork: Fork, balance: UInt256
    ) -> ExecutionOutcome {
        // A sender who can't pay for it now may not take up room.
        guard let cost = prepared.transaction.transaction.maximumCost, cost <= balance else {
            return Self.refusal(TransactionError.Code.insufficientFunds.rawValue)
        }
        do throws(TransactionError) {
            try prepared.transaction.transaction.validate(fork)
        } catch {
            return Self.refusal(error.description)
        }
        let waiting = TransactionPool.Waiting(
            transaction: prepared.transaction, sender: prepared.sender, submission: submission,
            expiry: batch.time + chain.settings.poolExpirySeconds * 1000)
        switch chain.pool.add(waiting) {
        case .added, .replaced, .known:
            early.append((result.outcomes.count, prepared.transaction.hash))
            return .deferred(response: Self.response(prepared.transaction.hash))
        case .underpriced: return Self.refusal("replacement transaction underpriced")
        case .senderFull: return Self.refusal("account limit exceeded")
        case .full: return Self.refusal("txpool is full")
        }
    }

    /// The JSON text of a hash: the result of eth_sendRawTransaction.
    static func response(_ hash: Bytes32) -> [UInt8] { JSON.data(hash).serialized() }

    // MARK: Blocks

    /// The next block's header, but for what follows from execution.
    private func nextHeader() -> Header {
        let parent = chain.blocks.latest
        let number = parent.header.number + 1
        let time = max(parent.header.timestamp, batch.time / 1000)
        let fork = chain.configuration.fork(number: number, time: time)
        var header = Header(
            parentHash: parent.hash, beneficiary: chain.settings.coinbase, number: number,
            gasLimit: chain.settings.blockGasLimit, timestamp: time,
            mixHash: fork >= .paris ? batch.randomness : .zero, baseFeePerGas: chain.baseFee(after: parent.header))
        if fork >= .shanghai { header.withdrawalsRoot = OrderedTrie.emptyRoot }
        if fork >= .cancun {
            header.blobGasUsed = 0
            header.excessBlobGas = 0
            header.parentBeaconBlockRoot = .zero
        }
        if fork >= .prague { header.requestsHash = Genesis.emptyRequestsHash }
        if fork < .london { header.baseFeePerGas = nil }
        return header
    }

    /// Puts the block on the chain and writes it into the result.
    private mutating func close(
        _ header: Header, _ outcome: BlockOutcome, environment: ReplayEnvironment? = nil
    ) throws(AdapterError) {
        let root = chain.change(outcome.diff, block: header.number)
        let sealed = chain.meter.measure(.stateRoot) {
            outcome.seal(
                header, transactions: entries.map(\.transaction), stateRoot: root, receipts: receipts)
        }
        let record = BlockRecord(id: batch.id, header: sealed, entries: entries)
        let bytes = record.encoded()
        try chain.append(record, bytes: bytes)
        chain.replay?.note(outcome.diff, block: header.number, environment: environment)
        var replay: [UInt8]?
        if let environment {
            var writer = ByteWriter()
            environment.encode(to: &writer)
            replay = writer.bytes
        }
        let writes = chain.maps.writeSet(outcome.diff, block: header.number, record: bytes, replay: replay)
        result.compartments = [Compartment(readers: .network, writes: writes)]
    }

    // MARK: Replay

    private mutating func replay(
        _ body: SubmissionBody, _ executor: any ParallelExecutor
    ) throws(AdapterError) -> BatchResult {
        let submission = batch.submissions[0]
        switch body {
        case .transaction: break
        case .replayLoad(let load):
            let diff = chain.replay?.replacement(load) ?? StateDiff()
            var header = nextHeader()
            header.timestamp = chain.blocks.latest.header.timestamp
            let outcome = BlockOutcome(diff: diff, receipts: [], gasUsed: 0, blobGasUsed: 0)
            try close(header, outcome, environment: load.environment)
            result.included = [
                IncludedTransaction(
                    actor: submission.actor, requestID: submission.requestID, input: submission.body, claims: [],
                    response: JSON.quantity(header.number).serialized(), readers: .network)
            ]
            result.outcomes = [.executed(index: 0)]
        case .replayBlock(let raws):
            if let refusal = try replay(raws, submission, executor) { result.outcomes = [refusal] }
        }
        return result
    }

    /// Executes the transactions of a foreign block; a refusal if it can't be done.
    private mutating func replay(
        _ raws: [[UInt8]], _ submission: Submission, _ executor: any ParallelExecutor
    ) throws(AdapterError) -> ExecutionOutcome? {
        guard let environment = chain.replay?.environment else { return Self.refusal("no state was loaded") }
        guard !raws.isEmpty else { return Self.refusal("a block needs a transaction") }
        let foreign = environment.header
        let fork = chain.rules.fork(number: foreign.number, time: foreign.timestamp)
        let prepared = chain.prepare(raws, executor: executor)
        let outcome: BlockOutcome
        do {
            let chain = chain
            var processor = BlockProcessor(
                on: chain.world,
                environment: BlockEnvironment(foreign, chainID: environment.chainID, fork: fork), fork: fork,
                codeCache: chain.codeCache, blockHash: { environment.blockHashes[$0] ?? .zero })
            for (place, raw) in raws.enumerated() {
                let next: SenderCache.Entry
                switch prepared[place] {
                case .success(let entry): next = entry
                case .failure(let error): return Self.refusal("transaction \(place): \(error)")
                }
                do throws(TransactionError) {
                    let receipt = try processor.execute(next.transaction.transaction, sender: next.sender)
                    _ = include(
                        next, receipt,
                        Submission(
                            requestID: place == 0 ? submission.requestID : nil, actor: submission.actor, body: raw))
                } catch {
                    result.included = []
                    return Self.refusal("transaction \(place): \(error)")
                }
            }
            outcome = processor.finish()
        }
        // The foreign block's terms on our chain's numbering.
        var header = foreign
        header.parentHash = chain.blocks.latest.hash
        header.number = chain.blocks.latest.header.number + 1
        header.ommersHash = Header.emptyOmmersHash
        if header.withdrawalsRoot != nil { header.withdrawalsRoot = OrderedTrie.emptyRoot }
        try close(header, outcome)
        result.outcomes = [.executed(index: 0)]
        result.included[0].response = JSON.array(entries.map { .data($0.transaction.hash) }).serialized()
        return nil
    }
}

extension BlockProcessor {
    /// Opens the chain's next block.
    init(header: Header, fork: Fork, on chain: EthereumChain) {
        self.init(
            on: chain.world,
            environment: BlockEnvironment(header, chainID: chain.configuration.chainID, fork: fork), fork: fork,
            codeCache: chain.codeCache, blockHash: { chain.blocks.block($0)?.hash ?? .zero })
        open(header)
    }
}

/// What this chain refuses although the rules of Ethereum would let it pass.
enum TransactionPolicy {
    /// The text of the refusal; nil if there is none.
    static func refusal(_ transaction: Transaction, _ settings: EthereumSettings) -> String? {
        if transaction.kind == .blob {
            return "blob transactions are not accepted: no node of this network carries blobs"
        }
        if transaction.kind == .legacy, transaction.chainID == nil, !settings.allowsUnprotected {
            return TransactionError.Code.unprotected.rawValue
        }
        if transaction.maxFeePerGas < settings.minimumGasPrice {
            return "transaction underpriced: gas fee cap \(transaction.maxFeePerGas), minimum needed "
                + "\(settings.minimumGasPrice)"
        }
        if transaction.gasLimit > settings.blockGasLimit { return "exceeds block gas limit" }
        return nil
    }
}
