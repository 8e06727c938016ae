import EVM
import EthereumAdapter
import Primitives

extension CaseFields {
    /// A small index written as a JSON number.
    func index(_ name: String) throws(CaseFileError) -> Int {
        guard case .integer(let value) = try json(name), (0..<1 << 20).contains(value) else {
            throw error(name, "not an index")
        }
        return Int(value)
    }

    /// The accounts of a `pre` or `post` object.
    func world() throws(CaseFileError) -> StateDiff {
        var world = StateDiff()
        for member in object.members {
            guard let address = Address(hex: member.name) else { throw error(member.name, "not an address") }
            let fields = try self.fields(member.name)
            let code = try fields.bytes("code")
            var account = AccountState(nonce: try fields.integer("nonce"), balance: try fields.quantity("balance"))
            account.codeHash = Keccak256.hash(code)
            world.accounts[address] = account
            if !code.isEmpty { world.codes[account.codeHash] = code }
            for (slot, value) in try fields.fields("storage").slots() where value != .zero {
                world.storage[StorageKey(address, slot)] = value
            }
        }
        return world
    }
}
