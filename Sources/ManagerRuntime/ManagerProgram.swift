internal import AdapterKit
internal import Attestation
internal import Constitution
internal import Glibc
internal import Host
internal import Identity
internal import Logging
internal import Manager
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOPosix
internal import Primitives
internal import Transport

/// The whole life of a manager process: takes over from the launcher, locks itself in, unseals its state and runs the
/// node until it is told to stop.
/// - Parameter inline: the worker of a program that has it inside (`isolation: inline`); nil for a manager whose worker is
///   a process of its own.
/// - Returns: the exit code: 0 after a clean stop, else one of ``ManagerExit``.
public func runManager(inline: InlineWorker? = nil) -> CInt {
    var form = LogForm.text
    do {
        let (host, handOver) = try ManagerHost.takeOver()
        let folder = Directory(descriptor: handOver.dataFolder)
        let settings = try NodeSettings(decoding: handOver.fields.configuration)
        form = LogForm(rawValue: settings.logFormat.rawValue) ?? .text
        // Afterwards neither a socket pair can be made nor the system's random device opened.
        let inside = try inline.map {
            try InlineLink($0, hasWorker: handOver.worker != nil, threads: settings.workerThreads)
        }
        guard inside != nil || handOver.worker != nil else {
            throw HostError.configuration("this program has no worker inside; isolation: inline wants entente-node")
        }
        JSON.seedParser(UInt32.random(in: 1...UInt32.max))
        let report = try Sandbox.apply(
            .manager(dataFolder: handOver.dataFolder), mode: handOver.fields.sandbox)
        // Nothing may start a thread before the sandbox is in place.
        let logger = makeLogger(settings, form)
        for missing in report.missing {
            logger.warning("a part of the sandbox is missing", metadata: ["what": "\(missing)"])
        }
        let program = ManagerProgram(
            host: host, handOver: handOver, inside: inside, folder: folder, settings: settings, logger: logger)
        return program.run()
    } catch {
        form.writeFailure(label: "entente-manager", "\(error)")
        return ManagerExit.failed
    }
}

private func makeLogger(_ settings: NodeSettings, _ form: LogForm) -> Logger {
    LoggingSystem.bootstrap { form.handler(label: $0) }
    var logger = Logger(label: "entente-manager")
    logger.logLevel = Logger.Level(rawValue: settings.logLevel.rawValue) ?? .info
    if !settings.name.isEmpty { logger[metadataKey: "node"] = "\(settings.name)" }
    return logger
}

/// See ``runManager()``.
final class ManagerProgram: Sendable {
    private let host: ManagerHost
    private let handOver: HandOver
    private let inside: InlineLink?
    private let folder: Directory
    private let settings: NodeSettings
    private let logger: Logger
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let inbox = HostInbox()

    init(
        host: ManagerHost, handOver: HandOver, inside: InlineLink?, folder: Directory, settings: NodeSettings,
        logger: Logger
    ) {
        self.host = host
        self.handOver = handOver
        self.inside = inside
        self.folder = folder
        self.settings = settings
        self.logger = logger
    }

    /// Blocks until the node has stopped.
    func run() -> CInt {
        let result = group.any().makePromise(of: CInt.self)
        group.any().makeFutureWithTask { try await self.start(result) }.whenFailure { error in
            self.logger.critical("the node can't start", metadata: ["reason": "\(error)"])
            result.succeed((error as? HostError)?.isStorage == true ? ManagerExit.disk : ManagerExit.failed)
        }
        return (try? result.futureResult.wait()) ?? ManagerExit.failed
    }

    private func start(_ result: EventLoopPromise<CInt>) async throws {
        try host.start { self.inbox.deliver($0) }
        let seal = SealFile(folder: folder, key: try await host.sealingKey(label: "entente/v1/node"))
        if settings.task == .initialise {
            try await initialise(seal)
            return result.succeed(0)
        }
        do {
            try folder.replace("manager.pid", with: Array(String(getpid()).utf8))
        } catch {
            // A node with a full disk starts all the same: it reads, and writes when there is room.
            logger.warning("manager.pid can't be written", metadata: ["reason": "\(error)"])
        }
        // A node that joins may know no more than the network's id; its owner approves the constitution later.
        let constitution =
            settings.genesis.isEmpty && !settings.networkID.isEmpty
            ? Constitution(unknownTo: settings.networkID) : try Constitution(genesis: settings.genesis)
        guard settings.networkID.isEmpty || settings.networkID == constitution.networkID else {
            throw HostError.configuration("the genesis is that of network \(constitution.networkID)")
        }
        guard let bytes = try seal.read() else {
            throw ManagerError.sealed("this node was not initialised: run `entente node init` first")
        }
        let sealed = try SealedState(decoding: bytes)
        let key = try SigningKey(rawRepresentation: sealed.nodeKey)
        let start: ManagerStart =
            !sealed.networkKey.isEmpty ? .restart(sealed) : settings.foundsNetwork ? .found : .join(sealed)
        let meter = StageMeter(clock: HostClock.threadNanoseconds)
        let manager = try Manager(
            settings: managerSettings, node: NodeIdentity(key: key), constitution: constitution, start: start,
            random: HostRandomBytes(), meter: meter)
        let coordinator = Coordinator(
            manager: manager, host: host, handOver: handOver, dataFolder: folder, eventLoop: group.any(),
            logger: logger, key: key, meter: meter,
            limits: listenerLimits, nodeLimits: FrameLimits(settings.node.limits),
            startWorker: { self.startWorker($0) },
            exit: { code in
                result.succeed(code == 0 && self.inside?.hasEnded == true ? ManagerExit.again : code)
            })
        inbox.onEvent { event in
            if case .shutdown = event { coordinator.stop() }
            if case .lost = event { coordinator.stop() }
        }
        try await coordinator.begin(
            folder: folder.folder("ledger", create: true), seal: seal,
            chunkBytes: Int(clamping: constitution.parameters.ledgerChunkBytes), certificate: selfSigned(key))
    }
}

extension ManagerProgram {
    /// Brings the next worker: the one inside, the one that came with the hand-over, or a new one. The one inside can't
    /// be had twice, since what it left of this process's memory is in doubt: the process stops and starts again.
    private func startWorker(_ done: @escaping @Sendable (Result<WorkerLink, HostError>) -> Void) {
        if let inside {
            guard let result = inside.start(logger) else {
                logger.error("the worker inside ended; the node stops and is started again")
                return inbox.deliver(.shutdown(graceMilliseconds: 0))
            }
            return done(result)
        }
        if let worker = inbox.takeFirstWorker(handOver) { return done(.success(worker)) }
        host.startWorker(completion: done)
    }

    /// `entente node init`: makes the node key unless there is one, seals it, and leaves what its owner needs in the
    /// data folder.
    private func initialise(_ seal: SealFile) async throws {
        let key: SigningKey
        if let bytes = try seal.read() {
            key = try SigningKey(rawRepresentation: SealedState(decoding: bytes).nodeKey)
        } else {
            key = try SigningKey(rawRepresentation: HostRandom.bytes(32))
            try seal.write(SealedState(nodeKey: key.rawRepresentation).encoded())
        }
        let worker = handOver.fields.workerMeasurement
        let evidence = try await host.evidence(
            reportData: ReportData.initial(nodeKey: key.publicKey.spki, workerMeasurement: worker))
        let identity: JSON = [
            "nodeID": .string(key.publicKey.id), "publicKey": .string(key.publicKey.pem),
            "managerMeasurement": .string(Hex.encode(handOver.fields.managerMeasurement)),
            "workerMeasurement": .string(Hex.encode(worker)), "platform": "software",
            "evidence": .string(Hex.encode(evidence)),
        ]
        try folder.replace("identity.json", with: identity.serialized())
    }

    private var managerSettings: ManagerSettings {
        var manager = ManagerSettings()
        manager.requestsWaitingMax = Int(clamping: settings.requestsWaitingMax)
        manager.requestTimeoutMicroseconds = min(settings.requestTimeoutMilliseconds, 1 << 40) * 1_000
        manager.peers = settings.peers
        manager.address = settings.node.publicAddress
        manager.code = NodeCode(
            platform: .software, manager: handOver.fields.managerMeasurement, worker: handOver.fields.workerMeasurement)
        manager.managerRestarts = UInt64(handOver.fields.managerRestarts)
        return manager
    }

    private var listenerLimits: [Listener: HTTPLimits] {
        [
            .application: HTTPLimits(settings.application.limits),
            .administration: HTTPLimits(settings.administration.limits),
        ]
    }

    /// The certificate that other nodes see in TLS: it carries the node key, which the handshake on top judges. Clients
    /// of administration see it until the network has endorsed another.
    private func selfSigned(_ key: SigningKey) throws -> X509Certificate {
        var serial = HostRandom.bytes(16)
        serial[0] = serial[0] & 0x7F | 0x40
        let now = HostClock.wallMilliseconds()
        let request = CertificateRequest(
            commonName: key.publicKey.id, purpose: .node, serial: serial, notBefore: now - min(now, 86_400_000),
            notAfter: now + 10 * 365 * 86_400_000,
            alternativeNames: Names.split(address: settings.node.publicAddress).map {
                [Manager.alternativeName($0.host)]
            } ?? [])
        return try X509Certificate.selfSigned(request, key: key)
    }
}

/// The kernel's random bytes.
struct HostRandomBytes: RandomBytes, Sendable {
    mutating func next(_ count: Int) -> [UInt8] { HostRandom.bytes(count) }
}

/// What the launcher says, kept until somebody listens.
final class HostInbox: Sendable {
    private struct State: Sendable {
        var early: [HostEvent] = []
        var listener: (@Sendable (HostEvent) -> Void)?
        var hasGivenFirstWorker = false
    }

    private let state = NIOLockedValueBox(State())

    func deliver(_ event: HostEvent) {
        let listener = state.withLockedValue { state in
            if state.listener == nil { state.early.append(event) }
            return state.listener
        }
        listener?(event)
    }

    func onEvent(_ listener: @escaping @Sendable (HostEvent) -> Void) {
        let early = state.withLockedValue { state in
            state.listener = listener
            defer { state.early = [] }
            return state.early
        }
        for event in early { listener(event) }
    }

    /// The worker that came with the hand-over, once.
    func takeFirstWorker(_ handOver: HandOver) -> WorkerLink? {
        state.withLockedValue { state in
            defer { state.hasGivenFirstWorker = true }
            return state.hasGivenFirstWorker ? nil : handOver.worker
        }
    }
}

extension FrameLimits {
    /// The limits of node.yaml for the node listener.
    init(_ limits: ListenerLimits) {
        self.init()
        connectionsMax = Int(clamping: limits.connectionsMax)
        outboundBytesMax = Int(clamping: limits.outboundBytesMax)
        handshakeTimeout = .milliseconds(Int64(clamping: limits.handshakeTimeoutMilliseconds))
    }
}

extension HTTPLimits {
    /// The limits of node.yaml.
    init(_ limits: ListenerLimits) {
        self.init()
        connectionsMax = Int(clamping: limits.connectionsMax)
        bodyBytesMax = Int(clamping: limits.bodyBytesMax)
        bodyBytesTotalMax = Int(clamping: limits.bodyBytesTotalMax)
        headerBytesMax = Int(clamping: limits.headerBytesMax)
        headerCountMax = Int(clamping: limits.headerCountMax)
        targetBytesMax = Int(clamping: limits.targetBytesMax)
        requestsMax = Int(clamping: limits.requestsMax)
        requestsPerConnectionMax = Int(clamping: limits.requestsPerConnectionMax)
        handshakeTimeout = .milliseconds(Int64(clamping: limits.handshakeTimeoutMilliseconds))
        idleTimeout = .milliseconds(Int64(clamping: limits.idleTimeoutMilliseconds))
        headerTimeout = .milliseconds(Int64(clamping: limits.headerTimeoutMilliseconds))
        bodyTimeout = .milliseconds(Int64(clamping: limits.bodyTimeoutMilliseconds))
        writeTimeout = .milliseconds(Int64(clamping: limits.writeTimeoutMilliseconds))
    }
}
