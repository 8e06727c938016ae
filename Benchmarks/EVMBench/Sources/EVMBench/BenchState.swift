import EVM
import Primitives

/// A state in dictionaries.
final class BenchState: StateReader {
    var accounts: [Address: AccountState] = [:]
    var codes: [Bytes32: [UInt8]] = [:]
    var slots: [Address: [UInt256: UInt256]] = [:]

    func account(_ address: Address) -> AccountState? { accounts[address] }
    func code(_ hash: Bytes32) -> [UInt8] { codes[hash] ?? [] }
    func storage(_ address: Address, _ key: UInt256) -> UInt256 { slots[address]?[key] ?? .zero }
    func hasStorage(_ address: Address) -> Bool { slots[address] != nil }
    func blockHash(_ number: UInt64) -> Bytes32 { .zero }

    func deploy(_ code: [UInt8], at address: Address) {
        let hash = Keccak256.hash(code)
        codes[hash] = code
        accounts[address] = AccountState(nonce: 1, codeHash: hash)
    }
}
