import EVM
import Primitives

/// Which logs a query wants: block range or block, addresses, topics (eth_getLogs, eth_newFilter).
struct LogFilter: Hashable, Sendable {
    /// One block by hash; excludes a range.
    var blockHash: Bytes32?
    /// First block.
    var from: BlockReference
    /// Last block.
    var to: BlockReference
    /// Any of these contracts; empty for all.
    var addresses: [Address]
    /// By position: any of these topics; an empty list for all.
    var topics: [[Bytes32]]

    /// Addresses or topics of one position at most.
    private static let alternativesMax = 1000
    /// Positions of topics: LOG4 is the largest.
    private static let topicsMax = 4

    /// Reads the filter object of parameter 0.
    init(_ object: JSONObject) throws(RPCError) {
        from = try LogFilter.block(object, "fromBlock") ?? .latest
        to = try LogFilter.block(object, "toBlock") ?? .latest
        if let hash = object["blockHash"], !hash.isNull {
            guard let bytes = hash.dataBytes, let value = Bytes32(bytes) else {
                throw .invalidArgument(0, "blockHash is not a 32-byte hex hash")
            }
            guard LogFilter.isAbsent(object["fromBlock"]), LogFilter.isAbsent(object["toBlock"]) else {
                throw .invalidArgument(
                    0, "cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other")
            }
            blockHash = value
        }
        addresses = try LogFilter.addresses(object["address"])
        topics = try LogFilter.topics(object["topics"])
    }

    /// Whether a log is wanted.
    func matches(_ log: Log) -> Bool {
        if !addresses.isEmpty, !addresses.contains(log.address) { return false }
        guard topics.count <= log.topics.count else { return false }
        for (wanted, topic) in zip(topics, log.topics) where !wanted.isEmpty && !wanted.contains(topic) { return false }
        return true
    }

    /// False if no log of a block or receipt with this filter can be wanted.
    func mayMatch(_ bloom: Bloom) -> Bool {
        if !addresses.isEmpty, !addresses.contains(where: { bloom.mayContain($0.bytes) }) { return false }
        for wanted in topics where !wanted.isEmpty {
            if !wanted.contains(where: { bloom.mayContain($0.bytes) }) { return false }
        }
        return true
    }

    private static func isAbsent(_ json: JSON?) -> Bool { json?.isNull ?? true }

    private static func block(_ object: JSONObject, _ name: String) throws(RPCError) -> BlockReference? {
        guard let json = object[name], !json.isNull else { return nil }
        guard let block = BlockReference(json) else {
            throw .invalidArgument(0, "\(name) is not a block number or tag")
        }
        return block
    }

    private static func addresses(_ json: JSON?) throws(RPCError) -> [Address] {
        let values: [JSON]
        switch json {
        case nil, .null: return []
        case .array(let list): values = list
        case .some(let single): values = [single]
        }
        guard values.count <= alternativesMax else { throw .invalidParameters("exceed max addresses") }
        var addresses: [Address] = []
        for value in values {
            guard let bytes = value.dataBytes, let address = Address(bytes) else {
                throw .invalidArgument(0, "invalid address in filter")
            }
            addresses.append(address)
        }
        return addresses
    }

    private static func topics(_ json: JSON?) throws(RPCError) -> [[Bytes32]] {
        guard let json, !json.isNull else { return [] }
        guard let positions = json.array else { throw .invalidArgument(0, "invalid topics in filter") }
        guard positions.count <= topicsMax else { throw .invalidParameters("exceed max topics") }
        var topics: [[Bytes32]] = []
        for position in positions {
            let values: [JSON]
            switch position {
            case .null: values = []
            case .array(let list): values = list
            default: values = [position]
            }
            guard values.count <= alternativesMax else { throw .invalidParameters("exceed max topics") }
            // A null among alternatives stands for any topic.
            var wanted: [Bytes32] = []
            var any = false
            for value in values {
                if value.isNull {
                    any = true
                    continue
                }
                guard let bytes = value.dataBytes, let topic = Bytes32(bytes) else {
                    throw .invalidArgument(0, "invalid topic in filter")
                }
                wanted.append(topic)
            }
            topics.append(any ? [] : wanted)
        }
        return topics
    }
}
