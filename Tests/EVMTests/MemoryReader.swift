import EVM
import Primitives

/// A state in dictionaries, as tests want it.
final class MemoryReader: StateReader {
    struct Account {
        var nonce: UInt64 = 0
        var balance = UInt256.zero
        var code: [UInt8] = []
        var storage: [UInt256: UInt256] = [:]
    }

    var accounts: [Address: Account] = [:]
    var hashes: [UInt64: Bytes32] = [:]
    private var codes: [Bytes32: [UInt8]] = [:]

    init(_ accounts: [Address: Account] = [:]) {
        self.accounts = accounts
        for account in accounts.values { codes[Keccak256.hash(account.code)] = account.code }
    }

    func account(_ address: Address) -> AccountState? {
        accounts[address].map {
            AccountState(nonce: $0.nonce, balance: $0.balance, codeHash: Keccak256.hash($0.code))
        }
    }

    func code(_ hash: Bytes32) -> [UInt8] { codes[hash] ?? [] }

    func storage(_ address: Address, _ key: UInt256) -> UInt256 { accounts[address]?.storage[key] ?? .zero }

    func hasStorage(_ address: Address) -> Bool { accounts[address]?.storage.values.contains { !$0.isZero } ?? false }

    func blockHash(_ number: UInt64) -> Bytes32 { hashes[number] ?? Keccak256.hash(Array(String(number).utf8)) }

    /// Does what a caller of `takeChanges` does.
    func apply(_ changes: [AccountChange]) {
        for change in changes {
            guard let state = change.account else {
                accounts[change.address] = nil
                continue
            }
            var account = accounts[change.address] ?? Account()
            account.nonce = state.nonce
            account.balance = state.balance
            if let code = change.code {
                account.code = code
                codes[state.codeHash] = code
            } else if state.codeHash == Keccak256.empty {
                account.code = []
            }
            if change.storageCleared { account.storage = [:] }
            for slot in change.storage { account.storage[slot.key] = slot.value.isZero ? nil : slot.value }
            accounts[change.address] = account
        }
    }
}
