public import Identity
public import Primitives

/// What a receipt that verified says.
public struct ReceiptReport: Sendable, Hashable {
    /// The receipt's form.
    public enum Form: String, Sendable, Hashable {
        /// JSON, signed by a node.
        case json = "JSON"
        /// COSE, signed by the service.
        case cose = "COSE"
    }

    /// The form.
    public let form: Form
    /// The entry that it proves; nil in a receipt for a signature entry.
    public let entry: TransactionID?
    /// The one transaction that it proves, if it does.
    public let transaction: BatchTransactionID?
    /// What stands for that transaction.
    public let transactionDigest: Bytes32?
    /// Digest of what the entry claims.
    public let claimsDigest: Bytes32?
    /// The signed Merkle root.
    public let root: Bytes32
    /// The node that signed, in a JSON receipt.
    public let nodeID: String?
}

/// Verifies receipts of either form.
public enum ReceiptVerifier {
    /// Reads a receipt, tells its form by its first byte, and checks everything that the service's certificate allows to
    /// check.
    /// - Parameters:
    ///   - service: the certificate of the service whose receipt it must be.
    ///   - claimsDigest: what the entry must claim, if the caller knows.
    /// - Throws: ``LedgerError/malformed(_:file:line:)``, ``LedgerError/tooLarge(_:file:line:)``,
    ///   ``LedgerError/badReceipt(_:file:line:)``.
    public static func verify(
        _ bytes: [UInt8], service: X509Certificate, claimsDigest: Bytes32? = nil
    ) throws(LedgerError) -> ReceiptReport {
        let start = bytes.first { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }
        if start == UInt8(ascii: "{") {
            let receipt = try Receipt(json: bytes)
            try receipt.verify(service: service, claimsDigest: claimsDigest)
            return ReceiptReport(
                form: .json, entry: receipt.id, transaction: transaction(receipt.id, receipt.batch),
                transactionDigest: receipt.batch?.digest, claimsDigest: receipt.leafComponents?.claimsDigest,
                root: receipt.root, nodeID: receipt.nodeID)
        }
        let receipt = try CoseReceipt(bytes)
        try receipt.verify(service: service.publicKey, claimsDigest: claimsDigest)
        return ReceiptReport(
            form: .cose, entry: receipt.id, transaction: transaction(receipt.id, receipt.batch),
            transactionDigest: receipt.batch?.digest, claimsDigest: receipt.leafComponents.claimsDigest,
            root: receipt.root, nodeID: nil)
    }

    private static func transaction(_ entry: TransactionID?, _ batch: BatchProof?) -> BatchTransactionID? {
        guard let entry, let batch else { return nil }
        return BatchTransactionID(entry: entry, index: batch.index)
    }
}
