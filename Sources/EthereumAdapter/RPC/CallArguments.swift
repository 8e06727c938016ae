import EVM
import Primitives

/// The transaction object of eth_call and its kin: like a transaction, but anything may be left out and nothing is
/// signed.
struct CallArguments {
    var from = Address.zero
    var to: Address?
    var gas: UInt64?
    var gasPrice: UInt256?
    var maxFeePerGas: UInt256?
    var maxPriorityFeePerGas: UInt256?
    var value = UInt256.zero
    var input: [UInt8] = []
    var nonce: UInt64?
    var accessList: [Transaction.AccessListEntry] = []
    var hasAccessList = false
    var authorizations: [Authorization] = []

    /// Reads the object at parameter 0. Members that no node knows are passed over, as go-ethereum does.
    init(_ object: JSONObject) throws(RPCError) {
        if let address = try Self.address(object, "from") { from = address }
        to = try Self.address(object, "to")
        gas = try Self.quantity(object, "gas")?.clampedToUInt64
        gasPrice = try Self.quantity(object, "gasPrice")
        maxFeePerGas = try Self.quantity(object, "maxFeePerGas")
        maxPriorityFeePerGas = try Self.quantity(object, "maxPriorityFeePerGas")
        if let quantity = try Self.quantity(object, "value") { value = quantity }
        if let quantity = try Self.quantity(object, "nonce") { nonce = quantity.clampedToUInt64 }
        guard gasPrice == nil || (maxFeePerGas == nil && maxPriorityFeePerGas == nil) else {
            throw .server("both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified")
        }
        if let cap = maxFeePerGas, let tip = maxPriorityFeePerGas, tip > cap {
            throw .server("maxFeePerGas (\(cap.hex)) < maxPriorityFeePerGas (\(tip.hex))")
        }
        let data = try Self.bytes(object, "data")
        let inputBytes = try Self.bytes(object, "input")
        if let data, let inputBytes, data != inputBytes {
            throw .server(
                #"both "data" and "input" are set and not equal. Please use "input" to pass transaction call data"#)
        }
        input = inputBytes ?? data ?? []
        if let list = object["accessList"], !list.isNull {
            hasAccessList = true
            accessList = try Self.accessList(list)
        }
        if let list = object["authorizationList"], !list.isNull { authorizations = try Self.authorizations(list) }
        guard authorizations.isEmpty || to != nil else {
            throw .server(TransactionError.Code.setCodeCreate.rawValue)
        }
        if object["blobVersionedHashes"]?.array?.isEmpty == false {
            throw .invalidArgument(0, "blobVersionedHashes is not supported")
        }
    }

    /// The most that a unit of gas may cost the caller: zero if no price was given.
    var feeCap: UInt256 { gasPrice ?? maxFeePerGas ?? .zero }

    /// What a unit of gas costs under a base fee.
    func price(baseFee: UInt256) -> UInt256 {
        if let gasPrice { return gasPrice }
        guard let cap = maxFeePerGas else { return .zero }
        let room = cap > baseFee ? cap &- baseFee : .zero
        return min(cap, baseFee &+ min(room, maxPriorityFeePerGas ?? .zero))
    }

    /// The transaction that this would be, for its intrinsic gas.
    func transaction(gas: UInt64) -> Transaction {
        Transaction(
            kind: .dynamicFee, chainID: nil, nonce: 0, maxPriorityFeePerGas: .zero, maxFeePerGas: .zero, gasLimit: gas,
            to: to, value: value, input: input, accessList: accessList, authorizations: authorizations)
    }

    private static func address(_ object: JSONObject, _ name: String) throws(RPCError) -> Address? {
        guard let json = object[name], !json.isNull else { return nil }
        guard let bytes = json.dataBytes, let address = Address(bytes) else {
            throw .invalidArgument(0, "\(name) is not a 20-byte hex address")
        }
        return address
    }

    private static func quantity(_ object: JSONObject, _ name: String) throws(RPCError) -> UInt256? {
        guard let json = object[name], !json.isNull else { return nil }
        guard let value = json.quantityValue else { throw .invalidArgument(0, "\(name) is not a hex quantity") }
        return value
    }

    private static func bytes(_ object: JSONObject, _ name: String) throws(RPCError) -> [UInt8]? {
        guard let json = object[name], !json.isNull else { return nil }
        guard let bytes = json.dataBytes else { throw .invalidArgument(0, "\(name) is not hex data") }
        return bytes
    }

    private static func authorizations(_ json: JSON) throws(RPCError) -> [Authorization] {
        guard let entries = json.array else { throw .invalidArgument(0, "authorizationList is not an array") }
        var list: [Authorization] = []
        for entry in entries {
            guard let chainID = entry["chainId"]?.quantityValue,
                let address = entry["address"]?.dataBytes.flatMap({ Address($0) }),
                let nonce = entry["nonce"]?.quantity64, let parity = entry["yParity"]?.quantity64, parity <= 0xff,
                let r = entry["r"]?.quantityValue, let s = entry["s"]?.quantityValue
            else { throw .invalidArgument(0, "authorizationList has an invalid entry") }
            list.append(
                Authorization(
                    chainID: chainID, address: address, nonce: nonce, yParity: UInt8(parity), r: r, s: s))
        }
        return list
    }

    private static func accessList(_ json: JSON) throws(RPCError) -> [Transaction.AccessListEntry] {
        guard let entries = json.array else { throw .invalidArgument(0, "accessList is not an array") }
        var list: [Transaction.AccessListEntry] = []
        for entry in entries {
            guard let address = entry["address"]?.dataBytes.flatMap({ Address($0) }) else {
                throw .invalidArgument(0, "accessList has an invalid address")
            }
            var slots: [Bytes32] = []
            for key in entry["storageKeys"]?.array ?? [] {
                guard let slot = RPCParameters.slot(key) else {
                    throw .invalidArgument(0, "accessList has an invalid storage key")
                }
                slots.append(slot)
            }
            list.append(.init(address: address, slots: slots))
        }
        return list
    }
}

/// What eth_call's third parameter changes in an account before the call: fields that are nil stay.
struct AccountOverride {
    var address: Address
    var balance: UInt256?
    var nonce: UInt64?
    var code: [UInt8]?
    var storage: [(slot: Bytes32, value: UInt256)] = []

    /// Reads the override set at parameter 2.
    static func list(_ json: JSON?) throws(RPCError) -> [AccountOverride] {
        guard let json else { return [] }
        guard let object = json.object else { throw .invalidArgument(2, "not an object") }
        var list: [AccountOverride] = []
        for member in object.members {
            guard let address = Address(hex: member.name), let fields = member.value.object else {
                throw .invalidArgument(2, "not a map of addresses to overrides")
            }
            list.append(try AccountOverride(address, fields))
        }
        return list
    }

    private init(_ address: Address, _ fields: JSONObject) throws(RPCError) {
        self.address = address
        for member in fields.members where !member.value.isNull {
            switch member.name {
            case "balance": balance = member.value.quantityValue
            case "nonce": nonce = member.value.quantity64
            case "code": code = member.value.dataBytes
            case "stateDiff":
                for entry in member.value.object?.members ?? [] {
                    guard let slot = RPCParameters.slot(.string(entry.name)),
                        let value = RPCParameters.slot(entry.value)
                    else { throw .invalidArgument(2, "stateDiff is not hex to hex") }
                    storage.append((slot, UInt256(value)))
                }
            default: throw .invalidArgument(2, "the override \(member.name.prefix(40)) is not supported")
            }
        }
        if fields["balance"] != nil, balance == nil { throw .invalidArgument(2, "invalid balance") }
        if fields["nonce"] != nil, nonce == nil { throw .invalidArgument(2, "invalid nonce") }
        if fields["code"] != nil, code == nil { throw .invalidArgument(2, "invalid code") }
    }
}
