import EVM
import Primitives

extension ReplayLoad {
    /// Reads the members of the replay file format that say what is before the block: `chainId`, `header`,
    /// `blockHashes`, `codes`, `preState`.
    init(_ json: JSON) throws(CaseFileError) {
        let file = try CaseFields(json, "")
        guard case .integer(let chain) = try file.json("chainId"), let chainID = UInt64(exactly: chain) else {
            throw file.error("chainId", "not a number")
        }
        var hashes: [UInt64: Bytes32] = [:]
        let named = try file.fields("blockHashes")
        guard named.object.members.count <= ReplayEnvironment.blockHashesMax else {
            throw file.error("blockHashes", "too many")
        }
        for member in named.object.members {
            guard let number = UInt64(member.name) else { throw named.error(member.name, "not a block number") }
            hashes[number] = try named.hash(member.name)
        }
        let header = try Header(file.fields("header"))
        let state = try Self.world(file.fields("preState"), codes: file.fields("codes"))
        self.init(environment: .init(header: header, chainID: chainID, blockHashes: hashes), state: state)
    }

    private static func world(_ accounts: CaseFields, codes: CaseFields) throws(CaseFileError) -> StateDiff {
        var world = StateDiff()
        for member in codes.object.members {
            guard let code = member.value.dataBytes else { throw codes.error(member.name, "not hex data") }
            let hash = Keccak256.hash(code)
            guard member.name == hash.hex else { throw codes.error(member.name, "the code has another hash") }
            world.codes[hash] = code
        }
        for member in accounts.object.members {
            guard let address = Address(hex: member.name) else { throw accounts.error(member.name, "not an address") }
            let fields = try CaseFields(member.value, "preState.\(member.name)")
            var account = AccountState(nonce: try fields.integer("nonce"), balance: try fields.quantity("balance"))
            if fields.has("codeHash") {
                account.codeHash = try fields.hash("codeHash")
                guard account.codeHash == Keccak256.empty || world.codes[account.codeHash] != nil else {
                    throw fields.error("codeHash", "no such code")
                }
            }
            world.accounts[address] = account
            guard fields.has("storage") else { continue }
            for (slot, value) in try fields.fields("storage").slots() where !value.isZero {
                world.storage[StorageKey(address, slot)] = value
            }
        }
        return world
    }
}
