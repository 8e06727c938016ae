public import NIOCore

/// What one HTTP listener takes before it refuses. Every field is a hard bound.
public struct HTTPLimits: Sendable {
    /// Names and values of all header fields of one request together, in bytes (431 beyond).
    public var headerBytesMax = 16 * 1024
    /// Header fields of one request (431 beyond).
    public var headerCountMax = 64
    /// The request target, in bytes (414 beyond).
    public var targetBytesMax = 8 * 1024
    /// One request's body, in bytes (413 beyond).
    public var bodyBytesMax = 1024 * 1024
    /// Bodies of all requests of the listener that are not answered yet, in bytes (503 beyond).
    public var bodyBytesTotalMax = 256 * 1024 * 1024
    /// Open connections of the listener; one more is closed at once, and logged.
    public var connectionsMax = 1024
    /// Unanswered requests of one connection; more are left unread until answers went out.
    public var requestsPerConnectionMax = 128
    /// Unanswered requests of the listener (503 with Retry-After beyond).
    public var requestsMax = 4096
    /// Time for TCP accept to TLS done.
    public var handshakeTimeout: TimeAmount = .seconds(10)
    /// Time a connection may be silent between requests.
    public var idleTimeout: TimeAmount = .seconds(120)
    /// Time from a request's first byte to the end of its header (408 beyond).
    public var headerTimeout: TimeAmount = .seconds(10)
    /// Time from the end of the header to the end of the body (408 beyond).
    public var bodyTimeout: TimeAmount = .seconds(30)
    /// Time for which a client may leave its answers unread.
    public var writeTimeout: TimeAmount = .seconds(30)

    /// The defaults.
    public init() {}
}
