import EVM
public import Primitives

/// One thing that came out otherwise than the case says.
public struct ReplayDifference: Hashable, Sendable, CustomStringConvertible {
    /// What was compared: such as `gasUsed` or `transactions[3].sender`.
    public let subject: String
    /// What the case says.
    public let expected: String
    /// What came out.
    public let actual: String

    init(_ subject: String, expected: some CustomStringConvertible, actual: some CustomStringConvertible) {
        self.subject = subject
        self.expected = expected.description
        self.actual = actual.description
    }

    /// All three.
    public var description: String { "\(subject): expected \(expected), got \(actual)" }
}

/// What came out of a case's transactions, wherever they ran.
public struct ReplayOutcome: Sendable {
    /// The receipts in order.
    public var receipts: [Receipt]
    /// Root of the partial world before.
    public var preStateRoot: Bytes32
    /// Root of the partial world after.
    public var postStateRoot: Bytes32
    /// What changed.
    public var diff: StateDiff

    /// What came out.
    public init(receipts: [Receipt], preStateRoot: Bytes32, postStateRoot: Bytes32, diff: StateDiff) {
        self.receipts = receipts
        self.preStateRoot = preStateRoot
        self.postStateRoot = postStateRoot
        self.diff = diff
    }
}

extension ReplayCase {
    /// What of an outcome is otherwise than expected: gas, status, logs, bloom, receipts root, both state roots and
    /// each account's changes.
    public func compare(_ outcome: ReplayOutcome) -> [ReplayDifference] {
        var list = DifferenceList()
        compareReceipts(outcome.receipts, &list)
        list.check("partialPreStateRoot", preStateRoot.hex, outcome.preStateRoot.hex)
        list.check("partialPostStateRoot", postStateRoot.hex, outcome.postStateRoot.hex)
        compareChanges(outcome.diff, &list)
        return list.differences
    }

    private func compareReceipts(_ actual: [Receipt], _ list: inout DifferenceList) {
        list.check("receipts.count", receipts.count, actual.count)
        for (index, (expected, actual)) in zip(receipts, actual).enumerated() {
            let subject = "receipts[\(index)]"
            list.check("\(subject).gasUsed", expected.gasUsed, actual.gasUsed)
            if fork >= .byzantium, expected.status == nil { list.check("\(subject).status", "missing", "known") }
            if let status = expected.status { list.check("\(subject).status", "\(status)", text(actual.succeeded)) }
            list.check("\(subject).logs.count", expected.logs.count, actual.logs.count)
            for (place, (expected, actual)) in zip(expected.logs, actual.logs).enumerated() where expected != actual {
                list.check("\(subject).logs[\(place)]", text(expected), text(actual))
            }
        }
        let used = actual.last?.cumulativeGasUsed ?? 0
        list.check("gasUsed", gasUsed, used)
        list.check("header.gasUsed", header.gasUsed, used)
        var bloom = Bloom()
        for receipt in actual { bloom.formUnion(receipt.bloom) }
        list.check("header.logsBloom", header.logsBloom, bloom)
        if let expected = header.blobGasUsed {
            list.check("header.blobGasUsed", expected, actual.reduce(0) { $0 + $1.blobGasUsed })
        }
        if receiptsRootChecked {
            list.check("header.receiptsRoot", header.receiptsRoot.hex, Receipt.root(actual).hex)
        } else if fork >= .byzantium {
            list.check("receiptsRootChecked", "true from Byzantium on", "false")
        }
    }

    private func compareChanges(_ diff: StateDiff, _ list: inout DifferenceList) {
        var storage: [Address: [Bytes32: UInt256]] = [:]
        for (key, value) in diff.storage where preState.storage[key] ?? .zero != value {
            storage[key.address, default: [:]][key.slot] = value
        }
        let addresses = Set(changes.keys).union(diff.accounts.keys).union(storage.keys).sorted()
        for address in addresses {
            let subject = "postStateDiff[\(address.hex)]"
            let before = preState.accounts[address] ?? nil
            let after = diff.accounts[address] ?? before
            let expected = changes[address]
            guard let expected else {
                // Not expected to change.
                if before != after || storage[address] != nil {
                    list.check(subject, "no change", "a change")
                }
                continue
            }
            guard let expected else {
                list.check(subject, "deleted", after == nil ? "deleted" : "there")
                continue
            }
            guard let after else {
                list.check(subject, "there", "deleted")
                continue
            }
            list.check("\(subject).balance", expected.balance ?? before?.balance ?? .zero, after.balance)
            list.check("\(subject).nonce", expected.nonce ?? before?.nonce ?? 0, after.nonce)
            let codeHash = expected.code.map { Keccak256.hash($0) } ?? before?.codeHash ?? Keccak256.empty
            list.check("\(subject).codeHash", codeHash.hex, after.codeHash.hex)
            let slots = storage[address] ?? [:]
            for slot in Set(expected.storage.keys).union(slots.keys).sorted() {
                let old = preState.storage[StorageKey(address, slot)] ?? .zero
                let wanted = expected.storage[slot] ?? old
                list.check("\(subject).storage[\(slot.hex)]", wanted.hex, (slots[slot] ?? old).hex)
            }
        }
    }

    private func text(_ status: Bool?) -> String { status.map(\.description) ?? "unknown" }

    private func text(_ log: Log) -> String {
        "\(log.address.hex) \(log.topics.map(\.hex)) \(Hex.encodePrefixed(log.data))"
    }
}

/// Collects what differs.
struct DifferenceList {
    private(set) var differences: [ReplayDifference] = []

    mutating func check<T: Equatable & CustomStringConvertible>(_ subject: String, _ expected: T, _ actual: T) {
        if expected != actual {
            differences.append(ReplayDifference(subject, expected: expected, actual: actual))
        }
    }
}
