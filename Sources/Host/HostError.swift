internal import Glibc

/// Why the host side could not do what was asked.
public struct HostError: Error, Hashable, Sendable, CustomStringConvertible {
    private enum Code: String, Sendable {
        case system, sync, configuration, protocolViolation, unavailable, timeout, closed, tooLarge, platform, corrupt
    }

    private let code: Code
    private let detail: String
    /// `errno` of the call that failed, 0 if none did.
    public let errorNumber: CInt

    private init(_ code: Code, _ detail: String, _ errorNumber: CInt = 0) {
        self.code = code
        self.detail = detail
        self.errorNumber = errorNumber
    }

    /// The system call made last failed; `what` names it and what it was for.
    public static func system(_ what: String) -> Self { system(what, errno) }
    /// A system call failed with this `errno`; `what` names it and what it was for.
    public static func system(_ what: String, _ errorNumber: CInt) -> Self {
        .init(.system, "\(what): \(String(cString: strerror(errorNumber)))", errorNumber)
    }
    /// A sync failed with this `errno`: what was written before it must be taken as lost, whatever a later sync says.
    public static func sync(_ what: String, _ errorNumber: CInt) -> Self {
        .init(.sync, "\(what): \(String(cString: strerror(errorNumber)))", errorNumber)
    }
    /// Something in the configuration, or in how we were started, can't work.
    public static func configuration(_ detail: String) -> Self { .init(.configuration, detail) }
    /// The other end of a control channel sent what it may not.
    public static func protocolViolation(_ detail: String) -> Self { .init(.protocolViolation, detail) }
    /// The kernel or the machine lacks what is needed.
    public static func unavailable(_ detail: String) -> Self { .init(.unavailable, detail) }
    /// It took too long.
    public static func timeout(_ detail: String) -> Self { .init(.timeout, detail) }
    /// The other end, or the object itself, is closed.
    public static func closed(_ detail: String) -> Self { .init(.closed, detail) }
    /// Something is over its limit.
    public static func tooLarge(_ detail: String) -> Self { .init(.tooLarge, detail) }
    /// The TEE platform could not do it.
    public static func platform(_ detail: String) -> Self { .init(.platform, detail) }
    /// A file or message does not have the form it must have.
    public static func corrupt(_ detail: String) -> Self { .init(.corrupt, detail) }

    /// Whether the kernel or machine lacks what is needed.
    public var isUnavailable: Bool { code == .unavailable }
    /// Whether this is a timeout.
    public var isTimeout: Bool { code == .timeout }
    /// Whether the other end is gone.
    public var isClosed: Bool { code == .closed }
    /// Whether there is no room on the disk for what was to be written, and nothing else is wrong: the same write may be
    /// tried again later. A sync that failed is never such a case.
    public var isFull: Bool { code == .system && [ENOSPC, EDQUOT].contains(errorNumber) }
    /// Whether a disk may be the reason.
    public var isStorage: Bool {
        code == .sync || code == .system && [ENOSPC, EDQUOT, EIO, EROFS].contains(errorNumber)
    }
    /// Whether a file or entry does not exist.
    public var isNotFound: Bool { code == .system && errorNumber == ENOENT }

    /// The kind and what went wrong; no payload or key.
    public var description: String { "\(code.rawValue): \(detail)" }

    /// Errors are the same if their kind and `errno` are.
    public static func == (left: Self, right: Self) -> Bool {
        left.code == right.code && left.errorNumber == right.errorNumber
    }

    /// Hashes what `==` compares.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(code)
        hasher.combine(errorNumber)
    }
}
