internal import Attestation
internal import Primitives
internal import Store

/// Version of the form of an entry's value; each value starts with it.
private let recordVersion: UInt8 = 1

/// Keys of single values in the map of parameters, besides those of ``Parameters/table``.
private enum Key {
    static let name = "name"
    static let replay = "replay"
    /// Only there while the network is closed.
    static let open = "open"
    static let engine = "consensus.engine"
    static let replicationQuorum = "consensus.replicationQuorum"
    static let electionQuorum = "consensus.electionQuorum"
    static let restart = "consensus.restart"
    static let standardRule = "standard"
    static let actionPrefix = "action/"
    static let platformPrefix = "platform/"
    static let requirementsPrefix = "requirements/"
    static let softwareKeyPrefix = "software-key/"
}

// MARK: Writing

extension ConstitutionDocument {
    /// The document as writes to the administrative maps, which it fills.
    func mapWrites() -> [MapWrites] {
        var maps: [MapWrites] = [
            map(ConstitutionMaps.members, members.map { ($0.id, Self.record($0)) }),
            map(ConstitutionMaps.participants, participants.map { ($0.id, Self.record($0)) }),
            map(ConstitutionMaps.nodes, nodes.map { ($0.nodeID, Self.record($0)) }),
            map(ConstitutionMaps.code, code.entries.map { (Self.key($0), Self.record($0)) }),
            map(ConstitutionMaps.tee, teeEntries),
            map(ConstitutionMaps.policies, policyEntries),
            map(ConstitutionMaps.parameters, parameterEntries),
            map(
                ConstitutionMaps.adapters,
                adapters.enumerated().map { ($1.endpoint, Self.record($1, place: UInt32(clamping: $0))) }),
        ]
        for entry in unknown {
            maps.append(MapWrites(name: entry.map, writes: [.init(key: entry.key, value: entry.value)]))
        }
        return maps
    }

    private func map(_ name: String, _ entries: [(String, [UInt8])]) -> MapWrites {
        MapWrites(name: name, writes: entries.map { .init(key: Array($0.0.utf8), value: $0.1) })
    }

    private static func record(_ body: (inout ByteWriter) -> Void) -> [UInt8] {
        var writer = ByteWriter(capacity: 128)
        writer.integer(recordVersion)
        body(&writer)
        return writer.bytes
    }

    private static func record(_ actor: Actor) -> [UInt8] {
        record { writer in
            writer.list(actor.certificates) { writer, certificate in
                writer.integer(certificate.kind.rawValue)
                writer.blob(certificate.der)
            }
            // Only there for an actor that has them.
            if let text = actor.groupText { writer.text(text) }
        }
    }

    private static func record(_ node: NodeEntry) -> [UInt8] {
        record { writer in
            writer.text(node.owner)
            writer.text(node.address)
            writer.blob(node.publicKey)
            writer.blob(node.signature)
        }
    }

    static func key(_ code: CodeManifest.Entry) -> String {
        "\(code.role.rawValue)/\(code.platform.rawValue)/\(Hex.encode(code.measurement))"
    }

    private static func record(_ code: CodeManifest.Entry) -> [UInt8] {
        record { writer in
            writer.text(code.name)
            writer.text(code.version)
        }
    }

    private static func record(_ adapter: Adapter, place: UInt32) -> [UInt8] {
        record { writer in
            writer.integer(place)
            writer.text(adapter.kind)
            writer.blob(adapter.settings)
            // Only there for an adapter that has them.
            guard !adapter.outside.isEmpty else { return }
            writer.list(adapter.outside) { writer, service in
                writer.text(service.name)
                writer.text(service.url)
                writer.list(service.authorities) { $0.blob($1) }
                writer.integer(service.timeoutMilliseconds)
                writer.integer(service.answerByteCountMax)
            }
        }
    }

    private static func record(_ text: String) -> [UInt8] { record { $0.text(text) } }

    private var teeEntries: [(String, [UInt8])] {
        var entries: [(String, [UInt8])] = []
        for rule in tee.rules {
            entries.append((Key.platformPrefix + rule.platform.rawValue, Self.record { $0.blob(rule.minimumTCB) }))
            guard rule.requirements != .init() else { continue }
            let json = rule.requirements.json.serialized()
            entries.append((Key.requirementsPrefix + rule.platform.rawValue, Self.record { $0.blob(json) }))
        }
        for key in tee.softwareKeys {
            entries.append(("\(Key.softwareKeyPrefix)\(key.owner)/\(Hex.encode(key.key))", Self.record { _ in }))
        }
        return entries
    }

    private var policyEntries: [(String, [UInt8])] {
        [(Key.standardRule, Self.record(voting.standard.text))]
            + voting.exceptions.map {
                (Key.actionPrefix + $0.action.rawValue, Self.record($0.policy.text))
            }
    }

    private var parameterEntries: [(String, [UInt8])] {
        [
            (Key.name, Self.record(name)),
            (Key.replay, Self.record { $0.bool(replay) }),
            (Key.engine, Self.record(consensus.engine.rawValue)),
            (Key.replicationQuorum, Self.record(consensus.replicationQuorum.description)),
            (Key.electionQuorum, Self.record(consensus.electionQuorum.description)),
            (Key.restart, Self.record(consensus.restart.rawValue)),
        ]
            + (isOpen ? [] : [(Key.open, Self.record { $0.bool(false) })])
            + Parameters.table.map { row in
                (row.name, Self.record { $0.integer(parameters[keyPath: row.path]) })
            }
    }
}

// MARK: Reading

extension ConstitutionDocument {
    /// Reads a document back from the administrative maps. Whether it makes sense is for ``problems()`` to say.
    /// - Throws: ``ConstitutionError`` whose path is `map[key]`.
    init(reading maps: some AdministrativeMaps) throws(ConstitutionError) {
        self.init(name: "")
        try readParameters(maps)
        for (map, role) in [
            (ConstitutionMaps.members, Actor.Role.member), (ConstitutionMaps.participants, .participant),
        ] {
            for entry in try Entry.all(of: map, in: maps) { actors.append(try Self.actor(entry, role)) }
        }
        for entry in try Entry.all(of: ConstitutionMaps.nodes, in: maps) { nodes.append(try Self.node(entry)) }
        for entry in try Entry.all(of: ConstitutionMaps.code, in: maps) { code.entries.append(try Self.code(entry)) }
        for entry in try Entry.all(of: ConstitutionMaps.tee, in: maps) { try readTEE(entry) }
        for entry in try Entry.all(of: ConstitutionMaps.policies, in: maps) { try readPolicy(entry) }
        var placed: [(place: UInt32, adapter: Adapter)] = []
        for entry in try Entry.all(of: ConstitutionMaps.adapters, in: maps) { placed.append(try Self.adapter(entry)) }
        // Sorted by place; the maps come sorted by endpoint and the sort is stable, so equal places have an order too.
        adapters = placed.sorted { $0.place < $1.place }.map(\.adapter)
        self = sorted()
    }

    private mutating func readParameters(_ maps: some AdministrativeMaps) throws(ConstitutionError) {
        var missing = Set([
            Key.name, Key.replay, Key.engine, Key.replicationQuorum, Key.electionQuorum, Key.restart,
        ]).union(Parameters.table.map(\.name))
        for entry in try Entry.all(of: ConstitutionMaps.parameters, in: maps) {
            missing.remove(entry.key)
            switch entry.key {
            case Key.name: name = try entry.text()
            case Key.replay: replay = try entry.read { reader throws(ByteReaderError) in try reader.bool() }
            case Key.open:
                isOpen = try entry.read { reader throws(ByteReaderError) in try reader.bool() }
                // One constitution has one form: an open network says nothing.
                guard !isOpen else { throw .malformed(entry.path, "an open network has no such entry") }
            case Key.engine: consensus.engine = try entry.choice()
            case Key.restart: consensus.restart = try entry.choice()
            case Key.replicationQuorum: consensus.replicationQuorum = try entry.quorum()
            case Key.electionQuorum: consensus.electionQuorum = try entry.quorum()
            case let key:
                if let row = Parameters.table.first(where: { $0.name == key }) {
                    parameters[keyPath: row.path] = try entry.read { reader throws(ByteReaderError) in
                        try reader.integer()
                    }
                } else {
                    unknown.append(entry.unknown)
                }
            }
        }
        if let first = missing.min() {
            throw .missing("\(ConstitutionMaps.parameters)[\(first)]", "the value is not there")
        }
    }

    private static func actor(_ entry: Entry, _ role: Actor.Role) throws(ConstitutionError) -> Actor {
        let (certificates, groups) = try entry.read { reader throws(ByteReaderError) in
            let certificates = try reader.list(limit: Limits.certificatesMax) { reader throws(ByteReaderError) in
                let at = reader.offset
                guard let kind = Actor.Certificate.Kind(rawValue: try reader.integer()) else { throw .invalid(at: at) }
                return Actor.Certificate(kind: kind, der: try reader.blob(limit: Limits.certificateByteCountMax))
            }
            let groups: String? = reader.remaining == 0 ? nil : try reader.text(limit: Actor.groupsByteCountMax)
            return (certificates, groups)
        }
        var actor = Actor(id: entry.key, role: role, certificates: certificates)
        if let groups { try actor.readGroups(text: groups, path: entry.path) }
        return actor
    }

    private static func node(_ entry: Entry) throws(ConstitutionError) -> NodeEntry {
        let node = try entry.read { reader throws(ByteReaderError) in
            let owner = try reader.text(limit: 256)
            let address = try reader.text(limit: 512)
            let tuple = NodeTuple(owner: owner, address: address, publicKey: try reader.blob(limit: 512))
            return NodeEntry(tuple: tuple, signature: try reader.blob(limit: 256))
        }
        guard node.nodeID == entry.key else { throw .malformed(entry.path, "the key is not the node's id") }
        return node
    }

    private static func code(_ entry: Entry) throws(ConstitutionError) -> CodeManifest.Entry {
        let parts = entry.key.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, let role = CodeManifest.Role(rawValue: String(parts[0])),
            let platform = Platform(rawValue: String(parts[1])), let measurement = Hex.decode(parts[2]),
            Hex.encode(measurement) == parts[2]
        else { throw .malformed(entry.path, "the key is not role/platform/measurement") }
        let (name, version) = try entry.read { reader throws(ByteReaderError) in
            (try reader.text(limit: 256), try reader.text(limit: 256))
        }
        return CodeManifest.Entry(
            name: name, version: version, role: role, platform: platform, measurement: measurement)
    }

    private mutating func readTEE(_ entry: Entry) throws(ConstitutionError) {
        if entry.key.hasPrefix(Key.softwareKeyPrefix) {
            let parts = entry.key.dropFirst(Key.softwareKeyPrefix.count)
                .split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, let key = Hex.decode(parts[1]), Hex.encode(key) == parts[1] else {
                throw .malformed(entry.path, "the key is not software-key/owner/key")
            }
            try entry.read { _ throws(ByteReaderError) in }
            tee.softwareKeys.append(.init(owner: String(parts[0]), key: key))
        } else if entry.key.hasPrefix(Key.platformPrefix),
            let platform = Platform(rawValue: String(entry.key.dropFirst(Key.platformPrefix.count)))
        {
            let tcb = try entry.read { reader throws(ByteReaderError) in try reader.blob(limit: 256) }
            tee.rules.append(.init(platform: platform, minimumTCB: tcb))
        } else if entry.key.hasPrefix(Key.requirementsPrefix),
            let index = tee.rules.firstIndex(where: {
                $0.platform.rawValue == entry.key.dropFirst(Key.requirementsPrefix.count)
            })
        {
            // Keys come in the order of their bytes, so these entries come after the rules that they belong to.
            let json = try entry.read { reader throws(ByteReaderError) in try reader.blob(limit: 1 << 16) }
            do { tee.rules[index].requirements = try PlatformRequirements(json: try JSON(parsing: json)) } catch {
                throw .malformed(entry.path, "\(error)")
            }
        } else {
            // A platform that this build has never heard of: it stays listed, and nothing of it is admitted here.
            unknown.append(entry.unknown)
        }
    }

    private mutating func readPolicy(_ entry: Entry) throws(ConstitutionError) {
        if entry.key == Key.standardRule {
            voting.standard = try VotingPolicy(text: try entry.policyText(), path: entry.path)
        } else if entry.key.hasPrefix(Key.actionPrefix),
            let action = GovernanceAction(rawValue: String(entry.key.dropFirst(Key.actionPrefix.count)))
        {
            let policy = try VotingPolicy(text: try entry.policyText(), path: entry.path)
            voting.exceptions.append(.init(action: action, policy: policy))
        } else {
            unknown.append(entry.unknown)
        }
    }

    private static func adapter(_ entry: Entry) throws(ConstitutionError) -> (UInt32, Adapter) {
        try entry.read { reader throws(ByteReaderError) in
            let place = try reader.integer(UInt32.self)
            let kind = try reader.text(limit: 256)
            let settings = try reader.blob(limit: Adapter.settingsByteCountMax)
            var adapter = Adapter(kind: kind, endpoint: entry.key, settings: settings)
            guard reader.remaining > 0 else { return (place, adapter) }
            let at = reader.offset
            adapter.outside = try reader.list(limit: Adapter.outsideMax) { reader throws(ByteReaderError) in
                try outsideService(&reader)
            }
            // One constitution has one form.
            guard !adapter.outside.isEmpty else { throw .invalid(at: at) }
            return (place, adapter)
        }
    }

    private static func outsideService(_ reader: inout ByteReader) throws(ByteReaderError) -> OutsideService {
        let name = try reader.text(limit: 256)
        let url = try reader.text(limit: OutsideService.urlByteCountMax)
        let authorities = try reader.list(limit: Limits.certificatesMax) { reader throws(ByteReaderError) in
            try reader.blob(limit: Limits.certificateByteCountMax)
        }
        return OutsideService(
            name: name, url: url, authorities: authorities, timeoutMilliseconds: try reader.integer(),
            answerByteCountMax: try reader.integer())
    }
}

/// One entry of an administrative map on its way in.
private struct Entry {
    let map: String
    let key: String
    let value: [UInt8]

    var path: String { "\(map)[\(key)]" }
    var unknown: ConstitutionDocument.UnknownEntry { .init(map: map, key: Array(key.utf8), value: value) }

    static func all(of map: String, in maps: some AdministrativeMaps) throws(ConstitutionError) -> [Entry] {
        var entries: [Entry] = []
        for (key, value) in maps.entries(ofMap: map).sorted(by: { ByteOrder.precedes($0.key, $1.key) }) {
            guard let text = String(validating: key, as: UTF8.self) else {
                throw .malformed(map, "a key is no UTF-8 text")
            }
            entries.append(Entry(map: map, key: text, value: value))
        }
        return entries
    }

    func read<T>(_ body: (inout ByteReader) throws(ByteReaderError) -> T) throws(ConstitutionError) -> T {
        do {
            var reader = ByteReader(value)
            let version = try reader.integer(UInt8.self)
            guard version == recordVersion else {
                throw ConstitutionError.unsupported(path, "a value of version \(version)")
            }
            let result = try body(&reader)
            try reader.finish()
            return result
        } catch let error as ConstitutionError { throw error } catch {
            throw .malformed(path, "the value can't be read: \(error)")
        }
    }

    func text() throws(ConstitutionError) -> String {
        try read { reader throws(ByteReaderError) in try reader.text(limit: 4096) }
    }

    func policyText() throws(ConstitutionError) -> String {
        try read { reader throws(ByteReaderError) in try reader.text(limit: VotingPolicy.byteCountMax) }
    }

    func choice<T: RawRepresentable & CaseIterable>() throws(ConstitutionError) -> T where T.RawValue == String {
        guard let value = T(rawValue: try text()) else { throw .unsupported(path, "a value that this build lacks") }
        return value
    }

    func quorum() throws(ConstitutionError) -> ConsensusSettings.Quorum {
        guard let value = ConsensusSettings.Quorum(try text()) else { throw .malformed(path, "no quorum") }
        return value
    }
}
