internal import CHostShim
internal import Glibc
public import Logging

/// The untrusted host's part of a node: opens listeners and the data folder, measures and starts the manager and the
/// worker, does for the manager what its sandbox forbids, and stops everything in order.
///
/// One thread runs it, the caller of ``run()``; children die with that thread. Only what ``stop()`` and connecting
/// threads touch is shared, through `mailbox`.
public final class Launcher {
    /// What happens outside of the running thread.
    private enum Note: Sendable {
        case stop
        case connected(id: UInt64, Result<CInt, HostError>)
    }

    private let settings: LauncherSettings
    private let logger: Logger
    private let platform: SoftwarePlatform
    private let listeners: [CInt]
    private let dataFolder: CInt
    private let managerMeasurement: Measurement
    private let managerFile: File
    private let workerImage: (measurement: Measurement, file: File)?
    private let mailbox: Mailbox
    private var channel: ControlChannel?
    private var worker: ChildProcess?
    private var workerStartedAt: UInt64 = 0
    private var restartWait: UInt32
    private var managerRestarts: UInt32 = 0
    private var pendingStarts: [(id: UInt64, due: UInt64)] = []
    private var connecting = 0
    private var handedOver = false
    /// Why the hand-over failed; the manager is killed then.
    private var startFailure: HostError?
    private var stopDeadline: UInt64?
    private var onReady: (() -> Void)?

    /// Connections that may be coming about at once.
    private static let connectingMax = 64

    /// Opens everything and measures both programs, but starts nothing yet.
    /// - Throws: ``HostError``.
    public init(settings: LauncherSettings, logger: Logger) throws(HostError) {
        self.settings = settings
        self.logger = logger
        restartWait = settings.restartMilliseconds
        mailbox = try Mailbox()
        guard mkdir(settings.dataFolder, 0o700) == 0 || errno == EEXIST else {
            throw .system("making folder \(settings.dataFolder)")
        }
        dataFolder = try Descriptor.openFolder(settings.dataFolder)
        platform = try SoftwarePlatform(directory: Directory(path: settings.platformFolder))
        (managerMeasurement, managerFile) = try Measurement.take(path: settings.manager.path)
        if let worker = settings.worker {
            let (measurement, file) = try Measurement.take(path: worker.path)
            workerImage = (measurement, file)
        } else {
            workerImage = nil
        }
        var opened: [CInt] = []
        do throws(HostError) {
            for address in [settings.application, settings.administration, settings.node] {
                opened.append(try Descriptor.listen(host: address.host, port: address.port))
            }
        } catch {
            for descriptor in opened { Descriptor.close(descriptor) }
            throw error
        }
        listeners = opened
    }

    deinit {
        for descriptor in listeners + [dataFolder] { Descriptor.close(descriptor) }
    }

    /// Ports of the application, administration and node listener.
    /// - Throws: ``HostError``.
    public func ports() throws(HostError) -> (application: UInt16, administration: UInt16, node: UInt16) {
        (
            try Descriptor.port(of: listeners[0]), try Descriptor.port(of: listeners[1]),
            try Descriptor.port(of: listeners[2])
        )
    }

    /// Measurements of the manager and the worker.
    public var measurements: (manager: Measurement, worker: Measurement?) {
        (managerMeasurement, workerImage?.measurement)
    }

    /// A function that makes ``run()`` stop cleanly, as SIGTERM does; may be called from any thread.
    public var stopper: @Sendable () -> Void {
        let mailbox = mailbox
        return { mailbox.post(.stop) }
    }

    /// Whether the last ``run(onReady:)`` ended because it was asked to. If not, the manager died by itself and may be run
    /// again.
    public var wasStopped: Bool { stopDeadline != nil }

    /// Runs the node again and again as long as its manager dies, with a wait that doubles from
    /// ``LauncherSettings/restartMilliseconds`` to ``LauncherSettings/restartMillisecondsMax`` while it dies soon.
    /// - Parameter onReady: called each time the manager serves.
    /// - Returns: the exit code of a manager that stopped cleanly or said that it can't go on.
    /// - Throws: ``HostError`` if the node could not be started.
    public func keepRunning(onReady: (() -> Void)? = nil) throws(HostError) -> CInt {
        // Holds the signals also between two runs.
        let signals = try SignalWatch()
        var wait = settings.restartMilliseconds
        while true {
            let started = HostClock.monotonicMicroseconds()
            let code = try run(onReady: onReady)
            // Above 128: a signal ended it, a trap among them.
            guard !wasStopped, code > 128 || code == ManagerExit.again else { return code }
            let lived = HostClock.monotonicMicroseconds() - started
            if lived >= UInt64(settings.restartMillisecondsMax) * 1000 { wait = settings.restartMilliseconds }
            managerRestarts += 1
            log(
                .error, "the manager died and is started again",
                ["code": "\(code)", "restarts": "\(managerRestarts)", "waitMilliseconds": "\(wait)"])
            guard try !isStopped(within: wait, signals) else { return 0 }
            wait = min(wait * 2, settings.restartMillisecondsMax)
        }
    }

    /// Waits, and says whether it was asked to stop meanwhile.
    private func isStopped(within milliseconds: UInt32, _ signals: SignalWatch) throws(HostError) -> Bool {
        let end = HostClock.monotonicMicroseconds() + UInt64(milliseconds) * 1000
        while true {
            let now = HostClock.monotonicMicroseconds()
            guard now < end else { return false }
            var entries = [signals.descriptor, mailbox.descriptor].map {
                pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
            }
            guard poll(&entries, 2, CInt(clamping: (end - now) / 1000 + 1)) > 0 else { continue }
            var isStopped = entries[0].revents != 0 && signals.read() > 0
            if entries[1].revents != 0 {
                for case .stop in mailbox.take() { isStopped = true }
            }
            if isStopped {
                stopDeadline = now
                log(.info, "stopping", [:])
                return true
            }
        }
    }

    /// Starts the node and supervises it until it has stopped. SIGTERM and SIGINT stop it cleanly, a second one at once.
    /// The process should have no other thread that takes these signals.
    /// - Parameter onReady: called when the manager serves.
    /// - Returns: the manager's exit code; 0 after a clean stop.
    /// - Throws: ``HostError`` if the node could not be started.
    public func run(onReady: (() -> Void)? = nil) throws(HostError) -> CInt {
        self.onReady = onReady
        handedOver = false
        startFailure = nil
        stopDeadline = nil
        pendingStarts = []
        let signals = try SignalWatch()
        let (ours, theirs) = try Descriptor.streamPair()
        let channel = ControlChannel(descriptor: ours)
        try channel.setTimeout(milliseconds: 5000)
        self.channel = channel
        let manager: ChildProcess
        do throws(HostError) {
            manager = try ChildProcess(
                executable: managerFile, arguments: [settings.manager.path] + settings.manager.arguments,
                environment: environment, descriptors: [theirs])
            Descriptor.close(theirs)
        } catch {
            Descriptor.close(theirs)
            throw error
        }
        log(
            .info, "manager started",
            ["process": "\(manager.process)", "measurement": "\(hex(managerMeasurement.digest))"])
        defer {
            worker = nil
            self.channel = nil
        }
        while true {
            let ready = try waitForEvents([signals.descriptor, mailbox.descriptor, channel.socket, manager.watch])
            if ready.contains(signals.descriptor) { try stopRequested(signals.read(), manager.process) }
            if ready.contains(mailbox.descriptor) { for note in mailbox.take() { take(note, manager.process) } }
            if ready.contains(channel.socket) {
                do throws(HostError) {
                    if let (message, descriptors) = try channel.receive() {
                        for descriptor in descriptors { Descriptor.close(descriptor) }
                        try take(ControlRequest(decoding: message), manager.process)
                    } else {
                        self.channel = nil
                    }
                } catch {
                    if error.isClosed {
                        // The manager is ending; its exit tells the rest.
                        self.channel = nil
                    } else {
                        log(.error, "the manager broke the control protocol", ["reason": "\(error)"])
                        manager.signal(SIGKILL)
                    }
                }
            }
            if let status = manager.poll() {
                if let startFailure { throw startFailure }
                return managerEnded(status)
            }
            checkWorker()
            startDueWorkers()
            if let deadline = stopDeadline, HostClock.monotonicMicroseconds() >= deadline {
                log(.warning, "the manager did not stop in time", [:])
                manager.signal(SIGKILL)
                stopDeadline = .max
            }
        }
    }

    // MARK: Events

    private func waitForEvents(_ descriptors: [CInt]) throws(HostError) -> Set<CInt> {
        var watched = descriptors
        if channel == nil { watched.remove(at: 2) }
        if let worker { watched.append(worker.watch) }
        var entries = watched.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        let now = HostClock.monotonicMicroseconds()
        let due = (pendingStarts.map(\.due) + [stopDeadline ?? now + 60_000_000]).min() ?? now
        let milliseconds = due > now ? CInt(clamping: (due - now) / 1000 + 1) : 0
        let count = poll(&entries, nfds_t(entries.count), milliseconds)
        guard count >= 0 || errno == EINTR else { throw .system("poll") }
        return Set(entries.filter { $0.revents != 0 }.map(\.fd))
    }

    private func take(_ note: Note, _ manager: pid_t) {
        switch note {
        case .stop: beginStop()
        case .connected(let id, let result):
            connecting -= 1
            switch result {
            case .success(let descriptor):
                send(.connected(id: id, failure: nil), [descriptor])
                Descriptor.close(descriptor)
            case .failure(let error): send(.connected(id: id, failure: error.description))
            }
        }
    }

    private func take(_ request: ControlRequest, _ manager: pid_t) throws(HostError) {
        switch request {
        case .hello:
            guard !handedOver else { throw .protocolViolation("a second hello") }
            handedOver = true
            do throws(HostError) {
                try handOver(manager)
            } catch {
                startFailure = error
                kill(manager, SIGKILL)
            }
        case .connect(let id, let host, let port, let timeout): connect(id, host, port, timeout)
        case .evidence(let id, let reportData):
            do throws(HostError) {
                let evidence = try platform.evidence(measurement: managerMeasurement.digest, reportData: reportData)
                send(.answer(id: id, bytes: evidence, failure: nil))
            } catch {
                send(.answer(id: id, bytes: [], failure: error.description))
            }
        case .sealingKey(let id, let label):
            let key = platform.sealingKey(measurement: managerMeasurement.digest, label: label)
            send(.answer(id: id, bytes: key, failure: nil))
        case .startWorker(let id): requestWorker(id)
        case .log(let level, let message):
            log(Logger.Level(rawValue: level) ?? .info, "\(message)", ["from": "manager"])
        case .ready:
            onReady?()
            onReady = nil
        }
    }

    private func handOver(_ manager: pid_t) throws(HostError) {
        try managerMeasurement.check(process: manager)
        var descriptors = listeners + [dataFolder]
        var process: UInt32 = 0
        var link: CInt = -1
        if workerImage != nil {
            (link, process) = try startWorker()
            descriptors.append(link)
        }
        defer { Descriptor.close(link) }
        let fields = HandOverFields(
            configuration: settings.configuration, sandbox: settings.sandbox,
            managerMeasurement: managerMeasurement.digest,
            workerMeasurement: workerImage?.measurement.digest ?? [], worker: process,
            managerRestarts: managerRestarts)
        send(.handOver(fields), descriptors)
    }

    private func connect(_ id: UInt64, _ host: String, _ port: UInt16, _ timeout: UInt32) {
        guard connecting < Self.connectingMax else {
            return send(.connected(id: id, failure: "too many connections are being opened"))
        }
        let mailbox = mailbox
        do throws(HostError) {
            try HostThread.start("connect") {
                let result = Result { () throws(HostError) in
                    try Connector.connect(host: host, port: port, timeoutMilliseconds: min(timeout, 60_000))
                }
                mailbox.post(.connected(id: id, result))
            }.detach()
            connecting += 1
        } catch {
            send(.connected(id: id, failure: error.description))
        }
    }

    private func send(_ event: ControlEvent, _ descriptors: [CInt] = []) {
        do throws(HostError) {
            try channel?.send(event.encoded(), descriptors: descriptors)
        } catch {
            log(.warning, "the manager does not listen", ["reason": "\(error)"])
            channel = nil
        }
    }

    // MARK: The worker

    private func startWorker() throws(HostError) -> (link: CInt, process: UInt32) {
        guard let image = workerImage, let program = settings.worker else {
            throw .configuration("the worker runs inside the manager")
        }
        let (ours, theirs) = try Descriptor.streamPair()
        defer { Descriptor.close(theirs) }
        do throws(HostError) {
            let child = try ChildProcess(
                executable: image.file, arguments: [program.path] + program.arguments,
                environment: environment + ["ENTENTE_SANDBOX=\(settings.sandbox.rawValue)"], descriptors: [theirs])
            let process = child.process
            try WorkerHost.admit(ours, process: process, measurement: image.measurement)
            worker = child
            workerStartedAt = HostClock.monotonicMicroseconds()
            log(.info, "worker started", ["process": "\(process)", "measurement": "\(hex(image.measurement.digest))"])
            return (ours, UInt32(process))
        } catch {
            Descriptor.close(ours)
            throw error
        }
    }

    private func requestWorker(_ id: UInt64) {
        let now = HostClock.monotonicMicroseconds()
        let lived = now - workerStartedAt
        if lived >= UInt64(settings.restartMillisecondsMax) * 1000 { restartWait = settings.restartMilliseconds }
        log(
            .warning, "a worker will be started again",
            ["livedMilliseconds": "\(lived / 1000)", "waitMilliseconds": "\(restartWait)"])
        pendingStarts.append((id, now + UInt64(restartWait) * 1000))
        restartWait = min(restartWait * 2, settings.restartMillisecondsMax)
        // Its socket may have ended a moment before the process. The manager knows, since it asks for another.
        if let old = worker { logEnd(old.process, old.end()) }
        worker = nil
    }

    private func startDueWorkers() {
        let now = HostClock.monotonicMicroseconds()
        for start in pendingStarts where start.due <= now {
            do throws(HostError) {
                let (link, process) = try startWorker()
                send(.workerStarted(id: start.id, process: process, failure: nil), [link])
                Descriptor.close(link)
            } catch {
                send(.workerStarted(id: start.id, process: 0, failure: error.description))
            }
        }
        pendingStarts.removeAll { $0.due <= now }
    }

    private func checkWorker() {
        guard let process = worker?.process, let status = worker?.poll() else { return }
        worker = nil
        logEnd(process, status)
        send(.workerExited(process: UInt32(process), description: status.description))
    }

    private func logEnd(_ process: pid_t, _ status: ProcessEnd) {
        log(stopDeadline == nil ? .warning : .info, "worker ended", ["process": "\(process)", "status": "\(status)"])
    }

    // MARK: Stopping

    private func stopRequested(_ signal: CInt, _ manager: pid_t) throws(HostError) {
        guard signal > 0 else { return }
        if stopDeadline != nil {
            log(.warning, "stopping at once", [:])
            kill(manager, SIGKILL)
        } else {
            log(.info, "stopping", ["signal": "\(signal)"])
            beginStop()
        }
    }

    private func beginStop() {
        guard stopDeadline == nil else { return }
        stopDeadline = HostClock.monotonicMicroseconds() + UInt64(settings.stopMilliseconds) * 1000
        send(.shutdown(graceMilliseconds: settings.stopMilliseconds))
    }

    private func managerEnded(_ status: ProcessEnd) -> CInt {
        let expected = status == .exited(0)
        log(expected ? .info : .error, "manager ended", ["status": "\(status)"])
        return status.code
    }

    /// A crash must not print memory, so Swift's backtraces stay off.
    private var environment: [String] { settings.environment + ["SWIFT_BACKTRACE=enable=no"] }

    private func log(_ level: Logger.Level, _ message: Logger.Message, _ metadata: Logger.Metadata) {
        logger.log(level: level, message, metadata: metadata)
    }

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Notes from other threads, with a descriptor that becomes readable.
    private final class Mailbox: Sendable {
        let descriptor: CInt
        private let notes = Monitor<[Note]>([])

        init() throws(HostError) {
            descriptor = host_shim_event()
            guard descriptor >= 0 else { throw .system("eventfd", -descriptor) }
        }

        deinit { Descriptor.close(descriptor) }

        func post(_ note: Note) {
            notes.update { $0.append(note) }
            host_shim_event_post(descriptor)
        }

        func take() -> [Note] {
            host_shim_event_take(descriptor)
            return notes.update { notes in
                defer { notes = [] }
                return notes
            }
        }
    }
}
