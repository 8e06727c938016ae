package import Consensus

/// Kinds of trouble that a run can do without, so that a failure can be shrunk to what it needs.
public struct Trouble: OptionSet, Hashable, Sendable {
    /// One bit a kind, in the order of ``names``.
    public let rawValue: UInt32

    /// A set of kinds.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// What a command line calls each kind.
    public static let names = [
        "loss", "duplicates", "stragglers", "stalls", "crashes", "partitions", "reconfigurations", "transfers",
        "compactions", "rollbacks", "reads", "power", "pauses", "workers", "full-disks", "rot", "clocks", "joins",
    ]

    /// Each kind by itself.
    public static var kinds: [Trouble] { names.indices.map { Trouble(rawValue: 1 << UInt32($0)) } }

    /// The kinds of these names, separated by commas; nil if one is unknown.
    public init?(_ list: String) {
        var all: Trouble = []
        for name in list.split(separator: ",") {
            guard let place = Self.names.firstIndex(of: String(name)) else { return nil }
            all.insert(Self.kinds[place])
        }
        self = all
    }

    /// The names, separated by commas.
    public var list: String {
        Self.names.indices.filter { contains(Self.kinds[$0]) }.map { Self.names[$0] }.joined(separator: ",")
    }

    static let loss = kinds[0]
    static let duplicates = kinds[1]
    static let stragglers = kinds[2]
    static let stalls = kinds[3]
    static let crashes = kinds[4]
    static let partitions = kinds[5]
    static let reconfigurations = kinds[6]
    static let transfers = kinds[7]
    static let compactions = kinds[8]
    static let rollbacks = kinds[9]
    static let reads = kinds[10]
    static let power = kinds[11]
    static let pauses = kinds[12]
    static let workers = kinds[13]
    static let fullDisks = kinds[14]
    static let rot = kinds[15]
    static let clocks = kinds[16]
    static let joins = kinds[17]

    /// The kinds that a model knows.
    static func kinds(of model: SimulationModel) -> [Trouble] {
        switch model {
        case .consensus: Array(kinds[..<11])
        case .nodes: kinds.filter { $0 != .reconfigurations && $0 != .reads }
        }
    }
}

/// What is simulated.
public enum SimulationModel: String, Sendable, CaseIterable {
    /// Cores of consensus with logs of empty entries: fast, with membership changes throughout.
    case consensus
    /// Whole nodes: managers, ledger files, snapshots, workers and their clients.
    case nodes
}

/// All that determines a run.
public struct SimulationPlan: Hashable, Sendable {
    /// What is simulated.
    public var model = SimulationModel.consensus
    /// What everything is drawn from.
    public var seed: UInt64
    /// How long there are faults, in simulated milliseconds.
    public var faultMilliseconds: UInt64 = 6_000
    /// What is left out of what the seed would bring.
    public var without: Trouble = []
    /// Inputs after which the run ends without a verdict on liveness; nil for none.
    public var stepsMax: Int?

    /// A whole run of this seed.
    public init(seed: UInt64, model: SimulationModel = .consensus) {
        self.seed = seed
        self.model = model
    }

    /// Runs it, in whichever model.
    public func run(keepsTrace: Bool = false) -> SimulationReport {
        switch model {
        case .consensus: ClusterSimulation(self, keepsTrace: keepsTrace).run()
        case .nodes: NodeSimulation(self, keepsTrace: keepsTrace).run()
        }
    }

    /// The options of `entente simulate` that repeat it.
    public var options: String {
        var all = "--seed \(seed)"
        if model != .consensus { all = "--model \(model.rawValue) " + all }
        if faultMilliseconds != 6_000 { all += " --fault-milliseconds \(faultMilliseconds)" }
        if !without.isEmpty { all += " --without \(without.list)" }
        if let stepsMax { all += " --steps \(stepsMax)" }
        return all
    }

    /// A shorter and calmer run that breaks the same rule. Each attempt is a run of its own, so the work is bounded: at
    /// most some 40 runs.
    public func shrunk(breaking rule: String) -> SimulationPlan {
        shrunk { $0.run().rule == rule }
    }

    package func shrunk(breaking rule: String, faults: RaftFault) -> SimulationPlan {
        shrunk { ClusterSimulation($0, faults: faults).run().rule == rule }
    }

    /// A shorter and calmer plan that `fails` too.
    package func shrunk(_ fails: (SimulationPlan) -> Bool) -> SimulationPlan {
        var best = self
        for kind in Trouble.kinds(of: model) where !best.without.contains(kind) {
            var calmer = best
            calmer.without.insert(kind)
            if fails(calmer) { best = calmer }
        }
        var step = best.faultMilliseconds / 2
        while step >= 50 {
            var shorter = best
            shorter.faultMilliseconds -= min(step, shorter.faultMilliseconds)
            if fails(shorter) { best = shorter } else { step /= 2 }
            step = min(step, best.faultMilliseconds)
        }
        return best
    }
}
