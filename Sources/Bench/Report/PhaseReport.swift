internal import AdapterKit
public import Primitives

/// What one load came to.
public struct PhaseReport: Sendable {
    /// A process's processor time.
    public struct Processor: Sendable, Equatable {
        /// Its node, or "bench".
        public var node: String
        /// Its name.
        public var process: String
        /// Nanoseconds while the clock ran.
        public var nanoseconds: UInt64
        /// Nanoseconds that it takes a second while nothing but the bench's watching goes on; nil if not measured.
        public var watchingNanosecondsPerSecond: UInt64?

        package init(node: String, process: String, nanoseconds: UInt64, watchingNanosecondsPerSecond: UInt64?) {
            self.node = node
            self.process = process
            self.nanoseconds = nanoseconds
            self.watchingNanosecondsPerSecond = watchingNanosecondsPerSecond
        }
    }

    /// What was sent.
    public var workload: Workload
    /// How it was driven, in words.
    public var loop: String
    /// Seconds for which the clock ran.
    public var seconds: Double
    /// Transactions acknowledged.
    public var acknowledged: UInt64
    /// Those of them that were acknowledged before the clock stopped.
    public var acknowledgedInTime: UInt64
    /// Transactions answered with "busy".
    public var busy = 0
    /// Transactions that could not be sent, since their node was not there; they were sent later, or to another.
    public var unreachable = 0
    /// Transactions refused for another reason.
    public var refused = 0
    /// Transactions of whose outcome nobody told.
    public var unknown = 0
    /// Transactions due that were not sent in time.
    public var notSent = 0
    /// Transactions that had to be signed while the clock ran.
    public var signedLate = 0
    /// What the network said when it did not acknowledge, with how often.
    public var reasons: [String: Int] = [:]
    /// From sending, or being due, to the client's answer.
    public var answer: Quantiles
    /// From sending, or being due, to the commit on the last node.
    public var allNodes: Quantiles
    /// Transactions that were acknowledged but not seen committed on every node.
    public var notSeenEverywhere: UInt64 = 0
    /// How exactly the time of a commit is known: from the question that did not show it to the answer that did.
    public var resolution: Quantiles
    /// Processor time by process.
    public var processors: [Processor] = []
    /// Processor time by stage, all nodes added, in nanoseconds, as far as the nodes tell.
    public var stages: [String: Double] = [:]
    /// Transactions that the first node committed meanwhile, by its own counters.
    public var nodeTransactions: Double = 0
    /// Entries that it committed meanwhile; with ``nodeTransactions``, the mean batch.
    public var nodeEntries: Double = 0

    package init(
        workload: Workload, loop: String, seconds: Double, acknowledged: UInt64, acknowledgedInTime: UInt64,
        answer: Quantiles, allNodes: Quantiles, resolution: Quantiles
    ) {
        self.workload = workload
        self.loop = loop
        self.seconds = seconds
        self.acknowledged = acknowledged
        self.acknowledgedInTime = acknowledgedInTime
        self.answer = answer
        self.allNodes = allNodes
        self.resolution = resolution
    }

    /// Transactions a second.
    public var throughput: Double { seconds > 0 ? Double(acknowledgedInTime) / seconds : 0 }

    /// Processor time of all processes of the network for one transaction, in microseconds.
    public var networkMicrosecondsPerTransaction: Double {
        perTransaction(processors.filter { $0.node != "bench" }.reduce(0) { $0 + Double($1.nanoseconds) })
    }

    /// Of that, what the bench's watching takes.
    public var watchingMicrosecondsPerTransaction: Double {
        perTransaction(
            processors.filter { $0.node != "bench" }.reduce(0) {
                $0 + Double($1.watchingNanosecondsPerSecond ?? 0) * seconds
            })
    }

    /// Nanoseconds as microseconds a transaction.
    func perTransaction(_ nanoseconds: Double) -> Double {
        acknowledged == 0 ? 0 : nanoseconds / 1000 / Double(acknowledged)
    }

    /// The stages in the order of a transaction's way, unknown ones behind.
    var orderedStages: [(name: String, nanoseconds: Double)] {
        let order = Stage.allCases.map(\.label)
        return stages.sorted {
            let left = order.firstIndex(of: $0.key) ?? order.count
            let right = order.firstIndex(of: $1.key) ?? order.count
            return (left, $0.key) < (right, $1.key)
        }.map { ($0.key, $0.value) }
    }

    /// For programs.
    public var json: JSON {
        let processors = self.processors.map { processor -> JSON in
            [
                "node": .string(processor.node), "process": .string(processor.process),
                "microsecondsPerTransaction": .double(perTransaction(Double(processor.nanoseconds))),
                "watchingMicrosecondsPerSecond":
                    processor.watchingNanosecondsPerSecond.map { .double(Double($0) / 1000) } ?? .null,
            ]
        }
        let stages = orderedStages.map {
            JSONObject.Member(name: $0.name, value: .double(perTransaction($0.nanoseconds)))
        }
        let reasons = self.reasons.sorted { $0.key < $1.key }.map {
            JSONObject.Member(name: $0.key, value: .integer(Int64($0.value)))
        }
        return [
            "workload": .string(workload.rawValue), "loop": .string(loop), "seconds": .double(seconds),
            "acknowledged": .integer(Int64(clamping: acknowledged)), "transactionsPerSecond": .double(throughput),
            "answerMilliseconds": answer.json, "allNodesMilliseconds": allNodes.json,
            "commitResolutionMilliseconds": resolution.json,
            "notSeenEverywhere": .integer(Int64(clamping: notSeenEverywhere)), "busy": .integer(Int64(busy)),
            "unreachable": .integer(Int64(unreachable)),
            "refused": .integer(Int64(refused)), "unknownOutcome": .integer(Int64(unknown)),
            "notSent": .integer(Int64(notSent)), "signedLate": .integer(Int64(signedLate)),
            "reasons": .object(.init(reasons)),
            "networkMicrosecondsPerTransaction": .double(networkMicrosecondsPerTransaction),
            "watchingMicrosecondsPerTransaction": .double(watchingMicrosecondsPerTransaction),
            "processors": .array(processors), "stageMicrosecondsPerTransaction": .object(.init(stages)),
            "transactionsPerEntry": nodeEntries > 0 ? .double(nodeTransactions / nodeEntries) : .null,
        ]
    }
}
