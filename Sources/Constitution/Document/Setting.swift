public import Primitives

/// A value of the constitution that has a name and can be set alone: the numbers of ``Parameters/table``, the network's
/// name, and how nodes agree.
public struct Setting: Sendable {
    /// Its name.
    public let name: String
    private let get: @Sendable (ConstitutionDocument) -> JSON
    private let set: @Sendable (inout ConstitutionDocument, JSON) -> Bool
    private let form: String

    /// The setting of a name; nil when there is none.
    public init?(name: String) {
        guard let setting = Self.all.first(where: { $0.name == name }) else { return nil }
        self = setting
    }

    private init(
        _ name: String, _ form: String, _ get: @escaping @Sendable (ConstitutionDocument) -> JSON,
        _ set: @escaping @Sendable (inout ConstitutionDocument, JSON) -> Bool
    ) {
        self.name = name
        self.form = form
        self.get = get
        self.set = set
    }

    /// Its value.
    public func value(in document: ConstitutionDocument) -> JSON { get(document) }

    /// Sets its value.
    /// - Throws: ``ConstitutionError/malformed(_:_:)`` at `path`.
    func apply(_ value: JSON, to document: inout ConstitutionDocument, path: String) throws(ConstitutionError) {
        guard set(&document, value) else { throw .malformed(path, "\(name) takes \(form)") }
    }

    /// The value of a network that does not set it; nil when it has none.
    var defaultValue: JSON? {
        // Not a ternary: there `nil` would be JSON's null.
        guard name != "name" else { return Optional.none }
        return get(ConstitutionDocument(name: ""))
    }

    /// All settings.
    public static let all: [Setting] =
        [
            Setting(
                "name", "a text", { .string($0.name) },
                { document, value in
                    guard let text = value.string else { return false }
                    document.name = text
                    return true
                }),
            word("consensus.engine", \.consensus.engine), word("consensus.restart", \.consensus.restart),
            quorum("consensus.replicationQuorum", \.consensus.replicationQuorum),
            quorum("consensus.electionQuorum", \.consensus.electionQuorum),
        ]
        + Parameters.table.map { row in
            let name = row.name
            return Setting(
                name, "a whole number from \(row.range.lowerBound) to \(row.range.upperBound)",
                { document in
                    let row = Parameters.table.first { $0.name == name }
                    return .integer(Int64(clamping: row.map { document.parameters[keyPath: $0.path] } ?? 0))
                },
                { document, value in
                    guard let row = Parameters.table.first(where: { $0.name == name }), let integer = value.integer,
                        let number = UInt64(exactly: integer), row.range.contains(number)
                    else { return false }
                    document.parameters[keyPath: row.path] = number
                    return true
                })
        }

    private static func word<T: RawRepresentable<String> & CaseIterable & SendableMetatype>(
        _ name: String, _ path: any WritableKeyPath<ConstitutionDocument, T> & Sendable
    ) -> Setting {
        Setting(
            name, "one of \(T.allCases.map(\.rawValue).joined(separator: ", "))",
            { .string($0[keyPath: path].rawValue) },
            { document, value in
                guard let text = value.string, let word = T(rawValue: text) else { return false }
                document[keyPath: path] = word
                return true
            })
    }

    private static func quorum(
        _ name: String, _ path: any WritableKeyPath<ConstitutionDocument, ConsensusSettings.Quorum> & Sendable
    ) -> Setting {
        Setting(
            name, "`auto` or a number of nodes", { .string($0[keyPath: path].description) },
            { document, value in
                let text = value.string ?? value.integer.map { String($0) }
                guard let text, let quorum = ConsensusSettings.Quorum(text) else { return false }
                document[keyPath: path] = quorum
                return true
            })
    }
}
