public import Transport

/// What a gateway needs: whose key it holds, which nodes it may use, whom it serves.
public struct GatewaySettings: Sendable {
    /// The actor's certificate chain (PEM), its own first.
    public var certificate: [UInt8]
    /// The actor's key (PEM).
    public var key: [UInt8]
    /// The network's certificate (DER), by which nodes are known.
    public var networkCertificate: [UInt8]
    /// Application listeners of nodes; the first that answers is used until it fails.
    public var nodes: [HTTPEndpoint]
    /// Names under which browsers and tools may reach the gateway (`Host` without port); anything else is refused, so
    /// that a web page can't reach it by a name of its own that points to loopback.
    public var allowedHosts: Set<String> = ["127.0.0.1", "localhost", "[::1]"]
    /// Web origins that may use it from a browser. Requests without an `Origin` come from tools and pass.
    public var allowedOrigins: Set<String> = []
    /// Prefixes of the JSON-RPC methods that are passed on.
    public var allowedMethods = ["eth_", "net_", "web3_", "txpool_", "rpc_", "debug_", "entente_"]
    /// Time for a request, all tries together, in milliseconds.
    public var requestTimeoutMilliseconds: Int64 = 60_000
    /// Time for the first try, in milliseconds; each further one gets twice as much. Short, since a node that stands
    /// still or is cut off from the others takes requests and never answers; the request id makes repeating safe.
    public var firstTryTimeoutMilliseconds: Int64 = 5_000
    /// Time for one try at most, in milliseconds.
    public var tryTimeoutMilliseconds: Int64 = 35_000
    /// Connections to each node.
    public var connectionsMax = 4
    /// Requests under way on one connection.
    public var pipelineDepth = 64

    /// Settings with the defaults for the rest.
    public init(certificate: [UInt8], key: [UInt8], networkCertificate: [UInt8], nodes: [HTTPEndpoint]) {
        self.certificate = certificate
        self.key = key
        self.networkCertificate = networkCertificate
        self.nodes = nodes
    }
}
