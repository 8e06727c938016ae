public import Attestation

/// A member or participant.
public struct Actor: Sendable, Hashable {
    /// What an actor may do.
    public enum Role: UInt8, Sendable, Hashable {
        /// Governs and transacts.
        case member = 1
        /// Transacts.
        case participant = 2
    }

    /// A certificate by which an actor is known.
    public struct Certificate: Sendable, Hashable {
        /// What it says about others.
        public enum Kind: UInt8, Sendable, Hashable {
            /// The actor's own: who holds its key is the actor.
            case endEntity = 1
            /// An authority of the organisation: who holds a certificate that leads to it acts for the organisation.
            case organisation = 2
        }

        /// What it says about others.
        public var kind: Kind
        /// DER form.
        public var der: [UInt8]

        /// A certificate.
        public init(kind: Kind, der: [UInt8]) {
            self.kind = kind
            self.der = der
        }
    }

    /// Its name everywhere.
    public var id: ActorID
    /// What it may do.
    public var role: Role
    /// Its certificates, at least one. Several may overlap in time, for roll-over. Requests that the organisation itself
    /// signs, such as a node's tuple, are signed by the key of any of these.
    public var certificates: [Certificate]

    /// An actor.
    public init(id: ActorID, role: Role, certificates: [Certificate]) {
        self.id = id
        self.role = role
        self.certificates = certificates
    }

    /// Whether it governs.
    public var isMember: Bool { role == .member }
    /// Whether it may transact; every actor may.
    public var mayTransact: Bool { true }
}
