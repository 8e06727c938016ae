/// A node that takes part right now, as the primary knows it from its attested channel.
public struct LiveNode: Sendable, Hashable {
    /// Its id.
    public var nodeID: String
    /// Its code; nil when that is not known.
    public var code: NodeCode?

    /// A live node.
    public init(nodeID: String, code: NodeCode? = nil) {
        self.nodeID = nodeID
        self.code = code
    }
}
