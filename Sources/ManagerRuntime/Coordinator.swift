internal import AdapterKit
internal import Attestation
internal import Consensus
internal import Constitution
internal import Host
internal import Identity
internal import Logging
internal import Manager
internal import NIOCore
internal import Primitives
internal import Transport

/// Runs a ``Manager``: feeds it what happens, with the time, and carries out its effects.
///
/// Everything here happens on one event loop; the disk has a thread of its own and reports back to the loop.
final class Coordinator: @unchecked Sendable {
    private var manager: Manager
    private let host: ManagerHost
    private let handOver: HandOver
    private let dataFolder: Directory
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let key: SigningKey
    private let meter: StageMeter
    private let limits: [Listener: HTTPLimits]
    private let nodeLimits: FrameLimits
    private var disk: LedgerDisk?
    private var snapshots: SnapshotDisk?
    private var links: PeerLinks?
    private var front: ClientFront?
    private var worker: WorkerChannel?
    private let outside: OutsideCaller
    private let startWorker: (@escaping @Sendable (Result<WorkerLink, HostError>) -> Void) -> Void
    private var timer: Scheduled<Void>?
    private var timerDeadline: UInt64 = .max
    private var isStopping = false
    /// The application listener is open, or being opened: a descriptor can be taken over once only.
    private var isServing = false
    /// Inputs that came while effects of an earlier one were being carried out.
    private var waiting: [ManagerInput] = []
    private var isHandling = false
    /// What comes before the manager has begun waits: a peer may connect while the listeners are still being opened.
    private var hasBegun = false
    /// Entries of this turn of the loop, for the disk; they share one write and one sync.
    private var appends: (entries: [LogEntry], ticket: UInt64) = ([], 0)
    private let exit: (CInt) -> Void

    init(
        manager: Manager, host: ManagerHost, handOver: HandOver, dataFolder: Directory, eventLoop: any EventLoop,
        logger: Logger,
        key: SigningKey, meter: StageMeter, limits: [Listener: HTTPLimits], nodeLimits: FrameLimits,
        startWorker: @escaping (@escaping @Sendable (Result<WorkerLink, HostError>) -> Void) -> Void,
        exit: @escaping (CInt) -> Void
    ) {
        self.manager = manager
        self.host = host
        self.handOver = handOver
        self.dataFolder = dataFolder
        self.eventLoop = eventLoop
        self.logger = logger
        self.key = key
        self.meter = meter
        self.limits = limits
        self.nodeLimits = nodeLimits
        self.startWorker = startWorker
        self.exit = exit
        outside = OutsideCaller(host: host, eventLoop: eventLoop)
    }

    /// Opens files, the node listener and administration, then lets the manager begin. Administration shows the node's
    /// own certificate until the network has endorsed one, so that a node that waits or has stopped can say why.
    func begin(folder: Directory, seal: SealFile, chunkBytes: Int, certificate: X509Certificate) async throws {
        let disk = try LedgerDisk(
            folder: folder, seal: seal, chunkBytes: chunkBytes, eventLoop: eventLoop
        ) { self.take($0) }
        let snapshots = try SnapshotDisk(
            folder: dataFolder.folder("snapshots", create: true), secret: HostRandom.bytes(32), eventLoop: eventLoop
        ) { self.handle(.snapshot($0)) }
        for line in disk.healing { logger.warning("the ledger was mended", metadata: ["what": "\(line)"]) }
        let links = try PeerLinks(
            key: key, certificate: certificate, workerMeasurement: handOver.fields.workerMeasurement,
            limits: nodeLimits, host: host, eventLoop: eventLoop, logger: logger,
            rule: { self.manager.peerRule },
            event: { self.take($0) })
        let front = ClientFront(
            eventLoop: eventLoop, logger: logger,
            authenticate: { chain in
                switch self.manager.authenticate(chain, at: HostClock.wallMilliseconds()) {
                case .success(let actor): .success(actor)
                case .failure(let error): .failure(.init(reason: "\(error)"))
                }
            },
            submit: { self.handle(.request($0)) })
        let worker = WorkerChannel { self.take($0) }
        try await eventLoop.submit {
            self.disk = disk
            self.snapshots = snapshots
            self.links = links
            self.front = front
            self.worker = worker
        }.get()
        publish("node.pem", certificate.pem)
        try await front.serve(
            identity: identity(certificate.pem),
            listeners: [
                (.administration, handOver.administrationListener, limits[.administration] ?? HTTPLimits())
            ])
        try await links.listen(descriptor: handOver.nodeListener)
        eventLoop.execute {
            self.hasBegun = true
            self.waiting.insert(.begin, at: 0)
            self.handle([])
            self.newWorker()
            self.lookForApproval()
        }
    }

    /// What the owner of a node that joins has signed lies in the data folder once it has.
    private func lookForApproval() {
        guard !isStopping, manager.awaitsAdmission else { return }
        // One approval may not be the last: members may vote again before the node is let in.
        if manager.wantsApproval, (try? dataFolder.size(Self.approvalFile)) != nil,
            let bytes = try? dataFolder.read(Self.approvalFile, limit: NodeApproval.byteCountMax)
        {
            handle(.approval(bytes))
        }
        eventLoop.scheduleTask(in: .milliseconds(500)) { self.lookForApproval() }
    }

    /// Where `entente node approve` leaves the owner's word.
    private static let approvalFile = "approval.cose"

    /// Stops cleanly.
    func stop() {
        eventLoop.execute {
            guard !self.isStopping else { return }
            self.isStopping = true
            self.handle(.shutdown)
            self.flushAppends()
            let done = self.eventLoop.makeFutureWithTask {
                self.outside.stop()
                await self.front?.stop()
                await self.disk?.stop()
                await self.snapshots?.stop()
            }
            done.whenComplete { _ in self.exit(0) }
        }
    }

    private func handle(_ input: ManagerInput) { handle([input]) }

    /// Inputs that came together, and all that came of them.
    private func handle(_ inputs: [ManagerInput]) {
        waiting += inputs
        guard hasBegun, !isHandling else { return }
        isHandling = true
        while !waiting.isEmpty {
            let next = waiting
            waiting = []
            for effect in manager.handle(next, at: now) { perform(effect) }
        }
        isHandling = false
        schedule()
    }

    private var now: ClockReading {
        ClockReading(monotonic: HostClock.monotonicMicroseconds(), wall: HostClock.wallMilliseconds())
    }

    /// Sets the timer to the manager's next deadline.
    private func schedule() {
        let deadline = manager.deadline
        guard deadline < .max, deadline < timerDeadline || timer == nil else { return }
        timer?.cancel()
        timerDeadline = deadline
        let wait = deadline - min(deadline, HostClock.monotonicMicroseconds())
        timer = eventLoop.scheduleTask(in: .microseconds(Int64(clamping: min(wait, 1_000_000)))) {
            self.timer = nil
            self.timerDeadline = .max
            self.links?.expire()
            self.handle(.tick)
        }
    }

    private func perform(_ effect: ManagerEffect) {
        switch effect {
        case .respond(let token, let response): front?.respond(token, response)
        case .send(let peer, let bytes): links?.send(bytes, to: peer)
        case .dial(let address): if !isStopping { links?.dial(address) }
        case .disconnect(let peer, let reason): links?.disconnect(peer, reason: reason)
        case .worker(let frame): worker?.send(frame)
        case .restartWorker(let reason):
            worker?.close(reason: reason)
            newWorker()
        case .append(let entries, let ticket): append(entries, ticket: ticket)
        case .truncate(let seqno, let ticket):
            flushAppends()
            disk?.truncate(to: seqno, ticket: ticket)
        case .resetLog(let seqno, let ticket):
            flushAppends()
            disk?.reset(to: seqno, ticket: ticket)
        case .surveyLedger:
            flushAppends()
            disk?.survey()
        case .snapshot(let job):
            flushAppends()
            snapshots?.perform(job)
        case .read(let first, let last, let bytesMax, let purpose):
            flushAppends()
            disk?.read(first: first, last: last, bytesMax: bytesMax, for: purpose)
        case .setAsideChunk(let seqno):
            flushAppends()
            disk?.setAside(chunkOf: seqno)
        case .restoreChunk(let range, let entries): disk?.restore(range, entries)
        case .seal(let bytes, let ticket):
            flushAppends()
            disk?.seal(bytes, ticket: ticket)
        case .committed(let seqno):
            flushAppends()
            disk?.commit(seqno: seqno)
        case .serve(let certificate, let network): serve(certificate, network)
        case .ask(let request): outside.ask(request) { self.handle(.heard(request.number, $0)) }
        case .checkSessions: front?.checkSessions()
        case .offerConstitution(let bytes):
            do { try dataFolder.replace("constitution.entente", with: bytes) } catch {
                logger.warning("the constitution can't be published", metadata: ["reason": "\(error)"])
            }
        case .log(let line): log(line)
        case .halt(let reason):
            logger.critical("the node can't go on", metadata: ["reason": "\(reason)"])
            exit(1)
        }
    }

    /// A ticket stands for all before it, so appends that come together are one to the disk.
    private func append(_ entries: [LogEntry], ticket: UInt64) {
        if appends.entries.isEmpty { eventLoop.execute { self.flushAppends() } }
        appends.entries += entries
        appends.ticket = ticket
    }

    /// Hands the entries of this turn over; everything else for the disk comes after them.
    private func flushAppends() {
        guard !appends.entries.isEmpty else { return }
        disk?.append(appends.entries, ticket: appends.ticket)
        appends.entries = []
    }

    private func serve(_ certificate: String, _ network: String) {
        publish("network.pem", network)
        guard let front else { return }
        let endorsed: TLSIdentity
        do {
            endorsed = try identity(certificate)
            try front.replaceIdentity(endorsed)
        } catch {
            logger.critical("the node's certificate can't be used", metadata: ["reason": "\(error)"])
            return exit(ManagerExit.failed)
        }
        guard !isServing else { return }
        isServing = true
        let application = (Listener.application, handOver.applicationListener, limits[.application] ?? HTTPLimits())
        eventLoop.makeFutureWithTask {
            try await front.serve(identity: endorsed, listeners: [application])
        }.whenComplete { result in
            switch result {
            case .success: self.host.ready()
            case .failure(let error):
                self.logger.critical("the listeners can't be opened", metadata: ["reason": "\(error)"])
                self.exit(1)
            }
        }
    }

    private func identity(_ certificate: String) throws -> TLSIdentity {
        try TLSIdentity(certificateChainPEM: Array(certificate.utf8), privateKeyPEM: Array(key.pem.utf8))
    }

    /// Leaves a public text in the data folder for the node's owner.
    private func publish(_ name: String, _ text: String) {
        do {
            try dataFolder.replace(name, with: Array(text.utf8))
        } catch {
            logger.warning("a file can't be written", metadata: ["name": "\(name)", "reason": "\(error)"])
        }
    }

    private func newWorker() {
        guard !isStopping else { return }
        startWorker { result in
            self.eventLoop.execute {
                switch result {
                case .success(let link):
                    if link.process != 0 { self.publish("worker.pid", String(link.process)) }
                    self.worker?.open(descriptor: link.descriptor, eventLoop: self.eventLoop, logger: self.logger)
                case .failure(let error):
                    self.logger.error("no worker could be started", metadata: ["reason": "\(error)"])
                    self.eventLoop.scheduleTask(in: .seconds(1)) { self.newWorker() }
                }
            }
        }
    }

    private func log(_ line: LogLine) {
        let level: Logger.Level =
            switch line.level {
            case .debug: .debug
            case .info: .info
            case .warning: .warning
            case .error: .error
            }
        var metadata: Logger.Metadata = [:]
        for field in line.fields { metadata[field.name] = "\(field.value)" }
        logger.log(level: level, "\(line.message)", metadata: metadata)
    }

    // MARK: What the parts report

    private func take(_ report: LedgerDisk.Report) {
        switch report {
        case .persisted(let ticket):
            // Beside the loop there is the disk's thread and nothing else that counts.
            let all = HostClock.processMicroseconds() * 1_000
            let own = HostClock.threadNanoseconds()
            meter.note(beside: .replicate, total: all - min(all, own))
            handle(.logPersisted(ticket: ticket))
        case .sealed(let ticket): handle(.sealed(ticket: ticket))
        case .found(let seqnos): handle(.ledgerFound(seqnos))
        case .entries(let entries, let purpose): handle(.entries(entries, for: purpose))
        case .storage(let state): handle(.storage(state))
        case .damaged(let damage): handle(.ledgerDamaged(damage))
        case .restored(let range): handle(.chunkRestored(range))
        case .worksAgain:
            logger.warning("the disk that failed works again; the node starts anew and reads it")
            exit(ManagerExit.again)
        }
    }

    private func take(_ event: PeerLinks.Event) {
        switch event {
        case .connected(.verified(let peer)):
            let code = NodeCode(
                platform: peer.platform, manager: peer.measurement, worker: peer.workerMeasurement)
            handle(
                .peerConnected(
                    VerifiedNode(
                        id: peer.nodeID, owner: peer.owner, measurement: Hex.encode(peer.measurement), code: code)))
        case .connected(.claimed(let peer)):
            handle(
                .peerConnected(
                    VerifiedNode(
                        id: peer.nodeID, owner: "", measurement: Hex.encode(peer.claims.measurement), isClaimed: true)))
        case .refused(let reason, let isByPeer): handle(.peerRefused(reason: reason, isByPeer: isByPeer))
        case .disconnected(let peer): handle(.peerDisconnected(peer))
        case .messages(let frames, let peer): handle(frames.map { .message($0, from: peer) })
        }
    }

    private func take(_ event: WorkerChannel.Event) {
        switch event {
        case .opened: handle(.workerReady)
        case .replies(let frames): handle(frames.map { .workerReply($0) })
        case .lost(let reason):
            guard !isStopping else { return }
            handle(.workerDied(reason: reason))
            newWorker()
        }
    }
}
