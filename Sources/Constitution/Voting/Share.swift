/// A part of a whole, as an exact fraction: `60%`, `2/3`, `more than 1/2`.
public struct Share: Sendable, Hashable, CustomStringConvertible {
    /// The part, 1 to the denominator.
    public let numerator: UInt32
    /// The whole, at least 1; 100 for what is written as a percentage.
    public let denominator: UInt32
    /// Whether exactly the fraction is too little.
    public let isMoreThan: Bool

    /// A share; nil when it is nothing, more than the whole, or more than all of it.
    public init?(_ numerator: UInt32, of denominator: UInt32, isMoreThan: Bool = false) {
        guard numerator <= denominator, denominator >= 1, denominator <= Self.denominatorMax else { return nil }
        guard isMoreThan ? numerator < denominator : numerator >= 1 else { return nil }
        self.numerator = numerator
        self.denominator = denominator
        self.isMoreThan = isMoreThan
    }

    /// Larger denominators are refused: nobody reads them.
    public static let denominatorMax: UInt32 = 1_000_000

    /// Reads `60%`, `2/3`, with or without `more than` before it; nil for anything else.
    public init?(_ text: some StringProtocol) {
        var words = String(text).split(separator: " ").map(String.init)
        var isMoreThan = false
        if words.count == 3, words[0] == "more", words[1] == "than" {
            isMoreThan = true
            words.removeFirst(2)
        }
        guard words.count == 1, let word = words.first else { return nil }
        if word.hasSuffix("%"), let percent = Self.number(word.dropLast()) {
            self.init(percent, of: 100, isMoreThan: isMoreThan)
        } else {
            let parts = Substring(word).split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, let numerator = Self.number(parts[0]), let denominator = Self.number(parts[1])
            else {
                return nil
            }
            // One share has one text, so a hundredth is written as a percentage.
            guard denominator != 100 else { return nil }
            self.init(numerator, of: denominator, isMoreThan: isMoreThan)
        }
    }

    /// Decimal digits without a leading zero; nil for anything else.
    static func number(_ text: some StringProtocol) -> UInt32? {
        guard (1...10).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            text.utf8.count == 1 || text.utf8.first != 0x30
        else { return nil }
        return UInt32(text)
    }

    /// Whether `part` of `whole` is enough. Nothing of nothing never is.
    func isReached(_ part: Int, of whole: Int) -> Bool {
        guard whole > 0, part >= 0 else { return false }
        let left = UInt64(part).multipliedReportingOverflow(by: UInt64(denominator))
        let right = UInt64(whole).multipliedReportingOverflow(by: UInt64(numerator))
        guard !left.overflow, !right.overflow else { return false }
        return isMoreThan ? left.partialValue > right.partialValue : left.partialValue >= right.partialValue
    }

    /// The text that ``init(_:)`` reads.
    public var description: String {
        let fraction = denominator == 100 ? "\(numerator)%" : "\(numerator)/\(denominator)"
        return isMoreThan ? "more than \(fraction)" : fraction
    }
}
