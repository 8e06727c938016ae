internal import Glibc
public import Logging
internal import Primitives

/// A log handler that writes one JSON object a line (RFC 8259), for collectors:
///
/// ```json
/// {"time":"2026-01-31T23:59:59.123Z","level":"info","logger":"entente-manager","message":"active","fields":{"seqno":"4"}}
/// ```
///
/// Messages are fixed texts, `fields` what varies, sorted by name. It does not look for secrets: none may be given to it.
public struct JSONLogHandler: LogHandler {
    private let label: String
    private let write: @Sendable ([UInt8]) -> Void
    /// Fields of every line of this logger.
    public var metadata: Logger.Metadata = [:]
    /// Lines below it are left out.
    public var logLevel = Logger.Level.info

    /// Writes lines to standard error.
    public init(label: String) {
        self.init(label: label) { bytes in
            // One call for the line, so that lines of several threads and processes don't mix.
            _ = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
        }
    }

    /// Gives each line, with its line end, to `write`.
    package init(label: String, write: @escaping @Sendable ([UInt8]) -> Void) {
        self.label = label
        self.write = write
    }

    /// One field of every line.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes a line.
    public func log(event: LogEvent) {
        var fields = metadata.merging(event.metadata ?? [:]) { $1 }
        if let error = event.error { fields["error"] = "\(error)" }
        write(
            Self.line(
                time: HostClock.wallMilliseconds(), level: event.level, label: label, message: "\(event.message)",
                fields: fields))
    }

    /// The bytes of a line, its end included.
    package static func line(
        time: UInt64, level: Logger.Level, label: String, message: String, fields: Logger.Metadata
    ) -> [UInt8] {
        let members = fields.sorted { $0.key < $1.key }.map { JSONObject.Member(name: $0.key, value: json($0.value)) }
        let line: JSON = [
            "time": .string(timestamp(time)), "level": .string(level.rawValue), "logger": .string(label),
            "message": .string(message), "fields": .object(JSONObject(members)),
        ]
        return line.serialized() + [0x0a]
    }

    private static func json(_ value: Logger.Metadata.Value) -> JSON {
        switch value {
        case .string(let text): .string(text)
        case .stringConvertible(let value): .string(value.description)
        case .array(let values): .array(values.map(json))
        case .dictionary(let values):
            .object(
                JSONObject(
                    values.sorted { $0.key < $1.key }.map { JSONObject.Member(name: $0.key, value: json($0.value)) }))
        }
    }

    /// RFC 3339, in UTC, with milliseconds.
    private static func timestamp(_ milliseconds: UInt64) -> String {
        var seconds = time_t(clamping: milliseconds / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func digits(_ value: CInt, _ count: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
        }
        return "\(digits(parts.tm_year + 1900, 4))-\(digits(parts.tm_mon + 1, 2))-\(digits(parts.tm_mday, 2))T"
            + "\(digits(parts.tm_hour, 2)):\(digits(parts.tm_min, 2)):\(digits(parts.tm_sec, 2))."
            + "\(digits(CInt(milliseconds % 1000), 3))Z"
    }
}

/// The form of a process's log lines.
public enum LogForm: String, Sendable, CaseIterable {
    /// For people.
    case text
    /// One JSON object a line, see ``JSONLogHandler``.
    case json

    /// A handler that writes this form to standard error.
    public func handler(label: String) -> any LogHandler {
        switch self {
        case .text: StreamLogHandler.standardError(label: label)
        case .json: JSONLogHandler(label: label)
        }
    }

    /// Writes why a process ends, where it has no logger yet, or none at all.
    public func writeFailure(label: String, _ reason: String) {
        let line =
            switch self {
            case .text: Array("\(label): \(reason)\n".utf8)
            case .json:
                JSONLogHandler.line(
                    time: HostClock.wallMilliseconds(), level: .critical, label: label,
                    message: "the process can't go on", fields: ["reason": .string(reason)])
            }
        _ = line.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
