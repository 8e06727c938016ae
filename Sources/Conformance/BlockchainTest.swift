import EVM
import EthereumAdapter
import Primitives

/// Whole blocks, headers and all, one after the other. What is valid must come out with the same hash, and the fees of
/// each block must follow from its parent.
///
/// Blocks under proof of work and changes between rules do not apply to a chain whose blocks a consortium makes, nor do
/// blocks that are wrong on purpose: no block comes here from outside. Where a test has such a block, those before count.
struct BlockchainTest {
    /// The rules; nil for names of changes between rules.
    let fork: Fork?
    private let test: CaseFields
    private let network: String

    init(_ test: CaseFields) throws(CaseFileError) {
        self.test = test
        network = try test.string("network")
        fork = Fork(caseName: network)
    }

    func run(codeCache: CodeCache) throws(CaseFileError) -> TestFile.Outcome.Verdict {
        guard let fork else { return .notApplicable("a change of rules in the middle (\(network))") }
        guard fork >= .paris else { return .notApplicable("proof of work") }
        do {
            return try check(fork, codeCache)
        } catch let error as CaseFileError {
            throw error
        } catch { return .failed("\(error)") }
    }

    private func check(_ fork: Fork, _ codeCache: CodeCache) throws -> TestFile.Outcome.Verdict {
        var world = EthereumAdapter::WorldState()
        world.apply(try test.fields("pre").world())
        let genesis = try RLP.decode(try test.bytes("genesisRLP")).items()
        guard let first = genesis.first else { throw test.error("genesisRLP", "empty") }
        var parent = try Header(decoding: Array(first.encoded))
        guard world.stateRoot() == parent.stateRoot else { return .failed("state root of the genesis") }
        var hashes: [UInt64: Bytes32] = [parent.number: parent.hash]
        for block in try test.list("blocks") {
            if block.object.members.contains(where: { $0.name.hasPrefix("expectException") }) { continue }
            let items = try RLP.decode(try block.bytes("rlp")).items()
            guard items.count >= 3 else { throw block.error("rlp", "fewer than three parts") }
            let header = try Header(decoding: Array(items[0].encoded))
            // Tests of side chains come back to an earlier parent; only the main line is followed here.
            guard header.parentHash == parent.hash else { break }
            guard header.number > parent.number, header.number - parent.number == 1 else {
                return .failed("number of block \(header.number) after \(parent.number)")
            }
            if let problem = feeProblem(header, parent, fork) { return .failed(problem) }
            let outcome = try execute(items, header, on: world, fork, codeCache, hashes)
            world.apply(outcome.outcome.diff, block: header.number)
            let sealed = outcome.outcome.seal(
                header, transactions: outcome.transactions, stateRoot: world.stateRoot())
            guard sealed.hash == header.hash else { return .failed("hash of block \(header.number)") }
            hashes[header.number] = header.hash
            parent = header
        }
        return .passed
    }

    private func feeProblem(_ header: Header, _ parent: Header, _ fork: Fork) -> String? {
        if header.baseFeePerGas != FeeRules.baseFee(after: parent) { return "base fee of block \(header.number)" }
        if fork < .osaka, let excess = parent.excessBlobGas, let used = parent.blobGasUsed,
            header.excessBlobGas != FeeRules.excessBlobGas(parentExcess: excess, parentUsed: used, .schedule(fork))
        {
            return "excess blob gas of block \(header.number)"
        }
        return nil
    }

    private func execute(
        _ items: [RLPItem], _ header: Header, on world: EthereumAdapter::WorldState, _ fork: Fork,
        _ codeCache: CodeCache, _ hashes: [UInt64: Bytes32]
    ) throws -> (outcome: BlockOutcome, transactions: [SignedTransaction]) {
        var processor = BlockProcessor(
            on: world, environment: BlockEnvironment(header, chainID: 1, fork: fork), fork: fork, codeCache: codeCache,
            blockHash: { hashes[$0] ?? .zero })
        processor.open(header)
        var transactions: [SignedTransaction] = []
        for item in try items[1].items() {
            let signed = try SignedTransaction(decoding: item.isList ? Array(item.encoded) : try item.bytes())
            _ = try processor.execute(signed.transaction, sender: signed.sender(chainID: 1, fork: fork))
            transactions.append(signed)
        }
        if items.count > 3 { processor.pay(try items[3].items().map(withdrawal)) }
        return (processor.finish(), transactions)
    }

    private func withdrawal(_ item: RLPItem) throws -> Withdrawal {
        let fields = try item.items(exactly: 4)
        return Withdrawal(
            index: try fields[0].uint64(), validatorIndex: try fields[1].uint64(), address: try fields[2].address(),
            amount: try fields[3].uint64())
    }
}
