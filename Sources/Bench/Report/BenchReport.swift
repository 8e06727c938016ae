public import Primitives

/// Everything that a run of the bench found.
public struct BenchReport: Sendable {
    /// The settings, in the order in which they are shown.
    public var settings: [(name: String, value: String)]
    /// The loads in the order in which they ran.
    public var phases: [PhaseReport] = []
    /// What each node shows for them.
    public var proofs: [NodeProof] = []

    /// A report without results.
    public init(settings: [(name: String, value: String)]) { self.settings = settings }

    /// Whether every proof holds, and there is one.
    public var isProved: Bool { !proofs.isEmpty && proofs.allSatisfy(\.holds) }

    /// For programs.
    public var json: JSON {
        [
            "settings": .object(.init(settings.map { .init(name: $0.name, value: .string($0.value)) })),
            "phases": .array(phases.map(\.json)), "proofs": .array(proofs.map(\.json)), "proved": .bool(isProved),
        ]
    }
}
