import AdapterKit
import Consensus
import Ledger
import Primitives
import Store

/// The records that the manager keeps in its own maps, for who checks that what is read is what was written.
package enum LedgerRecords {
    /// What a record is of.
    package enum Kind: UInt8, Sendable, CaseIterable {
        /// An entry: time, randomness, endpoint.
        case entry
        /// A transaction's input.
        case input
        /// The first answer to a request.
        case answer
        /// The requests of an entry.
        case requests
        /// A configuration of consensus.
        case configuration
        /// The configurations of a snapshot.
        case snapshot
    }

    /// Reads a record and writes it again.
    /// - Throws: what its decoder throws.
    package static func rewritten(_ bytes: [UInt8], _ kind: Kind) throws -> [UInt8] {
        switch kind {
        case .entry: return try EntryRecord(decoding: bytes).encoded()
        case .input: return try InputRecord(decoding: bytes).encoded()
        case .answer: return try RequestMap.Answer(decoding: bytes).encoded()
        case .requests:
            var writer = ByteWriter()
            writer.list(try RequestMap.decodeKeys(bytes)) { $0.blob($1) }
            return writer.bytes
        case .configuration:
            guard let configuration = try ConfigurationMap.read(tables(ConfigurationMap.name, bytes)) else { return [] }
            return value(ConfigurationMap.writes(configuration))
        case .snapshot:
            let placed = try SnapshotMap.read(tables(SnapshotMap.name, bytes))
            return value(WriteSet([SnapshotMap.writes(placed)]))
        }
    }

    /// One record of each kind.
    package static var samples: [(name: String, kind: Kind, bytes: [UInt8])] {
        let id = TransactionID(view: 2, seqno: 9)
        let transaction = IncludedTransaction(
            actor: "bank-a", requestID: [7], input: [1, 2], claims: [.zero], response: [5], readers: .network)
        let key = RequestKey(actor: "bank-a", endpoint: "ethereum", requestID: [7])
        var samples: [(name: String, kind: Kind, bytes: [UInt8])] = [
            ("entry", .entry, EntryRecord(time: 5, endpoint: "ethereum", transactionCount: 2).encoded()),
            ("input", .input, InputRecord(transaction).encoded()),
            ("answer", .answer, RequestMap.Answer(id: id, index: 1, response: [3]).encoded()),
            ("requests", .requests, RequestMap.encodeKeys([key])),
        ]
        if let configuration = try? Configuration(voters: ["a", "b", "c"], learners: ["d"], settled: 3) {
            samples.append(("configuration", .configuration, value(ConfigurationMap.writes(configuration))))
            let placed = SnapshotMap.writes([PlacedConfiguration(seqno: 4, configuration: configuration)])
            samples.append(("snapshot", .snapshot, value(WriteSet([placed]))))
        }
        return samples
    }

    private static func tables(_ name: String, _ bytes: [UInt8]) -> WriteSet {
        WriteSet([MapWrites(name: name, writes: [.init(key: Tables.singleton, value: bytes)])])
    }

    private static func value(_ writes: WriteSet) -> [UInt8] { writes.maps.first?.writes.first?.value ?? [] }
}
