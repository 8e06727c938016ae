public import Primitives

/// A distributed key generation as everyone sees it: a pure state machine over the messages on the ledger. All who apply the
/// same messages at the same positions come to the same verdicts, the same set of dealers and the same keys.
///
/// Rounds end at their positions in the schedule, or as soon as everyone has spoken. A dealer that misbehaves in public
/// is disqualified; one that cheats a receiver is so by the receiver's complaint, which everyone can check without
/// asking anyone.
public struct KeyGeneration: Hashable, Sendable {
    /// Where the generation stands.
    public enum Phase: Hashable, Sendable {
        /// Dealers commit to their dealings.
        case commit
        /// Dealers publish them.
        case deal
        /// Receivers object.
        case complain
        /// Keys are known; receivers prove that they hold their shares.
        case ready
        /// There will be no key of this generation.
        case failed(Failure)
    }

    /// Why a generation came to nothing.
    public enum Failure: Hashable, Sendable {
        /// Fewer dealings stand than must.
        case tooFewDealers
        /// A share or key came out as the identity.
        case degenerate
        /// Fewer than M actors proved in time that they hold their share.
        case tooFewReady
    }

    /// What an actor did wrong, for all to see.
    public enum Fault: Hashable, Sendable {
        /// Dealt something else than it had committed to.
        case equivocation
        /// Dealt a polynomial of another degree.
        case wrongDegree
        /// Dealt to more or fewer than the roster.
        case wrongReceivers
        /// A proof in its message is false.
        case badProof
        /// Committed to a dealing that it didn't publish in time.
        case withheldDealing
        /// Dealt a share that does not open or does not fit: a complaint was upheld.
        case badShare
        /// Complained of a share that is good.
        case falseComplaint
    }

    /// A fault, in the order of the ledger.
    public struct FaultRecord: Hashable, Sendable {
        /// Who.
        public let actor: ShareIndex
        /// What.
        public let fault: Fault
        /// Ledger position at which it was found.
        public let position: UInt64
    }

    /// What becomes of a message.
    public enum Verdict: Hashable, Sendable {
        /// It counts.
        case accepted
        /// It counts as if it had not been sent.
        case refused(Refusal)
        /// It is on record against its sender; a dealer's dealings don't count any more.
        case faulty(Fault)
        /// A complaint message counts, and these are the rulings, one for each complaint that was looked at.
        case ruled([Ruling])
    }

    /// Why a message does not count.
    public enum Refusal: Hashable, Sendable {
        /// It belongs to another generation, network, roster or try.
        case stale
        /// Its sender has no part in that round, or is not who signed it.
        case notEntitled
        /// Its round is not on.
        case wrongPhase
        /// The sender has spoken in that round.
        case duplicate
        /// The position is before that of an earlier message.
        case outOfOrder
    }

    /// The outcome of one complaint.
    public struct Ruling: Hashable, Sendable {
        /// Against whom.
        public let dealer: ShareIndex
        /// What was decided.
        public let outcome: Outcome

        /// A ruling.
        public init(dealer: ShareIndex, outcome: Outcome) {
            self.dealer = dealer
            self.outcome = outcome
        }

        /// What a complaint can come to.
        public enum Outcome: Hashable, Sendable {
            /// The dealer is disqualified.
            case upheld
            /// The share is good or the proof false: the complainant is at fault, and its further complaints are not
            /// looked at.
            case rejected
            /// There is no standing dealing to complain of.
            case moot
        }
    }

    /// What it is about.
    public let context: GenerationContext
    /// Where it stands.
    public private(set) var phase: Phase = .commit
    /// Faults in the order of the ledger.
    public private(set) var faults: [FaultRecord] = []
    /// The keys, once complaints are over. Nothing may be encrypted to them before ``isFinal``.
    public private(set) var keys: PublicKeySet?
    private var commitments: [ShareIndex: Bytes32] = [:]
    private var dealings: [ShareIndex: Dealing] = [:]
    private var disqualified: Set<ShareIndex> = []
    private var complainants: Set<ShareIndex> = []
    private var readiness: [ShareIndex: Bytes32] = [:]
    private var position: UInt64

    /// A generation just opened.
    public init(_ context: GenerationContext) {
        self.context = context
        position = context.openedAt
    }

    /// Whether M actors have proved that they hold their share: from here on what is encrypted can be opened.
    public var isFinal: Bool { phase == .ready && readiness.count >= context.roster.threshold }

    /// Dealers whose dealings stand (QUAL), by index.
    public var qualified: [ShareIndex] { standing.map(\.dealer) }

    /// Actors that proved possession, by index, and the digests of their share files.
    public var ready: [(index: ShareIndex, fileDigest: Bytes32)] {
        context.roster.members.compactMap { member in readiness[member.index].map { (member.index, $0) } }
    }

    package var standing: [Dealing] {
        context.dealers.members.compactMap { disqualified.contains($0.index) ? nil : dealings[$0.index] }
    }

    /// Closes what ends before a ledger position. Applying a message does it too.
    public mutating func advance(to position: UInt64) {
        guard position >= self.position else { return }
        self.position = position
        closeIfDue()
    }

    /// Applies a message that `actor` signed, at its position on the ledger.
    public mutating func apply(_ message: GenerationMessage, from actor: String, at position: UInt64) -> Verdict {
        guard position >= self.position else { return .refused(.outOfOrder) }
        advance(to: position)
        guard message.contextDigest == context.digest else { return .refused(.stale) }
        let verdict: Verdict
        switch message.body {
        case .commit(let digest):
            guard context.dealers[actor: actor]?.index == message.sender else { return .refused(.notEntitled) }
            verdict = commit(digest, message.sender)
        case .deal(let dealing):
            guard context.dealers[actor: actor]?.index == message.sender else { return .refused(.notEntitled) }
            verdict = deal(dealing, message.sender)
        case .complain(let complaints):
            guard let receiver = context.roster[actor: actor], receiver.index == message.sender else {
                return .refused(.notEntitled)
            }
            verdict = complain(complaints, receiver)
        case .ready(let proof):
            guard context.roster[actor: actor]?.index == message.sender else { return .refused(.notEntitled) }
            verdict = ready(proof, message.sender)
        }
        closeIfDue()
        return verdict
    }

    private mutating func commit(_ digest: Bytes32, _ sender: ShareIndex) -> Verdict {
        guard phase == .commit else { return .refused(.wrongPhase) }
        guard commitments[sender] == nil else { return .refused(.duplicate) }
        commitments[sender] = digest
        return .accepted
    }

    private mutating func deal(_ dealing: Dealing, _ sender: ShareIndex) -> Verdict {
        guard phase == .deal else { return .refused(.wrongPhase) }
        guard let commitment = commitments[sender] else { return .refused(.notEntitled) }
        guard dealings[sender] == nil, !disqualified.contains(sender) else { return .refused(.duplicate) }
        if dealing.dealer != sender || dealing.digest != commitment { return disqualify(sender, .equivocation) }
        if let fault = dealing.fault(in: context) { return disqualify(sender, fault) }
        dealings[sender] = dealing
        return .accepted
    }

    private mutating func disqualify(_ dealer: ShareIndex, _ fault: Fault) -> Verdict {
        disqualified.insert(dealer)
        faults.append(FaultRecord(actor: dealer, fault: fault, position: position))
        return .faulty(fault)
    }

    private mutating func complain(_ complaints: [Complaint], _ receiver: RosterMember) -> Verdict {
        guard phase == .complain else { return .refused(.wrongPhase) }
        guard complainants.insert(receiver.index).inserted else { return .refused(.duplicate) }
        guard !complaints.isEmpty else { return .accepted }
        var rulings: [Ruling] = []
        for complaint in complaints {
            guard let dealing = dealings[complaint.dealer], !disqualified.contains(complaint.dealer) else {
                rulings.append(Ruling(dealer: complaint.dealer, outcome: .moot))
                continue
            }
            let statement = Complaint.statement(context, dealing, receiver, complaint.shared)
            let isProved = statement.isProved(by: complaint.proof)
            if isProved, goodShare(of: dealing, receiver, complaint.shared) == nil {
                _ = disqualify(complaint.dealer, .badShare)
                rulings.append(Ruling(dealer: complaint.dealer, outcome: .upheld))
            } else {
                let fault: Fault = isProved ? .falseComplaint : .badProof
                faults.append(FaultRecord(actor: receiver.index, fault: fault, position: position))
                rulings.append(Ruling(dealer: complaint.dealer, outcome: .rejected))
                break
            }
        }
        return .ruled(rulings)
    }

    /// The share that a dealing holds for a receiver, if it opens and fits the commitment.
    func goodShare(of dealing: Dealing, _ receiver: RosterMember, _ shared: RistrettoElement) -> SecretScalar? {
        guard let share = openedShare(of: dealing, receiver, shared),
            share.timesGenerator == dealing.polynomial(in: context).value(at: receiver.index)
        else { return nil }
        return share
    }

    /// The share that a dealing holds for a receiver, if it opens.
    func openedShare(of dealing: Dealing, _ receiver: RosterMember, _ shared: RistrettoElement) -> SecretScalar? {
        guard let place = context.roster.members.firstIndex(of: receiver), place < dealing.sealedShares.count else {
            return nil
        }
        return ShareEnvelope(
            context: context, dealer: dealing.dealer, commitments: dealing.commitments,
            ephemeralKey: dealing.ephemeralKey, receiver: receiver
        ).open(dealing.sealedShares[place], shared: shared)
    }

    private mutating func ready(_ proof: Readiness, _ sender: ShareIndex) -> Verdict {
        guard phase == .ready, let keys else { return .refused(.wrongPhase) }
        guard readiness[sender] == nil else { return .refused(.duplicate) }
        guard Readiness.statement(keys, sender, proof.fileDigest).isProved(by: proof.proof) else {
            faults.append(FaultRecord(actor: sender, fault: .badProof, position: position))
            return .faulty(.badProof)
        }
        readiness[sender] = proof.fileDigest
        return .accepted
    }

    private mutating func closeIfDue() {
        if phase == .commit,
            position > context.schedule.commitUntil || commitments.count == context.dealers.members.count
        {
            phase = commitments.count < context.dealerCountMin ? .failed(.tooFewDealers) : .deal
        }
        if phase == .deal {
            let isComplete = commitments.keys.allSatisfy { dealings[$0] != nil || disqualified.contains($0) }
            if position > context.schedule.dealUntil || isComplete {
                for member in context.dealers.members where commitments[member.index] != nil {
                    guard dealings[member.index] == nil, !disqualified.contains(member.index) else { continue }
                    _ = disqualify(member.index, .withheldDealing)
                }
                phase = standing.count < context.dealerCountMin ? .failed(.tooFewDealers) : .complain
            }
        }
        if phase == .complain,
            position > context.schedule.complainUntil || complainants.count == context.roster.members.count
        {
            finish()
        }
        if phase == .ready, !isFinal, position > context.schedule.readyUntil { phase = .failed(.tooFewReady) }
    }

    private mutating func finish() {
        guard standing.count >= context.dealerCountMin else {
            phase = .failed(.tooFewDealers)
            return
        }
        // Only an identity among the results makes this fail, or an old key set whose shares don't belong together.
        guard let keys = try? PublicKeySet(context: context, dealings: standing) else {
            phase = .failed(.degenerate)
            return
        }
        self.keys = keys
        phase = .ready
    }
}
