import AdapterKit
import EVM
import Primitives

// The chain, its node and its fees.
extension RPCServer {
    func chainID(_ call: RPCCall) throws(RPCError) -> JSON { .quantity(chain.configuration.chainID) }

    func syncing(_ call: RPCCall) throws(RPCError) -> JSON { false }

    func blockNumber(_ call: RPCCall) throws(RPCError) -> JSON { .quantity(chain.blocks.committed) }

    /// No keys are held here.
    func accounts(_ call: RPCCall) throws(RPCError) -> JSON { [] }

    func networkVersion(_ call: RPCCall) throws(RPCError) -> JSON { .string(String(chain.configuration.chainID)) }

    func listening(_ call: RPCCall) throws(RPCError) -> JSON { true }

    func peerCount(_ call: RPCCall) throws(RPCError) -> JSON { .quantity(UInt64(call.query.peers)) }

    func clientVersion(_ call: RPCCall) throws(RPCError) -> JSON { .string(EthereumAdapter.clientVersion) }

    func keccak(_ call: RPCCall) throws(RPCError) -> JSON { .data(Keccak256.hash(try call.parameters.data(0))) }

    /// The name spaces of the method table.
    func modules(_ call: RPCCall) throws(RPCError) -> JSON {
        let names = Set(RPCMethod.all.compactMap { $0.name.split(separator: "_").first.map(String.init) }).sorted()
        return .object(.init(names.map { .init(name: $0, value: "1.0") }))
    }

    // MARK: Fees

    /// The base fee of the next block.
    private var nextBaseFee: UInt256 { chain.baseFee(after: chain.blocks.latestCommitted.header) ?? .zero }

    func gasPrice(_ call: RPCCall) throws(RPCError) -> JSON {
        .quantity(max(nextBaseFee, chain.settings.minimumGasPrice))
    }

    /// Only what the minimum price asks for beyond the base fee: nobody competes for room in a block.
    func maxPriorityFeePerGas(_ call: RPCCall) throws(RPCError) -> JSON {
        let base = nextBaseFee
        let minimum = chain.settings.minimumGasPrice
        return .quantity(minimum > base ? minimum &- base : .zero)
    }

    func blobBaseFee(_ call: RPCCall) throws(RPCError) -> JSON {
        .quantity(blobFee(chain.blocks.latestCommitted.header))
    }

    private func blobFee(_ header: Header) -> UInt256 {
        let fork = chain.configuration.fork(number: header.number, time: header.timestamp)
        return FeeRules.blobBaseFee(excess: header.excessBlobGas ?? 0, .schedule(fork))
    }

    /// Blocks in one answer at most, as in go-ethereum.
    private static let feeHistoryBlocksMax: UInt64 = 1024
    /// Percentiles asked for at most, as in go-ethereum.
    private static let percentilesMax = 100

    func feeHistory(_ call: RPCCall) throws(RPCError) -> JSON {
        let wanted = min(try call.parameters.integer(0), Self.feeHistoryBlocksMax)
        let newest = try chain.height(of: call.parameters.block(1))
        let percentiles = try percentiles(call.parameters.optional(2))
        let available = newest - chain.blocks.first + 1
        let count = min(wanted, available)
        guard count > 0 else { return ["oldestBlock": "0x0", "gasUsedRatio": []] }
        let oldest = newest + 1 - count
        var baseFees: [JSON] = []
        var ratios: [JSON] = []
        var blobFees: [JSON] = []
        var blobRatios: [JSON] = []
        var rewards: [JSON] = []
        for number in oldest...newest {
            guard let block = chain.blocks.block(number) else { continue }
            let header = block.header
            baseFees.append(.quantity(header.baseFeePerGas ?? .zero))
            ratios.append(.double(header.gasLimit == 0 ? 0 : Double(header.gasUsed) / Double(header.gasLimit)))
            blobFees.append(.quantity(header.excessBlobGas == nil ? .zero : blobFee(header)))
            let fork = chain.configuration.fork(number: header.number, time: header.timestamp)
            let blobMax = FeeRules.BlobSchedule.schedule(fork).max * Transaction.gasPerBlob
            blobRatios.append(.double(Double(header.blobGasUsed ?? 0) / Double(max(1, blobMax))))
            if !percentiles.isEmpty { rewards.append(.array(self.rewards(block, percentiles))) }
        }
        if let last = chain.blocks.block(newest) {
            baseFees.append(.quantity(chain.baseFee(after: last.header) ?? .zero))
            blobFees.append(.quantity(last.header.excessBlobGas == nil ? .zero : blobFee(last.header)))
        }
        var answer = JSONObject([.init(name: "oldestBlock", value: .quantity(oldest))])
        if !percentiles.isEmpty { answer.append("reward", .array(rewards)) }
        answer.append("baseFeePerGas", .array(baseFees))
        answer.append("gasUsedRatio", .array(ratios))
        answer.append("baseFeePerBlobGas", .array(blobFees))
        answer.append("blobGasUsedRatio", .array(blobRatios))
        return .object(answer)
    }

    private func percentiles(_ json: JSON?) throws(RPCError) -> [Double] {
        guard let json else { return [] }
        guard let values = json.array else { throw .invalidArgument(2, "not an array") }
        guard values.count <= Self.percentilesMax else {
            throw .server("invalid reward percentile: over the query limit 100")
        }
        var percentiles: [Double] = []
        for value in values {
            let number: Double
            switch value {
            case .integer(let integer): number = Double(integer)
            case .double(let double): number = double
            default: throw .invalidArgument(2, "not an array of numbers")
            }
            guard (0...100).contains(number) else { throw .server("invalid reward percentile: \(number)") }
            if let last = percentiles.last, number <= last {
                throw .server("invalid reward percentile: #\(percentiles.count) is not above the one before")
            }
            percentiles.append(number)
        }
        return percentiles
    }

    /// Priority fees per gas at percentiles of the block's gas, cheapest first.
    private func rewards(_ block: ChainStore.Block, _ percentiles: [Double]) -> [JSON] {
        guard let record = chain.blocks.record(block.header.number), !record.entries.isEmpty else {
            return percentiles.map { _ in .quantity(UInt256.zero) }
        }
        let base = block.header.baseFeePerGas ?? .zero
        let fees = record.entries.map { entry in
            let price = entry.receipt.effectiveGasPrice
            return (reward: price > base ? price &- base : .zero, gas: entry.receipt.gasUsed)
        }.sorted { $0.reward < $1.reward }
        var index = 0
        var gas = fees[0].gas
        return percentiles.map { percentile in
            let threshold = UInt64(Double(block.header.gasUsed) * percentile / 100)
            while gas < threshold, index < fees.count - 1 {
                index += 1
                gas += fees[index].gas
            }
            return .quantity(fees[index].reward)
        }
    }
}
