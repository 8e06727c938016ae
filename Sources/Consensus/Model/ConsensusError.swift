/// What consensus refuses.
public struct ConsensusError: Error, Hashable, Sendable, CustomStringConvertible {
    private enum Code: Hashable, Sendable {
        case configuration, message
    }

    private let code: Code
    private let reason: String

    /// A configuration that is not safe.
    public static func configuration(_ reason: String) -> ConsensusError { .init(code: .configuration, reason: reason) }

    /// A message that can't be read.
    public static func message(_ reason: String) -> ConsensusError { .init(code: .message, reason: reason) }

    /// For logs; names no content.
    public var description: String {
        switch code {
        case .configuration: "bad configuration: \(reason)"
        case .message: "bad message: \(reason)"
        }
    }

    /// Equal by code, whatever the reason.
    public static func == (left: ConsensusError, right: ConsensusError) -> Bool { left.code == right.code }

    /// By code.
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}
