import AdapterKit
import EVM
import Primitives

// Accounts, storage and code.
extension RPCServer {
    func getBalance(_ call: RPCCall) throws(RPCError) -> JSON {
        let address = try call.parameters.address(0)
        let view = try chain.view(at: call.parameters.block(1, default: .latest)).state
        return .quantity(view.account(address)?.balance ?? .zero)
    }

    func getStorageAt(_ call: RPCCall) throws(RPCError) -> JSON {
        let address = try call.parameters.address(0)
        let slot = try call.parameters.slot(1)
        let view = try chain.view(at: call.parameters.block(2, default: .latest)).state
        return .data(Bytes32(view.storage(address, slot)))
    }

    /// With `pending` it counts executed transactions that are not committed yet, and waiting ones that follow.
    func getTransactionCount(_ call: RPCCall) throws(RPCError) -> JSON {
        let address = try call.parameters.address(0)
        let block = try call.parameters.block(1, default: .latest)
        if block == .pending {
            let nonce = chain.world.account(address)?.nonce ?? 0
            return .quantity(chain.pool.nextNonce(address, after: nonce))
        }
        return .quantity(try chain.view(at: block).state.account(address)?.nonce ?? 0)
    }

    func getCode(_ call: RPCCall) throws(RPCError) -> JSON {
        let address = try call.parameters.address(0)
        let view = try chain.view(at: call.parameters.block(1, default: .latest)).state
        return .data(view.account(address).flatMap { view.code($0.codeHash) } ?? [])
    }

    /// Slots in one proof at most, as in go-ethereum.
    private static let proofSlotsMax = 1024

    func getProof(_ call: RPCCall) throws(RPCError) -> JSON {
        let address = try call.parameters.address(0)
        guard let keys = call.parameters.optional(1)?.array else { throw .invalidArgument(1, "not an array") }
        guard keys.count <= Self.proofSlotsMax else { throw .invalidParameters("too many storage keys") }
        var slots: [Bytes32] = []
        for key in keys {
            guard let slot = RPCParameters.slot(key) else { throw .invalidArgument(1, "invalid storage key") }
            slots.append(slot)
        }
        let block = try call.parameters.block(2, default: .latest)
        let height = try chain.height(of: block)
        guard height == chain.blocks.committed else {
            throw .server("proofs are given for the latest block only")
        }
        return chain.withCommittedWorld { world in
            let account = world.account(address) ?? AccountState()
            let proofs = zip(keys, slots).map { key, slot -> JSON in
                [
                    "key": key, "value": .quantity(world.storage(address, slot)),
                    "proof": .array(world.storageProof(address, slot).map { .data($0) }),
                ]
            }
            return [
                "address": .data(address), "accountProof": .array(world.accountProof(address).map { .data($0) }),
                "balance": .quantity(account.balance), "codeHash": .data(account.codeHash),
                "nonce": .quantity(account.nonce), "storageHash": .data(world.storageRoot(address)),
                "storageProof": .array(proofs),
            ]
        }
    }
}
