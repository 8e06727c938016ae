public import Primitives

/// What a whole replay came to.
public struct ReplaySummary: Sendable {
    /// A file that could not be read as a block.
    public struct Unusable: Sendable, Hashable {
        /// The file.
        public var file: String
        /// Why.
        public var reason: String
    }

    /// Block by block.
    public private(set) var verdicts: [ReplayVerdict] = []
    /// Files without a verdict.
    public private(set) var unusable: [Unusable] = []
    /// Where the blocks ran.
    public let place: String

    /// Differences of one block that are shown to people.
    private static let findingsShown = 5

    /// Nothing replayed yet.
    /// - Parameter place: where the blocks run, in words.
    public init(place: String) { self.place = place }

    /// Adds a block.
    public mutating func add(_ verdict: ReplayVerdict) { verdicts.append(verdict) }

    /// Adds a file that is no block.
    public mutating func add(unusable file: String, reason: String) {
        unusable.append(Unusable(file: file, reason: reason))
    }

    /// Blocks that agree in everything.
    public var agreeing: Int { verdicts.filter(\.agrees).count }

    /// 0 if every block agrees; 1 if one differs; 2 if nothing differs but a file could not be used, or there was none.
    public var exitCode: Int32 {
        if agreeing < verdicts.count { return 1 }
        return unusable.isEmpty && !verdicts.isEmpty ? 0 : 2
    }

    /// The closing table.
    public var text: String {
        var table = TextTable([
            .number("block"), .text("fork"), .number("tx"), .number("gas"), .number("ms"), .text("result"),
        ])
        for verdict in verdicts {
            table.add([
                String(verdict.number), verdict.fork, Format.integer(verdict.transactions),
                Format.integer(verdict.gasUsed), Format.milliseconds(verdict.microseconds),
                verdict.agrees ? "agrees" : "DIFFERS in \(verdict.findings.count)",
            ])
        }
        let transactions = verdicts.reduce(0) { $0 + $1.transactions }
        let microseconds = verdicts.reduce(0) { $0 + $1.microseconds }
        let gas = verdicts.reduce(0) { $0 + $1.gasUsed }
        table.add([
            "all", place, Format.integer(transactions), Format.integer(gas), Format.milliseconds(microseconds),
            "\(agreeing) of \(verdicts.count) agree",
        ])
        var text = table.description
        for verdict in verdicts where !verdict.agrees {
            text += "\nBlock \(verdict.number) (\(verdict.file))\n"
            for finding in verdict.findings.prefix(Self.findingsShown) { text += "  \(finding)\n" }
            if verdict.findings.count > Self.findingsShown {
                text += "  and \(verdict.findings.count - Self.findingsShown) more (--json has all)\n"
            }
        }
        if !unusable.isEmpty { text += "\n" }
        for file in unusable { text += "Unusable: \(file.reason)\n" }
        return text
    }

    /// For programs.
    public var json: JSON {
        [
            "place": .string(place), "blocks": .array(verdicts.map(\.json)), "agreeing": .integer(Int64(agreeing)),
            "transactions": .integer(Int64(verdicts.reduce(0) { $0 + $1.transactions })),
            "unusable": .array(unusable.map { ["file": .string($0.file), "reason": .string($0.reason)] }),
            "exitCode": .integer(Int64(exitCode)),
        ]
    }
}
