/// What went wrong inside the manager. Holds no payload, key or plaintext.
public struct ManagerError: Error, Sendable, Hashable, CustomStringConvertible {
    private enum Code: Sendable, Hashable {
        case ledgerTime, worker, membership, ledger, sealed
    }

    private let code: Code
    private let reason: String

    /// An entry's ledger time is not acceptable.
    public static func ledgerTime(_ reason: String) -> ManagerError { .init(code: .ledgerTime, reason: reason) }
    /// The worker broke the rules.
    public static func worker(_ reason: String) -> ManagerError { .init(code: .worker, reason: reason) }
    /// A node can't be let in or changed.
    public static func membership(_ reason: String) -> ManagerError { .init(code: .membership, reason: reason) }
    /// An entry is not what it must be.
    public static func ledger(_ reason: String) -> ManagerError { .init(code: .ledger, reason: reason) }
    /// The sealed state can't be used.
    public static func sealed(_ reason: String) -> ManagerError { .init(code: .sealed, reason: reason) }

    /// For logs.
    public var description: String {
        switch code {
        case .ledgerTime: "ledger time \(reason)"
        case .worker: "the worker \(reason)"
        case .membership, .ledger, .sealed: reason
        }
    }
}
