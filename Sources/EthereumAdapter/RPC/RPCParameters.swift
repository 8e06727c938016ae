import Primitives

/// A block as a parameter names it.
enum BlockReference: Hashable, Sendable {
    /// `latest`, `safe` or `finalized`: the last committed block.
    case latest
    /// `pending`: what is known beyond; the last committed block where that makes no difference.
    case pending
    /// The genesis block.
    case earliest
    /// By height.
    case number(UInt64)
    /// By hash.
    case hash(Bytes32)

    init?(_ json: JSON) {
        switch json {
        case .string("latest"), .string("safe"), .string("finalized"): self = .latest
        case .string("pending"): self = .pending
        case .string("earliest"): self = .earliest
        case .string(let text):
            // A 32-byte hash is accepted where a number is meant, as go-ethereum does.
            if text.utf8.count == 66, let bytes = json.dataBytes, let hash = Bytes32(bytes) {
                self = .hash(hash)
            } else {
                guard let number = json.quantity64 else { return nil }
                self = .number(number)
            }
        case .object(let object):
            if let hash = object["blockHash"]?.dataBytes.flatMap({ Bytes32($0) }), object["blockNumber"] == nil {
                self = .hash(hash)
            } else if let number = object["blockNumber"], object["blockHash"] == nil, let inner = BlockReference(number)
            {
                self = inner
            } else {
                return nil
            }
        default: return nil
        }
    }
}

/// The parameters of a call, read by position.
struct RPCParameters {
    let values: [JSON]

    private func value(_ index: Int) throws(RPCError) -> JSON {
        guard let value = optional(index) else {
            throw .invalidParameters("missing value for required argument \(index)")
        }
        return value
    }

    /// The parameter, unless it is left out or null.
    func optional(_ index: Int) -> JSON? {
        guard index < values.count, !values[index].isNull else { return nil }
        return values[index]
    }

    func address(_ index: Int) throws(RPCError) -> Address {
        guard let bytes = try value(index).dataBytes, let address = Address(bytes) else {
            throw .invalidArgument(index, "not a 20-byte hex address")
        }
        return address
    }

    func hash(_ index: Int) throws(RPCError) -> Bytes32 {
        guard let bytes = try value(index).dataBytes, let hash = Bytes32(bytes) else {
            throw .invalidArgument(index, "not a 32-byte hex hash")
        }
        return hash
    }

    func data(_ index: Int) throws(RPCError) -> [UInt8] {
        guard let bytes = try value(index).dataBytes else {
            throw .invalidArgument(index, "not hex data with 0x prefix")
        }
        return bytes
    }

    /// A storage slot: hex of up to 32 bytes, leading zeros or not.
    func slot(_ index: Int) throws(RPCError) -> Bytes32 {
        let json = try value(index)
        guard let slot = Self.slot(json) else {
            let text = (json.string ?? "").prefix(100)
            let digits = text.utf8.starts(with: "0x".utf8) ? text.dropFirst(2) : text
            guard digits.utf8.count > 64, digits.utf8.allSatisfy({ Hex.value(ofDigit: $0) != nil }) else {
                throw .invalidParameters("invalid hex in storage key: \"\(text)\"")
            }
            throw .invalidParameters("storage key too long (want at most 32 bytes): \"\(text)\"")
        }
        return slot
    }

    static func slot(_ json: JSON) -> Bytes32? {
        guard let text = json.string, text.utf8.starts(with: "0x".utf8) else { return nil }
        return UInt256(hex: text).map { Bytes32($0) }
    }

    func integer(_ index: Int) throws(RPCError) -> UInt64 {
        let json = try value(index)
        if let number = json.quantity64 { return number }
        // web3.py and others send small counts as JSON numbers.
        guard let number = json.integer, number >= 0 else { throw .invalidArgument(index, "not a hex quantity") }
        return UInt64(number)
    }

    func bool(_ index: Int, default standard: Bool) throws(RPCError) -> Bool {
        guard let json = optional(index) else { return standard }
        guard let bool = json.bool else { throw .invalidArgument(index, "not a boolean") }
        return bool
    }

    func block(_ index: Int, default standard: BlockReference? = nil) throws(RPCError) -> BlockReference {
        if let standard, optional(index) == nil { return standard }
        guard let block = BlockReference(try value(index)) else {
            throw .invalidArgument(index, "not a block number, tag or hash")
        }
        return block
    }

    func object(_ index: Int) throws(RPCError) -> JSONObject {
        guard let object = try value(index).object else { throw .invalidArgument(index, "not an object") }
        return object
    }
}
