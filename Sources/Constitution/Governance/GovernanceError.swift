/// Why a governance message changed nothing. Two errors are equal when they are of the same kind.
public struct GovernanceError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind; the raw value is the code of CCF's error objects where CCF has one.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// The bytes are no governance message.
        case malformed = "InvalidInput"
        /// The message is over its limit.
        case tooLarge = "RequestBodyTooLarge"
        /// Nobody known signed it, or its certificate does not count now.
        case notAuthenticated = "InvalidAuthenticationInfo"
        /// Who signed it may not do this.
        case notAuthorised = "AuthorizationFailed"
        /// The time of signing is missing, in the future, or too long ago.
        case invalidTime = "InvalidCreatedAt"
        /// The proposal was signed too long ago.
        case tooOld = "ProposalCreatedTooLongAgo"
        /// The same message came before.
        case replay = "ProposalReplay"
        /// There is no such proposal.
        case notFound = "ProposalNotFound"
        /// The proposal is closed.
        case notOpen = "ProposalNotOpen"
        /// What is proposed can't be.
        case invalidProposal = "ProposalFailedToValidate"
        /// A vote that is newer is there.
        case voteSuperseded = "VoteAlreadyExists"
        /// The proposer or the network has too many open or recent proposals.
        case tooMany = "TooManyProposals"
        /// The ledger's own records can't be read.
        case damaged = "InternalError"
    }

    /// The kind.
    public let code: Code
    /// What was found, in words.
    public let reason: String

    package init(_ code: Code, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    /// The HTTP status that goes with it.
    public var status: Int {
        switch code {
        case .malformed, .invalidTime, .tooOld, .replay, .notOpen, .invalidProposal, .voteSuperseded: 400
        case .notAuthenticated: 401
        case .notAuthorised: 403
        case .notFound: 404
        case .tooLarge: 413
        case .tooMany: 429
        case .damaged: 500
        }
    }

    /// Errors of the same kind are equal.
    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }

    /// Hashes the kind.
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }

    /// Kind and reason.
    public var description: String { "\(code.rawValue): \(reason)" }
}
