/// What one listener of a node takes before it refuses. ``ListenerLimits/table`` is the one place that gives each limit
/// its name, bounds and meaning. Times are in milliseconds, sizes in bytes.
public struct ListenerLimits: Sendable, Hashable {
    /// Open connections.
    public var connectionsMax: UInt64 = 2048
    /// One request's body.
    public var bodyBytesMax: UInt64 = 1 << 20
    /// Bodies of all unanswered requests together.
    public var bodyBytesTotalMax: UInt64 = 256 << 20
    /// All header fields of one request.
    public var headerBytesMax: UInt64 = 16 << 10
    /// Header fields of one request.
    public var headerCountMax: UInt64 = 64
    /// A request's target.
    public var targetBytesMax: UInt64 = 8 << 10
    /// Unanswered requests of the listener.
    public var requestsMax: UInt64 = 4096
    /// Unanswered requests of one connection.
    public var requestsPerConnectionMax: UInt64 = 128
    /// Bytes waiting to be sent to one node.
    public var outboundBytesMax: UInt64 = 256 << 20
    /// Time from TCP accept to the end of the TLS handshake.
    public var handshakeTimeoutMilliseconds: UInt64 = 10_000
    /// Time for which a connection may be silent.
    public var idleTimeoutMilliseconds: UInt64 = 120_000
    /// Time for a request's header.
    public var headerTimeoutMilliseconds: UInt64 = 10_000
    /// Time for a request's body.
    public var bodyTimeoutMilliseconds: UInt64 = 30_000
    /// Time for which a client may leave its answers unread.
    public var writeTimeoutMilliseconds: UInt64 = 30_000

    /// The defaults.
    public init() {}

    /// The defaults of a listener: administration gets by with less, nodes are few.
    public static func standard(for door: ListenerDoor) -> ListenerLimits {
        var limits = ListenerLimits()
        switch door {
        case .application: break
        case .administration:
            limits.connectionsMax = 64
            limits.requestsMax = 256
            limits.bodyBytesTotalMax = 64 << 20
        case .node:
            limits.connectionsMax = 256
        }
        return limits
    }

    /// One limit.
    public struct Row: Sendable {
        /// Its name in node.yaml.
        public let name: String
        /// Where it is.
        public let path: any WritableKeyPath<ListenerLimits, UInt64> & Sendable
        /// What it may be.
        public let range: ClosedRange<UInt64>
        /// Whether it is for the two client listeners.
        public let isForClients: Bool
        /// Whether it is for the node listener.
        public let isForNodes: Bool
        /// What it means.
        public let summary: String

        /// Whether it means anything at a listener.
        public func applies(to door: ListenerDoor) -> Bool { door == .node ? isForNodes : isForClients }
    }

    private static func row(
        _ name: String, _ path: any WritableKeyPath<ListenerLimits, UInt64> & Sendable, _ range: ClosedRange<UInt64>,
        clients: Bool = true, nodes: Bool = false, _ summary: String
    ) -> Row {
        Row(name: name, path: path, range: range, isForClients: clients, isForNodes: nodes, summary: summary)
    }

    private static let bytes: ClosedRange<UInt64> = 256...(4 << 30)
    private static let counts: ClosedRange<UInt64> = 1...1_000_000
    private static let times: ClosedRange<UInt64> = 100...86_400_000

    /// All limits, in the order in which a document shows them.
    public static let table: [Row] = [
        row(
            "connectionsMax", \.connectionsMax, 1...100_000, nodes: true, "open connections; one more is closed at once"
        ),
        row("requestsMax", \.requestsMax, counts, "unanswered requests; one more is answered 503"),
        row(
            "requestsPerConnectionMax", \.requestsPerConnectionMax, counts,
            "unanswered requests of one connection; more are left unread"),
        row("bodyBytesMax", \.bodyBytesMax, bytes, "one request's body; larger ones are answered 413"),
        row("bodyBytesTotalMax", \.bodyBytesTotalMax, bytes, "bodies of all unanswered requests together"),
        row("headerBytesMax", \.headerBytesMax, 256...(1 << 20), "all header fields of one request"),
        row("headerCountMax", \.headerCountMax, 1...10_000, "header fields of one request"),
        row("targetBytesMax", \.targetBytesMax, 64...(1 << 20), "a request's path and query"),
        row(
            "outboundBytesMax", \.outboundBytesMax, (1 << 20)...(16 << 30), clients: false, nodes: true,
            "bytes waiting to be sent to one node; messages beyond are dropped"),
        row(
            "handshakeTimeoutMilliseconds", \.handshakeTimeoutMilliseconds, times, nodes: true,
            "from TCP accept to the end of the handshake"),
        row(
            "idleTimeoutMilliseconds", \.idleTimeoutMilliseconds, times,
            "how long a connection may be silent"),
        row("headerTimeoutMilliseconds", \.headerTimeoutMilliseconds, times, "from a request's first byte to its body"),
        row(
            "bodyTimeoutMilliseconds", \.bodyTimeoutMilliseconds, times,
            "from the end of the header to that of the body"),
        row(
            "writeTimeoutMilliseconds", \.writeTimeoutMilliseconds, times,
            "how long a client may leave its answers unread"),
    ]
}

/// The three doors of a node.
public enum ListenerDoor: String, Sendable, Hashable, CaseIterable {
    /// Transactions and queries of actors.
    case application
    /// State of the node and the network, governance.
    case administration
    /// Other validating nodes.
    case node
}
