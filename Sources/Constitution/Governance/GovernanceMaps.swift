internal import Primitives

/// Names of the private maps that hold proposals, votes and what came of them.
public enum GovernanceMaps {
    /// Start of all names.
    public static let prefix = "entente.gov."
    /// What was proposed, by proposal id: the signed JSON as it came.
    public static let proposals = prefix + "proposals"
    /// State and votes of proposals by their id.
    public static let proposalsInfo = prefix + "proposals_info"
    /// The last governance message of each actor, verbatim (COSE_Sign1), by actor id. The ledger has all of them, each in
    /// the entry that it made.
    public static let history = prefix + "history"
    /// Messages that were proposals not long ago, by time and digest, so that none is taken twice.
    public static let recentProposals = prefix + "recent_proposals"
    /// Versions of the constitution by number, each with what it changed and who voted for it.
    public static let versions = prefix + "versions"
    /// Members that brought code into the manifest, by the key of its entry there.
    public static let endorsements = prefix + "endorsements"
    /// Certificates that are to be made anew, by node id, or `network`.
    public static let renewals = prefix + "renewals"

    /// All of them, sorted.
    public static let all = [endorsements, history, proposals, proposalsInfo, recentProposals, renewals, versions]
}

/// The common form of the values in those maps: a version byte, then fields.
enum GovernanceRecord {
    private static let version: UInt8 = 1

    static func bytes(_ body: (inout ByteWriter) -> Void) -> [UInt8] {
        var writer = ByteWriter(capacity: 256)
        writer.integer(version)
        body(&writer)
        return writer.bytes
    }

    static func reader(_ value: [UInt8]) throws(ByteReaderError) -> ByteReader {
        var reader = ByteReader(value)
        guard try reader.integer(UInt8.self) == version else { throw .invalid(at: 0) }
        return reader
    }

    /// A number as a key that sorts as the number does.
    static func key(_ number: UInt64) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }

    static func number(_ key: [UInt8]) -> UInt64? {
        guard key.count == 8 else { return nil }
        return key.reduce(0) { $0 << 8 | UInt64($1) }
    }
}
