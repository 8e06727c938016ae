/// Why a measurement or a replay could not be made. A result that is wrong is no error: it is in the report.
public struct BenchError: Error, Hashable, Sendable, CustomStringConvertible {
    private enum Code: String, Sendable {
        case setup, unreachable, refused, busy, unexpectedAnswer, input, timeout
    }

    private let code: Code
    private let detail: String

    private init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    /// Settings or certificates can't be used.
    public static func setup(_ detail: String) -> Self { .init(.setup, detail) }
    /// A node can't be reached.
    public static func unreachable(_ detail: String) -> Self { .init(.unreachable, detail) }
    /// A node refused what the measurement needs.
    public static func refused(_ detail: String) -> Self { .init(.refused, detail) }
    /// A node says that it is busy.
    public static func busy(_ detail: String) -> Self { .init(.busy, detail) }
    /// A node answered what can't be understood.
    public static func unexpectedAnswer(_ detail: String) -> Self { .init(.unexpectedAnswer, detail) }
    /// A file or folder that was named can't be used.
    public static func input(_ detail: String) -> Self { .init(.input, detail) }
    /// Something did not come about in time.
    public static func timeout(_ detail: String) -> Self { .init(.timeout, detail) }

    /// Whether this is ``input(_:)``.
    public var isInput: Bool { code == .input }
    /// Whether this is ``busy(_:)``.
    public var isBusy: Bool { code == .busy }
    /// Whether this is ``refused(_:)``.
    public var isRefusal: Bool { code == .refused }

    /// What went wrong.
    public var description: String { detail }

    /// Errors are the same if they are of the same kind.
    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }

    /// Hashes the kind.
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}
