import AdapterKit
import Consensus
import Constitution
import Ledger
import Manager
import Primitives
import Store

// The history, held against the ledger: the ledger's order is the one in which everything must have happened.
extension NodeSimulation {
    /// Where an operation stands in the ledger, and what it must have answered.
    private struct Occurrence {
        let id: TransactionID
        let index: UInt32
        let value: UInt64
    }

    func judgeHistory() {
        do {
            try judgeByLedger()
        } catch {
            oracle.violated("Ledger", "an entry can't be read: \(error)")
        }
    }

    private func judgeByLedger() throws {
        var values: [UInt8: UInt64] = [:]
        var occurrences: [Int: Occurrence] = [:]
        /// States after each entry that wrote, oldest first.
        var states: [(seqno: UInt64, values: [UInt8: UInt64])] = [(0, [:])]
        let reader = LedgerReader(networkID: constitution.networkID, keys: try epochKeys())
        for placed in prefix.entries {
            let id = TransactionID(view: placed.position.view, seqno: placed.position.seqno)
            let inputs = try reader.inputs(placed.bytes)
            for (index, input) in inputs.enumerated() {
                let number = KeyValueOperation.number(ofBody: input)
                guard history.operations.indices.contains(number),
                    case .write(let wanted) = history.operations[number].kind,
                    wanted.body(number: number) == input, let operation = KeyValueOperation(input)
                else { return oracle.violated("Unasked", "\(id).\(index) is what nobody asked for") }
                guard let value = operation.perform(on: &values) else {
                    return oracle.violated("Execution", "\(id).\(index) can't be done on what is before it")
                }
                if let other = occurrences[number] {
                    return oracle.violated(
                        "ExactlyOnce", "operation \(number) is \(other.id).\(other.index) and \(id).\(index)")
                }
                occurrences[number] = Occurrence(id: id, index: UInt32(index), value: value)
            }
            if !inputs.isEmpty { states.append((id.seqno, values)) }
        }
        judgeWrites(occurrences)
        judgeReads(states)
    }

    private func judgeWrites(_ occurrences: [Int: Occurrence]) {
        for (number, operation) in history.operations.enumerated() {
            guard case .write = operation.kind else { continue }
            let found = occurrences[number]
            for claim in operation.claims {
                guard let found else {
                    return oracle.violated(
                        "Durability", "operation \(number) was acknowledged as \(claim.id).\(claim.index) and is lost")
                }
                guard found.id == claim.id, found.index == claim.index, found.value == claim.value else {
                    return oracle.violated(
                        "Answers",
                        "operation \(number) was answered \(claim.id).\(claim.index) = \(claim.value), and is "
                            + "\(found.id).\(found.index) = \(found.value)")
                }
            }
            guard let found else { continue }
            if operation.claims.isEmpty, !operation.mayHaveHappened, operation.isDone {
                return oracle.violated(
                    "Refusals", "operation \(number) was refused each time, and is \(found.id).\(found.index)")
            }
            guard History.TransactionPlace(seqno: found.id.seqno, index: found.index) > operation.floor else {
                return oracle.violated(
                    "RealTime",
                    "operation \(number) is \(found.id).\(found.index), before \(operation.floor.seqno) which was "
                        + "acknowledged before it was asked for")
            }
        }
    }

    private func judgeReads(_ states: [(seqno: UInt64, values: [UInt8: UInt64])]) {
        for read in history.reads {
            guard let place = states.firstIndex(where: { $0.seqno == read.writer }) else {
                return oracle.violated("Reads", "n\(read.node) shows a state after \(read.writer), which wrote nothing")
            }
            let value = states[place].values[read.key] ?? 0
            if value != read.value {
                return oracle.violated(
                    "Reads", "n\(read.node) shows \(read.value) after \(read.writer), where it is \(value)")
            }
            if place < self.place(states, read.reflects.seqno) {
                return oracle.violated(
                    "Reads", "n\(read.node) shows the state after \(read.writer) as reflecting \(read.reflects)")
            }
            if let atLeast = read.atLeast, read.reflects.seqno < atLeast.seqno {
                return oracle.violated("Reads", "n\(read.node) shows \(read.reflects), asked for at least \(atLeast)")
            }
        }
    }

    private func place(_ states: [(seqno: UInt64, values: [UInt8: UInt64])], _ seqno: UInt64) -> Int {
        (states.firstIndex { $0.seqno > seqno } ?? states.count) - 1
    }

    private func epochKeys() throws -> [EpochKey] {
        for machine in machines {
            let sealed = try SealedState(decoding: machine.seal)
            if !sealed.epochKeys.isEmpty { return sealed.epochKeys }
        }
        return []
    }
}

/// Reads transactions out of entries, without the manager's own reader.
private struct LedgerReader {
    let networkID: [UInt8]
    let keys: [EpochKey]

    init(networkID: String, keys: [EpochKey]) {
        self.networkID = Array(networkID.utf8)
        self.keys = keys
    }

    /// The bodies of a batch's transactions, in order (docs/formats.md, `entente.inputs`).
    func inputs(_ bytes: [UInt8]) throws -> [[UInt8]] {
        let entry = try LedgerEntry(bytes)
        guard let leadership = try Leadership(of: entry),
            let key = keys.first(where: { $0.epoch == leadership.epoch })
        else { return [] }
        let cipher = try EntryCipher(
            session: SessionKey(epoch: key.epoch, bytes: key.key), networkID: networkID, leadership: leadership)
        var inputs: [[UInt8]] = []
        for compartment in try cipher.open(entry) where compartment.readers == [0xFF] {
            for write in try compartment.writes()["entente.inputs"]?.writes ?? [] {
                var reader = ByteReader(write.value)
                _ = try reader.integer(UInt8.self)
                _ = try reader.text()
                _ = try reader.optional { reader throws(ByteReaderError) in try reader.blob() }
                inputs.append(try reader.blob())
            }
        }
        return inputs
    }
}
