/// What went wrong in an adapter or between a manager and its worker. Equality is by code; no payload, key or plaintext
/// is ever part of the text.
public struct AdapterError: Error, Equatable, CustomStringConvertible, Sendable {
    private enum Code: Hashable, Sendable {
        case malformed, unsupportedVersion, tooLarge, invalidSettings, unknownEndpoint, unknownToken, wrongOrder
        case unknownTransaction, badState, closed, io
    }

    private let code: Code
    /// What happened and where, for a log line.
    public let description: String

    private init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// Equal if of the same kind; the text doesn't count.
    public static func == (left: AdapterError, right: AdapterError) -> Bool { left.code == right.code }

    /// Bytes are not the message, write set or body that they should be.
    public static func malformed(_ what: String) -> AdapterError { .init(.malformed, "malformed \(what)") }
    /// A format's leading version byte is not one that this build reads.
    public static func unsupportedVersion(_ version: UInt8, of what: String) -> AdapterError {
        .init(.unsupportedVersion, "version \(version) of \(what) is not supported")
    }
    /// Something is beyond its limit.
    public static func tooLarge(_ what: String, limit: Int) -> AdapterError {
        .init(.tooLarge, "\(what) is beyond its limit of \(limit)")
    }
    /// An adapter's settings in the constitution can't be used.
    public static func invalidSettings(_ reason: String) -> AdapterError {
        .init(.invalidSettings, "invalid adapter settings: \(reason)")
    }
    /// No adapter has this endpoint name, or no such kind of adapter is built in.
    public static func unknownEndpoint(_ name: String) -> AdapterError {
        .init(.unknownEndpoint, "no adapter named \(name)")
    }
    /// A token names no waiting query.
    public static func unknownToken(_ token: QueryToken) -> AdapterError {
        .init(.unknownToken, "no query waits under token \(token)")
    }
    /// A request came in a state that doesn't allow it.
    public static func wrongOrder(_ reason: String) -> AdapterError { .init(.wrongOrder, reason) }
    /// A commit or rollback names a point that the adapter can't reach.
    public static func unknownTransaction(_ reason: String) -> AdapterError { .init(.unknownTransaction, reason) }
    /// Replicated data contradict what the adapter holds.
    public static func badState(_ reason: String) -> AdapterError { .init(.badState, reason) }
    /// The other side closed the connection in the middle of a message.
    public static let closed = AdapterError(.closed, "the connection was closed within a message")
    /// A system call failed.
    public static func io(_ call: String, errno: Int32) -> AdapterError { .init(.io, "\(call) failed, errno \(errno)") }
}
