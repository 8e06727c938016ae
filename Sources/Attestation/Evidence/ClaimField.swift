public import Primitives

/// A claim by its name, for people and for policies that ask for one: `host_data`, `body.mrsigner`. Bytes are lower-case
/// hexadecimal in the order in which the evidence has them.
public struct ClaimField: Sendable, Hashable {
    /// The name.
    public let name: String
    /// The value.
    public let value: JSON

    init(_ name: String, _ value: JSON) {
        self.name = name
        self.value = value
    }

    init(_ name: String, hex bytes: [UInt8]) { self.init(name, .string(Hex.encode(bytes))) }

    init(_ name: String, _ number: some BinaryInteger) { self.init(name, .integer(Int64(clamping: number))) }
}

/// A condition on one claim. A claim that is not there never meets it.
public struct ClaimRule: Sendable, Hashable {
    /// What is asked.
    public enum Condition: Sendable, Hashable {
        /// One of these texts; a number counts as its decimal text, a truth value as `true` or `false`.
        case among([String])
        /// A number that is at least this one.
        case atLeast(Int64)
    }

    /// Name of the claim.
    public var name: String
    /// What is asked of it.
    public var condition: Condition

    /// A rule.
    public init(name: String, condition: Condition) {
        self.name = name
        self.condition = condition
    }

    /// Whether a value meets the condition.
    func admits(_ value: JSON) -> Bool {
        switch (condition, value) {
        case (.among(let texts), .string(let text)): texts.contains(text)
        case (.among(let texts), .integer(let number)): texts.contains(String(number))
        case (.among(let texts), .bool(let flag)): texts.contains(flag ? "true" : "false")
        case (.atLeast(let minimum), .integer(let number)): number >= minimum
        default: false
        }
    }
}
