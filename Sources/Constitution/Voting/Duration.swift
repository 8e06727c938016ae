/// A length of ledger time as people write it, such as `7 days`.
enum DurationText {
    private static let units: [(name: String, milliseconds: UInt64)] = [
        ("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000), ("second", 1000), ("ms", 1),
    ]

    /// No policy takes longer than this: ten years.
    static let millisecondsMax: UInt64 = 3_660 * 86_400_000

    /// Milliseconds of `90 ms`, `1 second`, `2 hours`, `7 days` and the like; nil for anything else and for too long.
    static func milliseconds(_ text: String) -> UInt64? {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 2, let number = Share.number(words[0]),
            let unit = units.first(where: { $0.name == words[1] || "\($0.name)s" == words[1] && $0.name != "ms" })
        else { return nil }
        let (product, overflow) = UInt64(number).multipliedReportingOverflow(by: unit.milliseconds)
        return overflow || product > millisecondsMax ? nil : product
    }

    /// The text in the largest unit that needs no fraction.
    static func text(_ milliseconds: UInt64) -> String {
        let unit = units.first { milliseconds % $0.milliseconds == 0 && milliseconds > 0 } ?? ("ms", 1)
        let number = milliseconds / unit.milliseconds
        return unit.name == "ms" ? "\(number) ms" : "\(number) \(unit.name)\(number == 1 ? "" : "s")"
    }
}
