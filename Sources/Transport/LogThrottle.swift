internal import NIOConcurrencyHelpers
internal import NIOCore

/// Lets through a bounded number of log lines a second, so that a flood of bad peers can't become a flood of logs.
final class LogThrottle: Sendable {
    private struct State: Sendable {
        var windowStart = NIODeadline.uptimeNanoseconds(0)
        var written = 0
        var suppressed = 0
    }

    private let linesPerSecondMax: Int
    private let state = NIOLockedValueBox(State())

    init(linesPerSecondMax: Int = 20) {
        self.linesPerSecondMax = linesPerSecondMax
    }

    /// Whether a line may be written now; if so, how many were held back before it.
    func admit(now: NIODeadline = .now()) -> Int? {
        state.withLockedValue { state in
            if now - state.windowStart >= .seconds(1) {
                state.windowStart = now
                state.written = 0
            }
            guard state.written < linesPerSecondMax else {
                state.suppressed += 1
                return nil
            }
            state.written += 1
            defer { state.suppressed = 0 }
            return state.suppressed
        }
    }
}
