internal import Glibc

/// What a manager gets at its start.
public struct HandOver: Sendable {
    /// Listening socket of the application interface.
    public let applicationListener: CInt
    /// Listening socket of the administration interface.
    public let administrationListener: CInt
    /// Listening socket for other nodes.
    public let nodeListener: CInt
    /// The data folder.
    public let dataFolder: CInt
    /// Socket to the worker and its process id; nil when the worker runs inside the manager.
    public let worker: WorkerLink?
    /// Configuration, measurements, sandbox mode.
    public let fields: HandOverFields
}

/// A worker that was started.
public struct WorkerLink: Hashable, Sendable {
    /// Our end of the socket pair.
    public let descriptor: CInt
    /// Its process id; 0 when it runs inside the manager.
    public let process: UInt32

    /// A worker at the other end of `descriptor`.
    public init(descriptor: CInt, process: UInt32) {
        self.descriptor = descriptor
        self.process = process
    }
}

/// What a manager hears from its launcher without having asked.
public enum HostEvent: Hashable, Sendable {
    /// Stop within this time.
    case shutdown(graceMilliseconds: UInt32)
    /// A worker ended; ``ManagerHost/startWorker(completion:)`` brings the next.
    case workerExited(process: UInt32, description: String)
    /// The launcher is gone; a manager without one must end.
    case lost(String)
}

/// The manager's end of the control channel: the only way in which an enclave reaches the outside world beyond the
/// descriptors it holds.
public final class ManagerHost: Sendable {
    /// The descriptor at which a manager finds its control channel.
    public static let descriptor: CInt = 3

    private typealias Reply = @Sendable (Result<(ControlEvent, [CInt]), HostError>) -> Void

    private struct State: Sendable {
        var lastID: UInt64 = 0
        var replies: [UInt64: Reply] = [:]
        var lost: HostError?
    }

    private let channel: ControlChannel
    private let state = Monitor(State())

    private init(_ channel: ControlChannel) { self.channel = channel }

    /// Says hello to the launcher and waits for what it hands over. To be called first in the process, before any thread
    /// is started and before the sandbox.
    /// - Throws: ``HostError``.
    public static func takeOver(
        descriptor: CInt = ManagerHost.descriptor
    ) throws(HostError) -> (host: ManagerHost, handOver: HandOver) {
        let flags = fcntl(descriptor, F_GETFD)
        guard flags >= 0 else { throw .configuration("no control channel; a manager is started by its launcher") }
        _ = fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC)
        let channel = ControlChannel(descriptor: descriptor)
        try channel.send(ControlRequest.hello.encoded())
        guard let (message, descriptors) = try channel.receive() else { throw .closed("the launcher is gone") }
        guard case .handOver(let fields) = try ControlEvent(decoding: message),
            descriptors.count == (fields.worker == 0 ? 4 : 5)
        else { throw .protocolViolation("the launcher did not hand over") }
        let handOver = HandOver(
            applicationListener: descriptors[0], administrationListener: descriptors[1], nodeListener: descriptors[2],
            dataFolder: descriptors[3],
            worker: fields.worker == 0 ? nil : WorkerLink(descriptor: descriptors[4], process: fields.worker),
            fields: fields)
        return (ManagerHost(channel), handOver)
    }

    /// Starts to listen to the launcher, on a thread of its own, on which `events` and all completions are called; they
    /// must not block.
    /// - Throws: ``HostError``.
    public func start(events: @escaping @Sendable (HostEvent) -> Void) throws(HostError) {
        try HostThread.start("control") { self.listen(events) }.detach()
    }

    // MARK: Requests

    /// Has the launcher open a TCP connection.
    public func connect(
        host: String, port: UInt16, timeoutMilliseconds: UInt32 = 5000,
        completion: @escaping @Sendable (Result<CInt, HostError>) -> Void
    ) {
        request({ .connect(id: $0, host: host, port: port, timeoutMilliseconds: timeoutMilliseconds) }) { result in
            completion(
                result.flatMap { event, descriptors in
                    guard case .connected(_, let failure) = event else { return Self.unexpected(descriptors) }
                    return Self.single(descriptors, failure)
                })
        }
    }

    /// Has the platform vouch for 64 bytes.
    public func evidence(
        reportData: [UInt8], completion: @escaping @Sendable (Result<[UInt8], HostError>) -> Void
    ) {
        request({ .evidence(id: $0, reportData: reportData) }) { completion(Self.bytes($0)) }
    }

    /// The key that only this measurement on this platform gets, 32 bytes.
    public func sealingKey(
        label: String, completion: @escaping @Sendable (Result<[UInt8], HostError>) -> Void
    ) {
        request({ .sealingKey(id: $0, label: label) }) { completion(Self.bytes($0)) }
    }

    /// Has a worker started in place of the last, which is killed if it still runs. The launcher waits before it starts
    /// one again that died soon.
    public func startWorker(completion: @escaping @Sendable (Result<WorkerLink, HostError>) -> Void) {
        request({ .startWorker(id: $0) }) { result in
            completion(
                result.flatMap { event, descriptors in
                    guard case .workerStarted(_, let process, let failure) = event else {
                        return Self.unexpected(descriptors)
                    }
                    return Self.single(descriptors, failure).map { WorkerLink(descriptor: $0, process: process) }
                })
        }
    }

    /// Writes to the launcher's log; no secret belongs there.
    public func log(level: String, message: String) {
        try? channel.send(ControlRequest.log(level: level, message: String(message.prefix(4096))).encoded())
    }

    /// Tells the launcher that the node serves.
    public func ready() { try? channel.send(ControlRequest.ready.encoded()) }

    /// ``connect(host:port:timeoutMilliseconds:completion:)``, waiting.
    /// - Throws: ``HostError``.
    public func connect(
        host: String, port: UInt16, timeoutMilliseconds: UInt32 = 5000
    ) async throws(HostError) -> CInt {
        try await withCheckedContinuation { continuation in
            connect(host: host, port: port, timeoutMilliseconds: timeoutMilliseconds) {
                continuation.resume(returning: $0)
            }
        }.get()
    }

    /// ``evidence(reportData:completion:)``, waiting.
    /// - Throws: ``HostError``.
    public func evidence(reportData: [UInt8]) async throws(HostError) -> [UInt8] {
        try await withCheckedContinuation { continuation in
            evidence(reportData: reportData) { continuation.resume(returning: $0) }
        }.get()
    }

    /// ``sealingKey(label:completion:)``, waiting.
    /// - Throws: ``HostError``.
    public func sealingKey(label: String) async throws(HostError) -> [UInt8] {
        try await withCheckedContinuation { continuation in
            sealingKey(label: label) { continuation.resume(returning: $0) }
        }.get()
    }

    /// ``startWorker(completion:)``, waiting.
    /// - Throws: ``HostError``.
    public func startWorker() async throws(HostError) -> WorkerLink {
        try await withCheckedContinuation { continuation in
            startWorker { continuation.resume(returning: $0) }
        }.get()
    }

    // MARK: Inside

    private func request(_ make: (UInt64) -> ControlRequest, reply: @escaping Reply) {
        let (id, lost): (UInt64, HostError?) = state.update { state in
            if let lost = state.lost { return (0, lost) }
            state.lastID += 1
            state.replies[state.lastID] = reply
            return (state.lastID, nil)
        }
        if let lost { return reply(.failure(lost)) }
        do throws(HostError) {
            try channel.send(make(id).encoded())
        } catch {
            if let reply = state.update({ $0.replies.removeValue(forKey: id) }) { reply(.failure(error)) }
        }
    }

    private func listen(_ events: @Sendable (HostEvent) -> Void) {
        var end = HostError.closed("the launcher is gone")
        do throws(HostError) {
            while let (message, descriptors) = try channel.receive() {
                try take(ControlEvent(decoding: message), descriptors, events)
            }
        } catch {
            end = error
        }
        let replies = state.update { state in
            state.lost = end
            defer { state.replies = [:] }
            return state.replies
        }
        for id in replies.keys.sorted() { replies[id]?(.failure(end)) }
        events(.lost(end.description))
    }

    private func take(
        _ event: ControlEvent, _ descriptors: [CInt], _ events: @Sendable (HostEvent) -> Void
    ) throws(HostError) {
        let id: UInt64
        switch event {
        case .shutdown(let grace): return events(.shutdown(graceMilliseconds: grace))
        case .workerExited(let process, let description):
            return events(.workerExited(process: process, description: description))
        case .handOver: throw .protocolViolation("a second hand-over")
        case .connected(let number, _), .answer(let number, _, _), .workerStarted(let number, _, _): id = number
        }
        guard let reply = state.update({ $0.replies.removeValue(forKey: id) }) else {
            for descriptor in descriptors { Descriptor.close(descriptor) }
            throw .protocolViolation("an answer to no request")
        }
        reply(.success((event, descriptors)))
    }

    private static func bytes(_ result: Result<(ControlEvent, [CInt]), HostError>) -> Result<[UInt8], HostError> {
        result.flatMap { event, descriptors in
            guard case .answer(_, let bytes, let failure) = event, descriptors.isEmpty else {
                return unexpected(descriptors)
            }
            return failure.map { .failure(.platform($0)) } ?? .success(bytes)
        }
    }

    private static func single(_ descriptors: [CInt], _ failure: String?) -> Result<CInt, HostError> {
        if let failure, descriptors.isEmpty { return .failure(.unavailable(failure)) }
        guard failure == nil, descriptors.count == 1 else { return unexpected(descriptors) }
        return .success(descriptors[0])
    }

    private static func unexpected<Value>(_ descriptors: [CInt]) -> Result<Value, HostError> {
        for descriptor in descriptors { Descriptor.close(descriptor) }
        return .failure(.protocolViolation("an answer of another kind"))
    }
}
