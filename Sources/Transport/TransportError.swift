/// Why the transport could not do what was asked.
///
/// A client must know one thing above all: whether a request that failed may have been carried out. See
/// ``mayHaveBeenProcessed``.
public struct TransportError: Error, Hashable, Sendable, CustomStringConvertible {
    private enum Code: String, Sendable {
        case invalidIdentity, invalidTrust, descriptor, connect, handshake, refusedPeer, busy, timeout, connectionLost
        case protocolViolation, tooLarge, closed
    }

    private let code: Code
    private let detail: String
    private let sent: Bool

    private init(_ code: Code, _ detail: String, sent: Bool = false) {
        self.code = code
        self.detail = detail
        self.sent = sent
    }

    /// The certificate chain or the private key that TLS shall use can't be read.
    public static func invalidIdentity(_ detail: String) -> Self { .init(.invalidIdentity, detail) }
    /// The certificates to trust can't be read.
    public static func invalidTrust(_ detail: String) -> Self { .init(.invalidTrust, detail) }
    /// The descriptor handed over is not usable for what was asked.
    public static func descriptor(_ detail: String) -> Self { .init(.descriptor, detail) }
    /// No connection came about.
    public static func connect(_ detail: String) -> Self { .init(.connect, detail) }
    /// TLS could not be agreed on.
    public static func handshake(_ detail: String) -> Self { .init(.handshake, detail) }
    /// The peer's certificate was refused, for the reason the verifier gave.
    public static func refusedPeer(_ reason: String) -> Self { .init(.refusedPeer, reason) }
    /// A bounded queue on our side is full; nothing was sent.
    public static func busy(_ detail: String) -> Self { .init(.busy, detail) }
    /// The answer did not come in time.
    public static func timeout(_ detail: String, sent: Bool) -> Self { .init(.timeout, detail, sent: sent) }
    /// The connection ended before the answer was complete.
    public static func connectionLost(_ detail: String, sent: Bool) -> Self {
        .init(.connectionLost, detail, sent: sent)
    }
    /// The peer sent what the protocol does not allow.
    public static func protocolViolation(_ detail: String, sent: Bool = false) -> Self {
        .init(.protocolViolation, detail, sent: sent)
    }
    /// A message is over its limit.
    public static func tooLarge(_ detail: String, sent: Bool = false) -> Self { .init(.tooLarge, detail, sent: sent) }
    /// The client or channel was closed by its owner.
    public static func closed(_ detail: String, sent: Bool = false) -> Self { .init(.closed, detail, sent: sent) }

    /// Whether the peer may have received, and acted on, the request: its outcome is then *unknown*, not *failed*.
    public var mayHaveBeenProcessed: Bool { sent }
    /// Whether this is ``timeout(_:sent:)``.
    public var isTimeout: Bool { code == .timeout }
    /// Whether this is ``busy(_:)``.
    public var isBusy: Bool { code == .busy }
    /// Whether this is ``refusedPeer(_:)`` or ``handshake(_:)``.
    public var isHandshakeFailure: Bool { code == .refusedPeer || code == .handshake }

    /// The kind and what went wrong; no payload, key or certificate.
    public var description: String { "\(code.rawValue): \(detail)" }

    /// Errors are the same if they are of the same kind and agree on ``mayHaveBeenProcessed``.
    public static func == (left: Self, right: Self) -> Bool { left.code == right.code && left.sent == right.sent }

    /// Hashes what `==` compares.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(code)
        hasher.combine(sent)
    }
}
