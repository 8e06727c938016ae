/// One line that tells how far something is.
public struct ProgressBar: Sendable {
    private let total: Int
    private let width: Int

    /// A bar.
    /// - Parameters:
    ///   - total: what is to be done.
    ///   - width: characters of the bar itself.
    public init(total: Int, width: Int = 30) {
        self.total = max(1, total)
        self.width = max(1, width)
    }

    /// The line, without end.
    /// - Parameters:
    ///   - done: what is done.
    ///   - note: what goes on.
    public func line(_ done: Int, _ note: String) -> String {
        let done = min(max(0, done), total)
        let filled = done * width / total
        return "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
            + "] \(done)/\(total) \(note)"
    }
}
