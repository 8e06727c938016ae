import EVM
import EthereumAdapter
import Foundation
import Primitives
import Testing

/// The public blockchain tests under proof of stake: whole blocks, headers and all, one after the other. What is valid
/// must come out with the same hash; fees of each block must follow from its parent.
@Suite("Public blockchain tests")
struct BlockchainTests {
    static let networks = ["Paris", "Shanghai", "Cancun"]

    @Test(.enabled(if: SharedData.exists("evm-tests/ethereum-tests-BlockchainTests.tar.xz")))
    func validBlocksKeepTheirHashes() throws {
        var blocks = 0
        for (index, file) in try SharedData.archive("ethereum-tests-BlockchainTests").enumerated() {
            if !SharedData.runsAll, index % 4 != 0 { continue }
            for member in try SharedData.json(file).object?.members ?? [] {
                guard let network = member.value["network"]?.string, Self.networks.contains(network),
                    let fork = Fork(caseName: network)
                else { continue }
                blocks += try run(member.value, fork: fork, name: member.name)
            }
        }
        #expect(blocks > 100)
    }

    private func run(_ test: JSON, fork: Fork, name: String) throws -> Int {
        var world = try world(#require(test["pre"]))
        let genesis = try RLP.decode(bytes(test["genesisRLP"])).items()
        var parent = try Header(decoding: Array(genesis[0].encoded))
        #expect(world.stateRoot() == parent.stateRoot, "\(name)")
        var hashes: [UInt64: Bytes32] = [parent.number: parent.hash]
        var count = 0
        for block in test["blocks"]?.array ?? [] {
            if block.object?.members.contains(where: { $0.name.hasPrefix("expectException") }) == true { continue }
            let items = try RLP.decode(bytes(block["rlp"])).items()
            let header = try Header(decoding: Array(items[0].encoded))
            // Tests of side chains come back to an earlier parent; only the main line is followed here.
            guard header.parentHash == parent.hash else { return count }
            #expect(header.baseFeePerGas == FeeRules.baseFee(after: parent), "\(name)")
            if let excess = parent.excessBlobGas, let used = parent.blobGasUsed {
                #expect(
                    header.excessBlobGas
                        == FeeRules.excessBlobGas(parentExcess: excess, parentUsed: used, .schedule(fork)), "\(name)")
            }
            var processor = BlockProcessor(
                on: world, environment: BlockEnvironment(header, chainID: 1, fork: fork), fork: fork,
                blockHash: { [hashes] in hashes[$0] ?? .zero })
            if let root = header.parentBeaconBlockRoot {
                let beaconRoots = try #require(Address(hex: "000f3df6d732807ef1319fb7b8bb8522d0beac02"))
                processor.systemCall(beaconRoots, input: root.bytes)
            }
            var transactions: [SignedTransaction] = []
            for item in try items[1].items() {
                let raw = item.isList ? Array(item.encoded) : try item.bytes()
                let signed = try SignedTransaction(decoding: raw)
                _ = try processor.execute(signed.transaction, sender: signed.sender(chainID: 1, fork: fork))
                transactions.append(signed)
            }
            if items.count > 3 { processor.pay(try items[3].items().map(withdrawal)) }
            let outcome = processor.finish()
            world.apply(outcome.diff, block: header.number)
            let sealed = outcome.seal(header, transactions: transactions, stateRoot: world.stateRoot())
            #expect(sealed.hash == header.hash, "\(name) block \(header.number)")
            hashes[header.number] = header.hash
            parent = header
            count += 1
        }
        return count
    }

    private func withdrawal(_ item: RLPItem) throws -> Withdrawal {
        let fields = try item.items(exactly: 4)
        return Withdrawal(
            index: try fields[0].uint64(), validatorIndex: try fields[1].uint64(), address: try fields[2].address(),
            amount: try fields[3].uint64())
    }

    private func bytes(_ json: JSON?) throws -> [UInt8] { try #require(Hex.decode(json?.string ?? "-")) }

    private func world(_ accounts: JSON) throws -> EthereumAdapter::WorldState {
        var diff = StateDiff()
        for member in accounts.object?.members ?? [] {
            let address = try #require(Address(hex: member.name))
            let code = try bytes(member.value["code"])
            diff.accounts[address] = AccountState(
                nonce: try #require(UInt256(hex: member.value["nonce"]?.string ?? "")?.asUInt64),
                balance: try #require(UInt256(hex: member.value["balance"]?.string ?? "")),
                codeHash: Keccak256.hash(code))
            if !code.isEmpty { diff.codes[Keccak256.hash(code)] = code }
            for slot in member.value["storage"]?.object?.members ?? [] {
                let key = try #require(UInt256(hex: slot.name))
                let value = try #require(UInt256(hex: slot.value.string ?? ""))
                diff.storage[StorageKey(address, Bytes32(key))] = value
            }
        }
        var world = EthereumAdapter::WorldState()
        world.apply(diff)
        return world
    }
}
