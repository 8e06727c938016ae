import AdapterKit
import Ledger
import Manager

/// A client: one operation at a time, at one node for a while.
struct SimulatedClient {
    var node: Int
    /// The operation that it waits for.
    var operation: Int?
    /// The newest transaction that it knows of; its reads ask for at least that.
    var lastSeen: TransactionID?
    /// Operations that went through after the faults ended.
    var doneAfterHeal = 0
}

/// What clients asked for and were told.
struct History {
    enum Kind {
        case write(KeyValueOperation)
        case read(key: UInt8)
    }

    /// A word of the network about a write.
    struct Claim {
        let id: TransactionID
        let index: UInt32
        let value: UInt64
    }

    struct Operation {
        let kind: Kind
        let client: Int
        let requestID: RequestID?
        /// What was acknowledged to anyone before this was asked for: it must come later.
        let floor: TransactionPlace
        var atLeast: TransactionID?
        /// Everything that was ever said of it as committed.
        var claims: [Claim] = []
        /// An attempt had no answer, or the answer that nobody knows: it may be in the ledger.
        var mayHaveHappened = false
        var attempts = 0
        var openAttempts = 0
        var isDone = false
    }

    /// Where a transaction stands in the ledger.
    struct TransactionPlace: Comparable {
        let seqno: UInt64
        let index: UInt32
        static func < (left: Self, right: Self) -> Bool { (left.seqno, left.index) < (right.seqno, right.index) }
    }

    /// An answered read.
    struct Read {
        let operation: Int
        let node: Int
        let key: UInt8
        let writer: UInt64
        let value: UInt64
        let reflects: TransactionID
        let atLeast: TransactionID?
    }

    var operations: [Operation] = []
    var reads: [Read] = []
    /// What each request is an attempt of, at which node, and whether its client waits no more.
    var tokens: [RequestToken: (operation: Int, node: Int, isLate: Bool)] = [:]
    var nextToken: RequestToken = 1
    /// The last place that anyone knows as committed.
    var acknowledged = TransactionPlace(seqno: 0, index: 0)

    var readCount: Int { reads.count }
    var acknowledgedCount: Int { operations.count { !$0.claims.isEmpty } }
    var unknownCount: Int { operations.count { $0.claims.isEmpty && $0.mayHaveHappened } }
}
