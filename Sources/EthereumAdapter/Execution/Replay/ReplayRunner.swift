public import EVM
import Primitives

/// Runs a replay case on the EVM alone: what `entente replay --local` does with each file.
public struct ReplayRunner {
    /// What a case came to.
    public struct Report: Sendable {
        /// The block's number.
        public let number: UInt64
        /// The rules.
        public let fork: Fork
        /// Transactions in the block.
        public let transactions: Int
        /// Gas that they used here.
        public let gasUsed: UInt64
        /// What is otherwise than expected; empty if all agrees.
        public let differences: [ReplayDifference]
        /// Time by stage.
        public let times: Times

        /// Whether all agrees.
        public var agrees: Bool { differences.isEmpty }
    }

    /// Nanoseconds by stage.
    public struct Times: Hashable, Sendable {
        /// Decoding transactions and hashing them.
        public var decode: UInt64 = 0
        /// Recovering senders.
        public var recover: UInt64 = 0
        /// Executing.
        public var execute: UInt64 = 0
        /// Applying what changed and computing the state root.
        public var root: UInt64 = 0
    }

    private let now: () -> UInt64
    private let codeCache = CodeCache()

    /// A runner.
    /// - Parameter now: A clock in nanoseconds, used for the times in the reports only.
    public init(now: @escaping () -> UInt64) { self.now = now }

    /// Runs a file.
    /// - Throws: ``CaseFileError`` if it is no case. Whatever disagrees is in the report.
    public func run(file: [UInt8]) throws(CaseFileError) -> Report { run(try ReplayCase(file: file)) }

    /// Runs a case.
    public func run(_ replay: ReplayCase) -> Report {
        var times = Times()
        var list = DifferenceList()
        replay.checkBlock(&list)

        let decoded = timed(&times.decode) {
            replay.transactions.map { entry in
                Result { () throws(TransactionError) in
                    try SignedTransaction(decoding: entry.raw)
                }
            }
        }
        let senders = timed(&times.recover) {
            decoded.map { transaction in
                Result { () throws(TransactionError) in
                    try transaction.get().sender(chainID: replay.chainID, fork: replay.fork)
                }
            }
        }
        replay.checkTransactions(decoded, senders, &list)

        var world = WorldState()
        world.apply(replay.preState)
        let preStateRoot = world.stateRoot()
        var processor = BlockProcessor(
            on: world, environment: replay.environment, fork: replay.fork, codeCache: codeCache,
            blockHash: { replay.blockHashes[$0] ?? .zero })
        let outcome = timed(&times.execute) {
            for index in decoded.indices {
                do throws(TransactionError) {
                    _ = try processor.execute(try decoded[index].get().transaction, sender: try senders[index].get())
                } catch {
                    list.check("transactions[\(index)]", "executed", "refused: \(error)")
                }
            }
            return processor.finish()
        }
        let postStateRoot = timed(&times.root) {
            world.apply(outcome.diff)
            return world.stateRoot()
        }
        let differences = replay.compare(
            ReplayOutcome(
                receipts: outcome.receipts, preStateRoot: preStateRoot, postStateRoot: postStateRoot,
                diff: outcome.diff))
        return Report(
            number: replay.header.number, fork: replay.fork, transactions: replay.transactions.count,
            gasUsed: outcome.gasUsed, differences: list.differences + differences, times: times)
    }

    private func timed<T>(_ total: inout UInt64, _ body: () -> T) -> T {
        let start = now()
        let value = body()
        total += now() - start
        return value
    }
}

extension ReplayCase {
    /// What the opcodes see of the block.
    public var environment: BlockEnvironment { BlockEnvironment(header, chainID: chainID, fork: fork) }

    /// Checks what of the block needs no execution.
    func checkBlock(_ list: inout DifferenceList) {
        list.check("hash", hash.hex, Keccak256.hash(headerRLP).hex)
        list.check("header", Hex.encodePrefixed(headerRLP), Hex.encodePrefixed(header.encoded))
        if chainID == ChainConfiguration.mainnet.chainID {
            let fork = ChainConfiguration.mainnet.fork(number: header.number, time: header.timestamp)
            list.check("fork", "\(self.fork)", "\(fork)")
        }
        list.check(
            "header.transactionsRoot", header.transactionsRoot.hex,
            OrderedTrie.root(indexed: transactions.map(\.raw)).hex)
        if let withdrawals {
            list.check(
                "header.withdrawalsRoot", header.withdrawalsRoot?.hex ?? "none",
                OrderedTrie.root(indexed: withdrawals.map(\.encoded)).hex)
        }
    }

    /// Checks what was decoded and recovered.
    func checkTransactions(
        _ decoded: [Result<SignedTransaction, TransactionError>], _ senders: [Result<Address, TransactionError>],
        _ list: inout DifferenceList
    ) {
        for (index, entry) in transactions.enumerated() {
            let subject = "transactions[\(index)]"
            switch decoded[index] {
            case .success(let signed):
                list.check("\(subject).hash", entry.hash.hex, signed.hash.hex)
                list.check("\(subject).type", entry.kind, UInt64(signed.transaction.kind.rawValue))
            case .failure(let error):
                list.check(subject, "decodes", error.description)
                continue
            }
            switch senders[index] {
            case .success(let sender): list.check("\(subject).from", entry.sender.hex, sender.hex)
            case .failure(let error): list.check("\(subject).from", entry.sender.hex, error.description)
            }
        }
    }
}
