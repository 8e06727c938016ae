extension Leadership {
    /// The leadership under whose keys an entry is sealed; nil for an entry without a private domain.
    /// - Throws: ``LedgerError/malformed(_:file:line:)``, ``LedgerError/tooLarge(_:file:line:)``.
    public init?(of entry: LedgerEntry) throws(LedgerError) {
        guard !entry.header.privateRange.isEmpty else { return nil }
        let domain = try PrivateDomain(entry)
        try self.init(
            epoch: domain.epoch, view: entry.id.view, nodeID: domain.nodeID, bootNonce: domain.bootNonce)
    }
}
