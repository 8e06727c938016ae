/// A JSON value (RFC 8259). Objects keep the order of their members, and numbers that are integers stay exact.
public enum JSON: Hashable, Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number written without fraction and exponent that fits 64 bits.
    case integer(Int64)
    /// Any other number.
    case double(Double)
    /// A string.
    case string(String)
    /// An array.
    case array([JSON])
    /// An object; no name twice when it comes from the parser.
    case object(JSONObject)

    /// The string, if it is one.
    @inlinable
    public var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The integer, if it is one.
    @inlinable
    public var integer: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }

    /// The truth value, if it is one.
    @inlinable
    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The elements, if it is an array.
    @inlinable
    public var array: [JSON]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The members, if it is an object.
    @inlinable
    public var object: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }

    /// Whether it is `null`.
    @inlinable
    public var isNull: Bool { self == .null }

    /// The member `name`, if it is an object that has one.
    @inlinable
    public subscript(name: String) -> JSON? { object?[name] }
}

/// The members of a JSON object in their order.
public struct JSONObject: Hashable, Sendable {
    /// A name with its value.
    public struct Member: Hashable, Sendable {
        /// The name.
        public var name: String
        /// The value.
        public var value: JSON

        /// A member.
        @inlinable
        public init(name: String, value: JSON) {
            self.name = name
            self.value = value
        }
    }

    /// The members in their order.
    public var members: [Member]

    /// An object of these members.
    @inlinable
    public init(_ members: [Member] = []) {
        self.members = members
    }

    /// The value of the first member called `name`. Takes time in proportion to the number of members.
    @inlinable
    public subscript(name: String) -> JSON? {
        for member in members where member.name == name { return member.value }
        return nil
    }

    /// Adds a member at the end.
    @inlinable
    public mutating func append(_ name: String, _ value: JSON) {
        members.append(.init(name: name, value: value))
    }
}

extension JSON: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral, ExpressibleByStringLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
{
    /// An object in the literal's order.
    public init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(.init(elements.map { .init(name: $0.0, value: $0.1) }))
    }

    /// An array.
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }

    /// A string.
    public init(stringLiteral value: String) { self = .string(value) }

    /// An integer.
    public init(integerLiteral value: Int64) { self = .integer(value) }

    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .bool(value) }

    /// `null`.
    public init(nilLiteral: ()) { self = .null }
}
