internal import Attestation
internal import Crypto
internal import Primitives

/// A difference between two constitutions, for people.
public struct DifferenceLine: Sendable, Hashable, CustomStringConvertible {
    /// What is different, such as `member bank-d`.
    public let subject: String
    /// How it was; nil when it is new.
    public let before: String?
    /// How it is; nil when it is gone.
    public let after: String?

    /// `+`, `-` or `~` and what is different.
    public var description: String {
        switch (before, after) {
        case (nil, let after?): "+ \(subject)\(after.isEmpty ? "" : ": \(after)")"
        case (let before?, nil): "- \(subject)\(before.isEmpty ? "" : ": \(before)")"
        case (let before?, let after?): "~ \(subject): \(before) -> \(after)"
        case (nil, nil): "  \(subject)"
        }
    }
}

extension ConstitutionDifference {
    /// The differences in words.
    /// - Parameters:
    ///   - before: the document that the difference starts from.
    ///   - after: the document that it leads to.
    public func lines(from before: ConstitutionDocument, to after: ConstitutionDocument) -> [DifferenceLine] {
        entries.map { entry in
            let key = String(decoding: entry.key, as: UTF8.self)
            let words = EntryWords(map: entry.map, key: key)
            var old = entry.before.map { words.value($0, in: before) }
            var new = entry.after.map { words.value($0, in: after) }
            if old == new, old != nil {
                // What the words don't tell apart, the digests do.
                old = entry.before.map { EntryWords.digest($0) }
                new = entry.after.map { EntryWords.digest($0) }
            }
            return DifferenceLine(subject: words.subject, before: old, after: new)
        }
    }
}

/// One entry of the administrative maps in words.
private struct EntryWords {
    let map: String
    let key: String

    var subject: String {
        switch map {
        case ConstitutionMaps.members: "member \(key)"
        case ConstitutionMaps.participants: "participant \(key)"
        case ConstitutionMaps.nodes: "VN \(key)"
        case ConstitutionMaps.code: "code \(key)"
        case ConstitutionMaps.tee: "TEE manifest \(key)"
        case ConstitutionMaps.policies:
            key == "standard" ? "standard voting policy" : "voting policy of \(key.split(separator: "/").last ?? "")"
        case ConstitutionMaps.parameters: key == "open" ? "closed to transactions" : "parameter \(key)"
        case ConstitutionMaps.adapters: "adapter \(key)"
        default: "\(map)[\(key)]"
        }
    }

    func value(_ bytes: [UInt8], in document: ConstitutionDocument) -> String {
        switch map {
        case ConstitutionMaps.members, ConstitutionMaps.participants:
            let certificates = document.actors.first { $0.id == key }?.certificates ?? []
            return "certificates " + certificates.map { String(Self.digest($0.der).prefix(16)) }.joined(separator: ", ")
        case ConstitutionMaps.nodes:
            return document.nodes.first { $0.nodeID == key }.map { "\($0.owner) at \($0.address)" } ?? ""
        case ConstitutionMaps.code:
            return document.code.entries.first { ConstitutionDocument.key($0) == key }
                .map { "\($0.name) \($0.version)" } ?? ""
        case ConstitutionMaps.policies:
            let policy =
                key == "standard"
                ? document.voting.standard
                : document.voting.exceptions.first { "action/\($0.action.rawValue)" == key }?.policy
            return policy?.text ?? ""
        case ConstitutionMaps.parameters:
            guard let value = Setting(name: key)?.value(in: document) else { return "" }
            return value.string ?? String(decoding: value.serialized(), as: UTF8.self)
        case ConstitutionMaps.adapters:
            return document.adapters.first { $0.endpoint == key }
                .map { adapter in
                    let outside = adapter.outside.map { ", may ask \($0.name) at \($0.url)" }.joined()
                    return "\(adapter.kind), settings \(Self.digest(adapter.settings).prefix(16))\(outside)"
                } ?? ""
        default: return ""
        }
    }

    static func digest(_ bytes: [UInt8]) -> String { Hex.encode(Array(SHA256.hash(data: bytes))) }
}
