import Attestation
import Constitution
import Primitives
import Store
import Testing

@Suite("Constitution in the ledger")
struct ConstitutionRoundTripTests {
    @Test("write sets, through a store, give the same constitution back")
    func store() throws {
        let constitution = try Constitution(genesis: Sample.document())
        let writes = constitution.writeSet()
        #expect(writes.maps.allSatisfy { !$0.isPublic && $0.name.hasPrefix(ConstitutionMaps.prefix) })
        #expect(ConstitutionMaps.areTouched(by: writes))
        var store = Store()
        try store.apply(writes, at: 1)
        let read = try Constitution(reading: store.latest)
        #expect(read == constitution)
        #expect(read.networkID == constitution.networkID)
        #expect(read.digest == constitution.networkID)
        #expect(read.writeSet() == writes)
    }

    @Test("what is asked of a hardware platform comes back from the ledger")
    func requirements() throws {
        var document = try Sample.document()
        let wanted = PlatformRequirements(
            statuses: [.upToDate], evaluationNumberMin: 18,
            claims: [.init(name: "body.xfam", condition: .among(["e702060000000000"]))])
        document.tee.rules.append(.init(platform: .tdx, minimumTCB: [1, 2], requirements: wanted))
        document.tee.rules.append(.init(platform: .sevSNP))
        for platform in [Platform.tdx, .sevSNP] {
            document.code.entries.append(
                .init(
                    name: "node", version: "1", role: .combined, platform: platform,
                    measurement: [UInt8](repeating: 1, count: 48)))
        }
        let constitution = try Constitution(genesis: document)
        let read = try Constitution(reading: constitution.writeSet())
        #expect(read == constitution)
        #expect(read.tee.rule(for: .tdx)?.requirements == wanted)
        #expect(read.tee.rule(for: .sevSNP)?.requirements == PlatformRequirements())
        #expect(read.tee.policy(for: .tdx, owner: "bank-a")?.allowsDebug == false)
    }

    @Test("the order in which lists are written down does not matter, that of adapters does")
    func order() throws {
        let document = try Sample.document()
        var shuffled = document
        shuffled.actors.reverse()
        shuffled.nodes.reverse()
        shuffled.code.entries.reverse()
        shuffled.tee.softwareKeys.reverse()
        #expect(try Constitution(genesis: shuffled) == Constitution(genesis: document))
        shuffled.adapters.reverse()
        let other = try Constitution(genesis: shuffled)
        #expect(other.networkID != (try Constitution(genesis: document).networkID))
        #expect(other.adapters.map(\.endpoint) == ["alt", "main"])
        #expect(try Constitution(reading: other.writeSet()).adapters.map(\.endpoint) == ["alt", "main"])
    }

    @Test("every part of the document changes the network's id")
    func identity() throws {
        let document = try Sample.document()
        var ids = [try Constitution(genesis: document).networkID]
        let changes: [(inout ConstitutionDocument) -> Void] = [
            { $0.name = "others" }, { $0.isOpen = false }, { $0.replay = true }, { $0.actors.removeLast() },
            { $0.nodes.removeLast() },
            { $0.code.entries[0].version = "0.1.1" }, { $0.code.entries[1].measurement[0] = 9 },
            { $0.voting.standard.rule = .unanimous }, { $0.voting.exceptions = [] },
            { $0.consensus.restart = .members }, { $0.consensus.replicationQuorum = .nodes(2) },
            { $0.consensus.electionQuorum = .nodes(2) }, { $0.adapters[0].settings = Array("{}".utf8) },
            { $0.adapters[1].kind = "other" },
            { $0.unknown.append(.init(map: ConstitutionMaps.parameters, key: [0x7a], value: [1])) },
        ]
        for change in changes {
            var copy = document
            change(&copy)
            ids.append(try Constitution(genesis: copy).networkID)
        }
        for row in Parameters.table where row.range.lowerBound < row.range.upperBound {
            var copy = document
            copy.parameters[keyPath: row.path] += 1
            ids.append(try Constitution(genesis: copy).networkID)
        }
        #expect(Set(ids).count == ids.count)
        #expect(ids.allSatisfy(Constitution.isNetworkID))
    }

    @Test("the genesis file has one form, which is read back")
    func genesisFile() throws {
        let constitution = try Constitution(genesis: Sample.document())
        let file = constitution.genesisFile
        #expect(try Constitution(genesis: file) == constitution)
        #expect(file.starts(with: Array("entente genesis".utf8)))
        for count in stride(from: 0, to: file.count, by: 7) {
            #expect(throws: ConstitutionError.self) { try Constitution(genesis: Array(file.prefix(count))) }
        }
        #expect(throws: ConstitutionError.self) { try Constitution(genesis: file + [0]) }
        var later = file
        later[16] = 2
        let error = #expect(throws: ConstitutionError.self) { try Constitution(genesis: later) }
        #expect(error?.reason.contains("version 2") == true)
    }

    @Test("a changed genesis file is refused or is another network's, and nothing traps")
    func fuzz() throws {
        let constitution = try Constitution(genesis: Sample.document())
        let file = constitution.genesisFile
        var random = Random(state: 5)
        for _ in 0..<1_500 {
            var bytes = file
            for _ in 0...random.below(3) { bytes[random.below(bytes.count)] ^= UInt8(1 << random.below(8)) }
            if let other = try? Constitution(genesis: bytes) {
                #expect((other.networkID == constitution.networkID) == (bytes == file))
                #expect(other.genesisFile == bytes)
            }
            _ = try? Constitution(genesis: random.bytes(random.below(200)))
        }
    }

    @Test("an entry that is missing, cut or of a later version is named")
    func damagedEntries() throws {
        let writes = try Constitution(genesis: Sample.document()).writeSet()
        for map in writes.maps {
            for write in map.writes {
                var cut = writes
                cut.put(Array(write.value.dropLast()), at: write.key, in: map.name)
                let error = #expect(throws: ConstitutionError.self) { try Constitution(reading: cut) }
                #expect(error?.path.hasPrefix(map.name) == true, "\(String(describing: error))")
                var later = writes
                later.put([2] + write.value.dropFirst(), at: write.key, in: map.name)
                #expect(throws: ConstitutionError.self) { try Constitution(reading: later) }
            }
        }
        for name in [ConstitutionMaps.parameters, ConstitutionMaps.network, ConstitutionMaps.members] {
            let less = WriteSet(writes.maps.filter { $0.name != name })
            #expect(throws: ConstitutionError.self) { try Constitution(reading: less) }
        }
    }

    @Test("what this build does not know is kept")
    func unknown() throws {
        let constitution = try Constitution(genesis: Sample.document())
        var writes = constitution.writeSet()
        writes.put([7, 7], at: Array("lease.milliseconds".utf8), in: ConstitutionMaps.parameters)
        writes.put([1], at: Array("platform/cca".utf8), in: ConstitutionMaps.tee)
        writes.put([1], at: Array("action/dance".utf8), in: ConstitutionMaps.policies)
        let read = try Constitution(reading: writes)
        #expect(read.document.unknown.count == 3)
        #expect(read.writeSet() == writes)
        #expect(read.digest != read.networkID)
        #expect(read.networkID == constitution.networkID)
        #expect(read != constitution)
    }

    @Test("single entries can change, as later proposals will do")
    func change() throws {
        let constitution = try Constitution(genesis: Sample.document())
        var store = Store()
        try store.apply(constitution.writeSet(), at: 1)
        var change = WriteSet()
        var larger = try Sample.document()
        larger.parameters.batchTransactionsMax = 250
        let key = Array("batch.transactionsMax".utf8)
        let value = try #require(
            Constitution(genesis: larger).writeSet()[ConstitutionMaps.parameters]?[key])
        change.put(value, at: key, in: ConstitutionMaps.parameters)
        change.remove(Array("supplier".utf8), in: ConstitutionMaps.participants)
        try store.apply(change, at: 2)
        let read = try Constitution(reading: store.latest)
        #expect(read.batchTransactionsMax == 250)
        #expect(read.participants.isEmpty)
        #expect(!read.mayTransact("supplier"))
        #expect(read.networkID == constitution.networkID)
        try store.rollback(to: 1)
        #expect(try Constitution(reading: store.latest) == constitution)
    }
}
