internal import Primitives

extension ControlRequest {
    /// The byte form.
    public func encoded() -> [UInt8] {
        var writer: ByteWriter
        switch self {
        case .hello: writer = ControlProtocol.begin(1)
        case .connect(let id, let host, let port, let timeout):
            writer = ControlProtocol.begin(2)
            writer.integer(id)
            writer.text(host)
            writer.integer(port)
            writer.integer(timeout)
        case .evidence(let id, let reportData):
            writer = ControlProtocol.begin(3)
            writer.integer(id)
            writer.blob(reportData)
        case .sealingKey(let id, let label):
            writer = ControlProtocol.begin(4)
            writer.integer(id)
            writer.text(label)
        case .startWorker(let id):
            writer = ControlProtocol.begin(5)
            writer.integer(id)
        case .log(let level, let message):
            writer = ControlProtocol.begin(6)
            writer.text(level)
            writer.text(message)
        case .ready: writer = ControlProtocol.begin(7)
        }
        return writer.bytes
    }

    /// Reads the byte form.
    /// - Throws: ``HostError``.
    public init(decoding bytes: [UInt8]) throws(HostError) {
        var (kind, reader) = try ControlProtocol.open(bytes)
        do {
            self = try Self.read(kind, &reader)
            try reader.finish()
        } catch {
            throw .protocolViolation("control request of kind \(kind): \(error)")
        }
    }

    private static func read(_ kind: UInt8, _ reader: inout ByteReader) throws(ByteReaderError) -> Self {
        let limit = ControlProtocol.textBytesMax
        switch kind {
        case 1: return .hello
        case 2:
            return .connect(
                id: try reader.integer(), host: try reader.text(limit: 255), port: try reader.integer(),
                timeoutMilliseconds: try reader.integer())
        case 3: return .evidence(id: try reader.integer(), reportData: try reader.blob(limit: 64))
        case 4: return .sealingKey(id: try reader.integer(), label: try reader.text(limit: 255))
        case 5: return .startWorker(id: try reader.integer())
        case 6: return .log(level: try reader.text(limit: 16), message: try reader.text(limit: limit))
        case 7: return .ready
        default: throw .invalid(at: 1)
        }
    }
}

extension ControlEvent {
    /// The byte form.
    public func encoded() -> [UInt8] {
        var writer: ByteWriter
        switch self {
        case .handOver(let fields):
            writer = ControlProtocol.begin(1, capacity: fields.configuration.count + 256)
            writer.blob(fields.configuration)
            writer.bool(fields.sandbox == .required)
            writer.blob(fields.managerMeasurement)
            writer.blob(fields.workerMeasurement)
            writer.integer(fields.worker)
            writer.integer(fields.managerRestarts)
        case .connected(let id, let failure):
            writer = ControlProtocol.begin(2)
            writer.integer(id)
            writer.optional(failure) { $0.text($1) }
        case .answer(let id, let bytes, let failure):
            writer = ControlProtocol.begin(3, capacity: bytes.count + 64)
            writer.integer(id)
            writer.blob(bytes)
            writer.optional(failure) { $0.text($1) }
        case .workerStarted(let id, let process, let failure):
            writer = ControlProtocol.begin(4)
            writer.integer(id)
            writer.integer(process)
            writer.optional(failure) { $0.text($1) }
        case .workerExited(let process, let description):
            writer = ControlProtocol.begin(5)
            writer.integer(process)
            writer.text(description)
        case .shutdown(let grace):
            writer = ControlProtocol.begin(6)
            writer.integer(grace)
        }
        return writer.bytes
    }

    /// Reads the byte form.
    /// - Throws: ``HostError``.
    public init(decoding bytes: [UInt8]) throws(HostError) {
        var (kind, reader) = try ControlProtocol.open(bytes)
        do {
            self = try Self.read(kind, &reader)
            try reader.finish()
        } catch {
            throw .protocolViolation("control event of kind \(kind): \(error)")
        }
    }

    private static func read(_ kind: UInt8, _ reader: inout ByteReader) throws(ByteReaderError) -> Self {
        switch kind {
        case 1:
            return .handOver(
                HandOverFields(
                    configuration: try reader.blob(), sandbox: try reader.bool() ? .required : .bestEffort,
                    managerMeasurement: try reader.blob(limit: 64), workerMeasurement: try reader.blob(limit: 64),
                    worker: try reader.integer(), managerRestarts: try reader.integer()))
        case 2: return .connected(id: try reader.integer(), failure: try failure(&reader))
        case 3: return .answer(id: try reader.integer(), bytes: try reader.blob(), failure: try failure(&reader))
        case 4:
            return .workerStarted(
                id: try reader.integer(), process: try reader.integer(), failure: try failure(&reader))
        case 5:
            return .workerExited(
                process: try reader.integer(), description: try reader.text(limit: ControlProtocol.textBytesMax))
        case 6: return .shutdown(graceMilliseconds: try reader.integer())
        default: throw .invalid(at: 1)
        }
    }

    private static func failure(_ reader: inout ByteReader) throws(ByteReaderError) -> String? {
        try reader.bool() ? try reader.text(limit: ControlProtocol.textBytesMax) : nil
    }
}
