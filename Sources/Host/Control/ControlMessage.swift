internal import Primitives

/// What a manager asks of its launcher. Byte form: `u8` version, `u8` kind, then the fields; see ``encoded()``.
///
/// A reply carries the request's `id`. Descriptors travel beside the bytes (SCM_RIGHTS), in the order told per case.
public enum ControlRequest: Hashable, Sendable {
    /// The manager runs and has loaded all its libraries; the launcher may check them and hand over.
    case hello
    /// Open a TCP connection; answered by ``ControlEvent/connected(id:failure:)``.
    case connect(id: UInt64, host: String, port: UInt16, timeoutMilliseconds: UInt32)
    /// Have the platform vouch for 64 bytes; answered by ``ControlEvent/answer(id:bytes:failure:)``.
    case evidence(id: UInt64, reportData: [UInt8])
    /// The key that only this measurement on this platform gets; answered by ``ControlEvent/answer(id:bytes:failure:)``.
    case sealingKey(id: UInt64, label: String)
    /// Start a worker in place of the last one; answered by ``ControlEvent/workerStarted(id:process:failure:)``.
    case startWorker(id: UInt64)
    /// A line for the launcher's log.
    case log(level: String, message: String)
    /// The manager serves.
    case ready
}

/// What a launcher tells its manager.
public enum ControlEvent: Hashable, Sendable {
    /// All that the manager needs to begin. Descriptors: application, administration and node listener, data folder,
    /// and, if `worker` is not 0, the socket to the worker.
    case handOver(HandOverFields)
    /// Answer to ``ControlRequest/connect(id:host:port:timeoutMilliseconds:)``; one descriptor if there is no failure.
    case connected(id: UInt64, failure: String?)
    /// Answer with bytes, or the reason why there are none.
    case answer(id: UInt64, bytes: [UInt8], failure: String?)
    /// Answer to ``ControlRequest/startWorker(id:)``; one descriptor if there is no failure.
    case workerStarted(id: UInt64, process: UInt32, failure: String?)
    /// A worker ended.
    case workerExited(process: UInt32, description: String)
    /// Stop within this time; the process is killed after it.
    case shutdown(graceMilliseconds: UInt32)
}

/// The plain part of a hand-over.
public struct HandOverFields: Hashable, Sendable {
    /// The node's configuration, as the launcher read it.
    public var configuration: [UInt8]
    /// How much sandbox is demanded.
    public var sandbox: SandboxMode
    /// The manager's measurement, 32 bytes, as the launcher took it.
    public var managerMeasurement: [UInt8]
    /// The worker's measurement, 32 bytes; empty when the worker runs inside the manager.
    public var workerMeasurement: [UInt8]
    /// Process id of the worker, 0 when the worker runs inside the manager.
    public var worker: UInt32
    /// How often this launcher started a manager again that had died.
    public var managerRestarts: UInt32

    /// The fields of a hand-over.
    public init(
        configuration: [UInt8], sandbox: SandboxMode, managerMeasurement: [UInt8], workerMeasurement: [UInt8],
        worker: UInt32, managerRestarts: UInt32 = 0
    ) {
        self.configuration = configuration
        self.sandbox = sandbox
        self.managerMeasurement = managerMeasurement
        self.workerMeasurement = workerMeasurement
        self.worker = worker
        self.managerRestarts = managerRestarts
    }
}

/// Exit codes of a manager beside 0, a clean stop.
public enum ManagerExit {
    /// It can't start, or can't go on; another start would not help.
    public static let failed: CInt = 1
    /// The disk failed.
    public static let disk: CInt = 74
    /// The worker inside it ended: start it again.
    public static let again: CInt = 75
}

/// Version and bounds of the control protocol.
public enum ControlProtocol {
    /// The version both ends speak.
    public static let version: UInt8 = 1
    /// Largest message in bytes; a configuration is the largest thing there is.
    public static let messageBytesMax = 16 << 20
    /// Descriptors that may travel with one message.
    public static let descriptorsMax = 8

    static let textBytesMax = 64 << 10

    /// A message's first two bytes, and the reader behind them.
    static func open(_ bytes: [UInt8]) throws(HostError) -> (kind: UInt8, reader: ByteReader) {
        guard bytes.count >= 2 else { throw .protocolViolation("a control message of \(bytes.count) bytes") }
        guard bytes[0] == version else {
            throw .protocolViolation("a control message of version \(bytes[0]), not \(version)")
        }
        return (bytes[1], ByteReader(bytes, from: 2, to: bytes.count))
    }

    static func begin(_ kind: UInt8, capacity: Int = 64) -> ByteWriter {
        var writer = ByteWriter(capacity: capacity)
        writer.integer(version)
        writer.integer(kind)
        return writer
    }
}
