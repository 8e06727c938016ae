/// The name that the constitution gives an actor (a member or participant), such as `bank-a`.
public typealias ActorID = String

/// The id that a client gives a write so that a repetition gets the first answer; opaque to adapters.
public typealias RequestID = [UInt8]

/// Names a query that waits for its submissions or for history, within one adapter of one worker's life.
public typealias QueryToken = UInt64

/// Sizes beyond which worker messages are refused. They bound what a broken or hostile peer can make the other side
/// allocate; the constitution's batch and request limits are far below.
public enum AdapterLimits {
    /// Bytes of one message between manager and worker.
    public static let messageBytesMax = 256 << 20
    /// Bytes of an actor or endpoint name.
    public static let nameBytesMax = 256
    /// Bytes of a request id.
    public static let requestIDBytesMax = 128
    /// Actors in one reader set.
    public static let readersMax = 4096
    /// Submissions in one batch, and bodies in one answer.
    public static let submissionsMax = 65_536
    /// Claims of one transaction.
    public static let claimsMax = 64
    /// Compartments of one entry.
    public static let compartmentsMax = 4096
    /// Adapters of one worker.
    public static let adaptersMax = 64
    /// Key-value pairs in one part of a snapshot.
    public static let snapshotRecordsMax = 1 << 20
    /// Questions that one query may put to services outside, in all.
    public static let outsideCallsMax = 16
    /// Bytes of a question, or of an answer to one.
    public static let outsideBodyBytesMax = 1 << 20
    /// Entries in one answer to a history request.
    public static let historyEntriesMax = 65_536
}
