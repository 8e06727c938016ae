public import Consensus

/// How long a commit takes when nodes are far from one another: real consensus cores over a simulated network whose delays
/// are those between places, with a fixed time for each sync of a disk. Everything is a function of the inputs.
public struct PlacementStudy: Sendable {
    /// The nodes' places, one for each node.
    public let places: [String]
    /// Who must have an entry, and who must agree to a leader.
    public let policy: QuorumPolicy
    /// Round trips between places.
    public let roundTrips: RoundTrips
    /// Time of a sync.
    public let sync: Microseconds

    /// A study.
    public init(places: [String], policy: QuorumPolicy, roundTrips: RoundTrips, sync: Microseconds = 1_000) {
        self.places = places
        self.policy = policy
        self.roundTrips = roundTrips
        self.sync = sync
    }

    /// Microseconds from the proposal of an entry with its signature, by a leader at `place`, to its commit there: one for
    /// each of `writes` writes, a quarter of a second apart.
    /// - Throws: ``ConsensusError`` for quorums that are not safe, or if no node at the place comes to lead.
    public func commitTimes(leaderAt place: String, writes: Int = 40) throws(ConsensusError) -> [Microseconds] {
        guard let index = places.firstIndex(of: place) else { throw .configuration("no node is at \(place)") }
        let ids = places.indices.map { "n\($0)" }
        var run = Run(study: self, ids: ids)
        try run.elect(ids[index])
        return try run.measure(ids[index], writes: writes)
    }

    private struct Run {
        enum Event {
            case letter(NetworkOfRafts.Letter)
            case sync(PeerID)
        }

        let study: PlacementStudy
        let ids: [PeerID]
        var network = NetworkOfRafts()
        var events = EventQueue<Event>()
        var syncing: Set<PeerID> = []

        init(study: PlacementStudy, ids: [PeerID]) {
            self.study = study
            self.ids = ids
        }

        mutating func elect(_ leader: PeerID) throws(ConsensusError) {
            network.begin(try Configuration(voters: ids, policy: study.policy))
            network.tick(leader, 2 * network.settings.electionTimeoutMax)
            network.deliver()
            guard network.leader == leader else { throw .configuration("no node comes to lead") }
            network.propose(leader, [.signature])
            network.deliver()
            for id in ids { network[id]?.syncsLog = false }
        }

        mutating func measure(_ leader: PeerID, writes: Int) throws(ConsensusError) -> [Microseconds] {
            var times: [Microseconds] = []
            for _ in 0..<writes {
                advance(until: network.now + 250_000) { _ in false }
                let start = network.now
                network.propose(leader, [.data, .signature])
                guard let wanted = network[leader]?.raft?.lastSeqno else { break }
                collect()
                let isCommitted = advance(until: start + 10_000_000) { $0[leader]?.raft?.commit ?? 0 >= wanted }
                guard isCommitted else { throw .configuration("a write is not committed within 10 s") }
                times.append(network.now - start)
            }
            return times
        }

        /// Lets time go by until `condition` holds; whether it came to hold.
        @discardableResult
        mutating func advance(until end: Microseconds, _ condition: (NetworkOfRafts) -> Bool) -> Bool {
            while !condition(network) {
                guard network.now < end else { return false }
                // Timers are looked at each millisecond; events come at their own time.
                let next = min(end, network.now + 1_000, events.nextTime ?? .max)
                network.run(for: next - network.now, quantum: 1_000, delivering: false)
                while let time = events.nextTime, time <= network.now, let event = events.next() {
                    switch event.payload {
                    case .letter(let letter): network.step(letter.to, .received(letter.message, from: letter.from))
                    case .sync(let id):
                        syncing.remove(id)
                        network.sync(id)
                    }
                    collect()
                }
                collect()
            }
            return true
        }

        /// Puts what was sent and written on its way.
        private mutating func collect() {
            for letter in network.letters {
                let delay = study.roundTrips[place(of: letter.from), place(of: letter.to)] / 2
                events.add(.letter(letter), at: network.now + delay)
            }
            network.letters.removeAll()
            for id in ids where !syncing.contains(id) && network[id]?.disk.hasPendingLog == true {
                syncing.insert(id)
                events.add(.sync(id), at: network.now + study.sync)
            }
        }

        private func place(of id: PeerID) -> String {
            ids.firstIndex(of: id).map { study.places[$0] } ?? ""
        }
    }
}

/// Round trips between places in microseconds, the same both ways.
public struct RoundTrips: Sendable {
    private var times: [Set<String>: Microseconds] = [:]
    /// Between two nodes at one place.
    public let within: Microseconds

    /// No places yet.
    public init(within: Microseconds = 500) { self.within = within }

    /// The time between two places; a pair that was never set counts as 0.
    public subscript(one: String, other: String) -> Microseconds {
        get { one == other ? within : times[[one, other], default: 0] }
        set { if one != other { times[[one, other]] = newValue } }
    }

    /// Names of all places, sorted.
    public var places: [String] { Set(times.keys.flatMap { $0 }).sorted() }

    /// Whether a pair has a time.
    public func knows(_ one: String, _ other: String) -> Bool { one == other || times[[one, other]] != nil }

    /// Typical round trips between large data centres, rounded, in milliseconds as public measurements give them. For a
    /// first idea; a network should measure its own.
    public static let typical: RoundTrips = {
        var table = RoundTrips()
        let rows: [(String, [(String, Microseconds)])] = [
            ("frankfurt", [("london", 16), ("newyork", 90), ("singapore", 160), ("tokyo", 225), ("sydney", 250)]),
            ("london", [("newyork", 76), ("singapore", 165), ("tokyo", 210), ("sydney", 265)]),
            ("newyork", [("singapore", 220), ("tokyo", 150), ("sydney", 200)]),
            ("singapore", [("tokyo", 70), ("sydney", 93)]), ("tokyo", [("sydney", 105)]),
        ]
        for (one, others) in rows { for (other, time) in others { table[one, other] = time * 1_000 } }
        return table
    }()
}
