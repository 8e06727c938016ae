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

    /// A department or role inside the organisation, for finer rights.
    public struct Group: Sendable, Hashable {
        /// Its name within the actor, in the form of an actor's id.
        public var name: String
        /// Whose certificates are of it.
        public var filter: CertificateFilter

        /// A group.
        public init(name: String, filter: CertificateFilter) {
            self.name = name
            self.filter = filter
        }
    }

    /// Its name everywhere.
    public var id: ActorID
    /// What it may do.
    public var role: Role
    /// Its certificates, at least one. Several may overlap in time, for roll-over. Requests that the organisation itself
    /// signs, such as a node's tuple, are signed by the key of any of these.
    public var certificates: [Certificate]
    /// Which of the certificates that lead to its organisation act for it: those of one department, say. All, when nil.
    public var department: CertificateFilter?
    /// Departments and roles inside the organisation, in their order.
    public var groups: [Group]

    /// An actor.
    public init(
        id: ActorID, role: Role, certificates: [Certificate], department: CertificateFilter? = nil,
        groups: [Group] = []
    ) {
        self.id = id
        self.role = role
        self.certificates = certificates
        self.department = department
        self.groups = groups
    }

    /// Names of the groups that a certificate, in DER, is of, in their order.
    public func groups(ofCertificate der: [UInt8]) -> [String] {
        groups.filter { $0.filter.admits(der: der) }.map(\.name)
    }

    /// Whether it governs.
    public var isMember: Bool { role == .member }
    /// Whether it may transact; every actor may.
    public var mayTransact: Bool { true }
}
