/// How the disk of a node is.
public enum StorageState: Sendable, Hashable {
    /// It takes what is written.
    case good
    /// It has no room. Nothing is lost: what is to be written waits in memory until there is room again.
    case full(String)
    /// A write or a sync failed. What was not synced before may be lost, and a sync that succeeds later would prove
    /// nothing, so this process writes nothing more.
    case failed(String)

    /// A word for status pages.
    var word: String {
        switch self {
        case .good: "good"
        case .full: "full"
        case .failed: "failed"
        }
    }

    /// What the system said; nil while all is good.
    var reason: String? {
        switch self {
        case .good: nil
        case .full(let reason), .failed(let reason): reason
        }
    }

    /// Whether writes are taken.
    public var isGood: Bool { self == .good }
}
