public import Transport

/// A running network as the bench sees it: where its nodes are, with what key to come, and, for nodes on this machine,
/// their processes and ledgers.
public struct BenchNetwork: Sendable {
    /// One node.
    public struct Node: Sendable {
        /// Its name in tables.
        public var name: String
        /// Its application listener.
        public var application: HTTPEndpoint
        /// The folder of its ledger's chunk files; nil if it can't be read from here.
        public var ledgerFolder: String?
        /// Its processes on this machine; empty if they are elsewhere.
        public var processIDs: [Int32]

        /// A node.
        public init(name: String, application: HTTPEndpoint, ledgerFolder: String? = nil, processIDs: [Int32] = []) {
            self.name = name
            self.application = application
            self.ledgerFolder = ledgerFolder
            self.processIDs = processIDs
        }
    }

    /// The nodes.
    public var nodes: [Node]
    /// The network's certificate, PEM: to it the nodes' own must lead.
    public var networkCertificatePEM: [UInt8]
    /// The actor's certificate, PEM.
    public var certificatePEM: [UInt8]
    /// The actor's key, PEM.
    public var keyPEM: [UInt8]

    /// A network.
    public init(nodes: [Node], networkCertificatePEM: [UInt8], certificatePEM: [UInt8], keyPEM: [UInt8]) {
        self.nodes = nodes
        self.networkCertificatePEM = networkCertificatePEM
        self.certificatePEM = certificatePEM
        self.keyPEM = keyPEM
    }
}

extension HTTPEndpoint {
    /// Reads `host:port`, with an IPv6 address in brackets; `https://` may stand before it.
    /// - Throws: ``BenchError``.
    public init(parsing address: String) throws(BenchError) {
        let text = address.hasPrefix("https://") ? String(address.dropFirst(8)) : address
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
            throw .setup("\(text) is not host:port")
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { throw .setup("\(text) is not host:port") }
        self.init(host: String(host), port: Int(port))
    }
}
