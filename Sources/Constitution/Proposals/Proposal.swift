public import Primitives

/// What a proposer signs: the changes that it wants, made all together or not at all.
public struct Proposal: Sendable, Hashable {
    /// The changes, in the order in which they are made.
    public var actions: [ProposedAction]
    /// What it is about, for people; may be empty.
    public var title: String
    /// The id of the network that it is meant for; nil leaves it open, which lets anyone replay it in another network of
    /// the same members.
    public var network: String?
    /// The proposer's own vote, given along with the proposal; only a member has one.
    public var ballot: Vote?

    /// Bytes of a proposal at most.
    public static let byteCountMax = 1 << 20
    /// Actions of a proposal at most.
    public static let actionsMax = 64

    /// A proposal.
    public init(actions: [ProposedAction], title: String = "", network: String? = nil, ballot: Vote? = nil) {
        self.actions = actions
        self.title = title
        self.network = network
        self.ballot = ballot
    }

    /// Reads `{"actions": [{"name": …, "args": …}], "title": …, "network": …, "ballot": "for"}`, of which only the actions
    /// must be there.
    /// - Throws: ``ConstitutionError``.
    public init(json bytes: [UInt8]) throws(ConstitutionError) {
        guard bytes.count <= Self.byteCountMax else {
            throw .outOfRange("proposal", "\(bytes.count) bytes; \(Self.byteCountMax) are the most")
        }
        let json: JSON
        do {
            json = try JSON(
                parsing: bytes, limits: JSONLimits(bytesMax: Self.byteCountMax, depthMax: 64, valuesMax: 1 << 16))
        } catch { throw .malformed("proposal", "\(error)") }
        let fields = try ActionFields(json, "proposal", names: ["actions", "title", "network", "ballot"])
        guard let list = try fields.value("actions").array, !list.isEmpty else {
            throw .malformed("actions", "it is a list of at least one")
        }
        guard list.count <= Self.actionsMax else {
            throw .outOfRange("actions", "\(list.count) actions; \(Self.actionsMax) are the most")
        }
        var actions: [ProposedAction] = []
        for (index, each) in list.enumerated() {
            actions.append(try ProposedAction(json: each, path: "actions[\(index)]"))
        }
        self.init(actions: actions)
        if fields.optional("title") != nil {
            title = try fields.text("title", limit: 1024)
            guard Names.isTitle(title, limit: 1024) else {
                throw .malformed("title", "1 to 1024 bytes of plain text")
            }
        }
        if fields.optional("network") != nil { network = try fields.text("network") }
        if fields.optional("ballot") != nil { ballot = try fields.word("ballot") }
    }

    /// The form that ``init(json:)`` reads.
    public var json: JSON {
        var object = JSONObject([.init(name: "actions", value: .array(actions.map(\.json)))])
        if !title.isEmpty { object.append("title", .string(title)) }
        if let network { object.append("network", .string(network)) }
        if let ballot { object.append("ballot", .string(ballot.rawValue)) }
        return .object(object)
    }

    /// A document with all changes made.
    /// - Throws: ``ConstitutionError`` of the first action that can't be made.
    func applied(to document: ConstitutionDocument) throws(ConstitutionError) -> ConstitutionDocument {
        var copy = document
        for (index, action) in actions.enumerated() { try action.apply(to: &copy, path: "actions[\(index)]") }
        return copy.sorted()
    }
}
