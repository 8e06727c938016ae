/// Why a node will not talk to another. The kind travels to the peer, so that both ends log it; the reason stays here.
public struct HandshakeRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    /// Kinds of refusal. The numbers are part of the wire form.
    public enum Kind: UInt8, Sendable, Hashable, CaseIterable {
        /// A message can't be read.
        case malformedMessage = 1
        /// A message came that is not due, or came twice.
        case unexpectedMessage = 2
        /// The peer speaks another version of the handshake.
        case unsupportedVersion = 3
        /// The peer belongs to another network.
        case otherNetwork = 4
        /// The peer shows this node's own key.
        case ownKey = 5
        /// The peer's TLS certificate is of another key than the one it names here.
        case otherTLSKey = 6
        /// The peer is not on the VN list.
        case notListed = 7
        /// The evidence can't be read.
        case malformedEvidence = 8
        /// The refusing build can't verify evidence of the peer's platform; sent by builds of before 0.2.
        case unsupportedPlatform = 9
        /// The TEE manifest does not allow the peer's platform.
        case platformNotAllowed = 10
        /// The TEE manifest does not list the platform key for the node's owner.
        case platformKeyNotListed = 11
        /// The evidence is not signed by its platform.
        case badEvidenceSignature = 12
        /// The peer's environment is in debug mode.
        case debug = 13
        /// The peer's firmware is too old.
        case tcbTooOld = 14
        /// The code manifest does not list what the peer runs.
        case measurementNotListed = 15
        /// The evidence is for another key, network, channel or challenge: replayed or relayed.
        case reportDataMismatch = 16
        /// The peer did not sign this handshake with its node key.
        case badSignature = 17
        /// The platform gave no evidence to show.
        case noEvidence = 18
        /// It took too long.
        case timedOut = 19
        /// The TLS session gave nothing to bind to.
        case noChannelBinding = 20
        /// The node key could not sign.
        case signing = 21
        /// The evidence's certificates lead to no trusted root, or are not for the platform.
        case untrustedEvidence = 22
        /// A certificate or statement that the evidence needs is out of date.
        case evidenceNotInDate = 23
        /// The maker took back a key or version of the peer's platform.
        case revoked = 24
        /// What the maker says of the peer's platform is not in this end's cache.
        case collateralMissing = 25
        /// The peer's environment was launched in a way that is not accepted.
        case configuration = 26
    }

    /// What it is.
    public let kind: Kind
    /// In words, for this end's log.
    public let reason: String
    /// Whether the peer refused, rather than this end.
    public let isByPeer: Bool

    init(_ kind: Kind, _ reason: String, isByPeer: Bool = false) {
        self.kind = kind
        self.reason = reason
        self.isByPeer = isByPeer
    }

    init(_ error: AttestationError) {
        let kind: Kind =
            switch error.code {
            case .malformed: .malformedEvidence
            case .platformNotAllowed: .platformNotAllowed
            case .platformKeyNotListed: .platformKeyNotListed
            case .badSignature: .badEvidenceSignature
            case .debug: .debug
            case .tcbTooOld: .tcbTooOld
            case .measurementNotListed: .measurementNotListed
            case .reportDataMismatch: .reportDataMismatch
            case .signing: .signing
            case .untrusted: .untrustedEvidence
            case .notInDate: .evidenceNotInDate
            case .revoked: .revoked
            case .collateralMissing: .collateralMissing
            case .configuration: .configuration
            }
        self.init(kind, error.reason)
    }

    /// The kind and the reason.
    public var description: String {
        isByPeer ? "refused by the peer: \(kind)" : "\(kind): \(reason)"
    }
}
