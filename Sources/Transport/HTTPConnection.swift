internal import NIOConcurrencyHelpers

/// One client's connection, as a handler sees it.
public final class HTTPConnection: Sendable {
    /// Number of the connection, unique within its server.
    public let id: UInt64
    /// Address and port of the other end, for logs.
    public let remoteAddress: String
    private let state: NIOLockedValueBox<State>

    private struct State: Sendable {
        var chain: [[UInt8]] = []
        var session: (any Sendable)?
    }

    init(id: UInt64, remoteAddress: String) {
        self.id = id
        self.remoteAddress = remoteAddress
        state = NIOLockedValueBox(State())
    }

    /// The client's certificates as sent, DER, leaf first; empty on a plain listener.
    public var peerCertificateChain: [[UInt8]] { state.withLockedValue { $0.chain } }

    /// Whatever the owner attached: first what the ``PeerVerifier`` gave, for example the resolved actor.
    public var session: (any Sendable)? {
        get { state.withLockedValue { $0.session } }
        set { state.withLockedValue { $0.session = newValue } }
    }

    func authenticated(chain: [[UInt8]], session: (any Sendable)?) {
        state.withLockedValue { $0 = State(chain: chain, session: session) }
    }
}
