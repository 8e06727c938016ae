internal import Host

/// Adds up the processor time of a network's processes, and of the bench itself, over the times when a clock runs.
struct ProcessorMeter: Sendable {
    /// A process.
    struct Subject: Sendable, Hashable {
        /// Its node; "bench" for this process.
        var node: String
        /// Its name, as the system has it.
        var process: String
        fileprivate var id: Int32?
    }

    /// The processes, the bench itself last.
    let subjects: [Subject]
    /// Nanoseconds of each.
    private(set) var nanoseconds: [UInt64]
    private var started: [UInt64?]

    init(_ network: BenchNetwork) {
        var subjects: [Subject] = []
        for node in network.nodes {
            for id in node.processIDs {
                guard let name = ProcessClock.name(of: id) else { continue }
                subjects.append(Subject(node: node.name, process: name, id: id))
            }
        }
        subjects.append(Subject(node: "bench", process: "client", id: nil))
        self.subjects = subjects
        nanoseconds = [UInt64](repeating: 0, count: subjects.count)
        started = [UInt64?](repeating: nil, count: subjects.count)
    }

    mutating func start() { started = subjects.map(Self.read) }

    mutating func stop() {
        for (index, subject) in subjects.enumerated() {
            if let from = started[index], let to = Self.read(subject), to > from { nanoseconds[index] += to - from }
        }
        started = [UInt64?](repeating: nil, count: subjects.count)
    }

    private static func read(_ subject: Subject) -> UInt64? {
        guard let id = subject.id else { return HostClock.processMicroseconds() * 1000 }
        return ProcessClock.nanoseconds(of: id)
    }
}
