internal import Primitives

/// One actor of a roster.
public struct RosterMember: Hashable, Sendable {
    /// Where the actor's shares are points of the polynomial; an actor's for good.
    public let index: ShareIndex
    /// The actor's id.
    public let actor: String
    /// The key to which dealers encrypt this actor's shares.
    public let receivingKey: RistrettoElement

    /// An actor, with the key that its registration proved.
    /// - Throws: ``ThresholdError/badProof(_:file:line:)`` when the registration is of another network, actor or index, or
    ///   false; ``ThresholdError/malformed(_:file:line:)`` for an id that is no printable ASCII.
    public init(index: ShareIndex, actor: String, networkID: String, registration: ReceivingKeyRegistration)
        throws(ThresholdError)
    {
        guard FieldReader.isPlain(actor) else { throw .malformed("an actor id that is no printable ASCII") }
        guard registration.isValid(networkID: networkID, actor: actor, index: index) else {
            throw .badProof("a receiving key whose owner did not prove it for this network, actor and index")
        }
        self.init(index: index, actor: actor, receivingKey: registration.key)
    }

    init(index: ShareIndex, actor: String, receivingKey: RistrettoElement) {
        self.index = index
        self.actor = actor
        self.receivingKey = receivingKey
    }

    var cbor: CBOR { .array([.index(index), .text(actor), .element(receivingKey)]) }
}

/// Who holds shares of a key, and how many of them open what is encrypted to it.
public struct Roster: Hashable, Sendable {
    /// The most actors of a roster.
    public static let memberCountMax = 255

    /// Actors by index.
    public let members: [RosterMember]
    /// M: so many shares open, one fewer tells nothing.
    public let threshold: Int

    /// A roster; without a threshold it is a majority, ⌊N/2⌋ + 1.
    /// - Throws: ``ThresholdError/malformed(_:file:line:)`` for no or too many members, an index, id or key that stands
    ///   twice, or a threshold outside 1 to N.
    public init(members: [RosterMember], threshold: Int? = nil) throws(ThresholdError) {
        guard (1...Self.memberCountMax).contains(members.count) else {
            throw .malformed("a roster of \(members.count) actors")
        }
        guard Set(members.map(\.index)).count == members.count, Set(members.map(\.actor)).count == members.count,
            Set(members.map(\.receivingKey)).count == members.count
        else { throw .malformed("a roster with an index, actor or key twice") }
        let threshold = threshold ?? members.count / 2 + 1
        guard (1...members.count).contains(threshold) else {
            throw .malformed("a threshold of \(threshold) among \(members.count) actors")
        }
        self.members = members.sorted { $0.index < $1.index }
        self.threshold = threshold
    }

    /// The actor at an index.
    public subscript(index: ShareIndex) -> RosterMember? { members.first { $0.index == index } }

    /// The actor with an id.
    public subscript(actor actor: String) -> RosterMember? { members.first { $0.actor == actor } }

    var cbor: CBOR { .array([.unsigned(UInt64(threshold)), .array(members.map(\.cbor))]) }

    init(reading item: CBOR, kind: String) throws(ThresholdError) {
        var reader = try FieldReader(item, kind: kind, count: 2)
        let threshold = Int(try reader.unsigned("threshold", max: UInt64(Self.memberCountMax)))
        let members = try reader.records("members", count: 1...Self.memberCountMax, width: 3) {
            member throws(ThresholdError) in
            RosterMember(
                index: try member.index("index"), actor: try member.text("actor"),
                receivingKey: try member.element("receiving key"))
        }
        try self.init(members: members, threshold: threshold)
        guard self.members == members else { throw .malformed("\(kind): members that are not in order") }
    }
}
