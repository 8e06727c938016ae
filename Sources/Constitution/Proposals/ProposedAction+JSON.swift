internal import Attestation
internal import Identity
public import Primitives

extension ProposedAction {
    /// Reads an action: `{"name": …, "args": {…}}`. What the arguments of each are called stands in docs/governance.md.
    /// - Throws: ``ConstitutionError`` whose path starts with `path`.
    public init(json: JSON, path: String) throws(ConstitutionError) {
        let object = try PolicyReader.object(json, path, names: ["name", "args"])
        let kind: GovernanceAction = try PolicyReader.word(object["name"] ?? .null, "\(path).name")
        let args = object["args"] ?? .null
        let place = "\(path).args"
        func fields(_ names: String...) throws(ConstitutionError) -> ActionFields {
            try ActionFields(args, place, names: names)
        }
        switch kind {
        case .setMember, .setParticipant:
            let fields = try fields("id", "certificates", "organisations", "department", "groups")
            let certificates =
                try fields.certificates("certificates", .endEntity)
                + fields.certificates("organisations", .organisation)
            var actor = Actor(
                id: try fields.actor("id"), role: kind == .setMember ? .member : .participant,
                certificates: certificates)
            try actor.readGroups(
                department: fields.optional("department"), groups: fields.optional("groups"), path: place)
            self = .setActor(actor)
        case .removeMember: self = .removeActor(try fields("id").actor("id"), .member)
        case .removeParticipant: self = .removeActor(try fields("id").actor("id"), .participant)
        case .setNode: self = .setNode(try NodeRequest(json: args, path: place))
        case .removeNode: self = .removeNode(nodeID: try fields("nodeID").nodeID("nodeID"))
        case .replaceNode:
            let fields = try fields("nodeID", "node")
            self = .replaceNode(
                nodeID: try fields.nodeID("nodeID"),
                with: try NodeRequest(json: try fields.value("node"), path: "\(place).node"))
        case .addCode:
            let fields = try fields("name", "version", "role", "platform", "measurement")
            self = .addCode(
                .init(
                    name: try fields.text("name"), version: try fields.text("version"), role: try fields.word("role"),
                    platform: try fields.word("platform"), measurement: try fields.hex("measurement", limit: 256)))
        case .removeCode:
            let fields = try fields("role", "platform", "measurement")
            self = .removeCode(
                try fields.word("role"), try fields.word("platform"),
                measurement: try fields.hex("measurement", limit: 256))
        case .setPlatform:
            let fields = try fields("platform", "minimumTCB")
            let tcb = fields.optional("minimumTCB") == nil ? [] : try fields.hex("minimumTCB", limit: 256)
            self = .setPlatform(.init(platform: try fields.word("platform"), minimumTCB: tcb))
        case .removePlatform: self = .removePlatform(try fields("platform").word("platform"))
        case .setSoftwareKey, .removeSoftwareKey:
            let fields = try fields("owner", "key")
            let key = TEEManifest.SoftwareKey(owner: try fields.actor("owner"), key: try fields.hex("key", limit: 256))
            self = kind == .setSoftwareKey ? .setSoftwareKey(key) : .removeSoftwareKey(key)
        case .setVotingPolicy:
            let fields = try fields("action", "policy")
            let isStandard = fields.optional("action")?.string == "standard"
            self = .setVotingPolicy(
                isStandard ? nil : try fields.word("action"),
                try VotingPolicy(json: try fields.value("policy"), path: "\(place).policy"))
        case .removeVotingPolicy: self = .removeVotingPolicy(try fields("action").word("action"))
        case .setParameters: self = .setParameters(try Self.values(args, place))
        case .removeParameters: self = .removeParameters(try Self.names(try fields("names").value("names"), place))
        case .setAdapter, .upgradeAdapter:
            let adapter = try Self.adapter(try fields("kind", "endpoint", "settings", "outside"))
            self = kind == .setAdapter ? .setAdapter(adapter) : .upgradeAdapter(adapter)
        case .removeAdapter: self = .removeAdapter(endpoint: try fields("endpoint").text("endpoint"))
        case .renewCertificates: self = .renewCertificates(try Self.renewal(try fields("nodes", "network", "days")))
        case .setOpen: self = .setOpen(try fields("open").bool("open"))
        case .removeEntry:
            let fields = try fields("map", "key")
            self = .removeEntry(map: try fields.text("map", limit: 256), key: try fields.hex("key", limit: 1024))
        }
    }

    private static func values(_ json: JSON, _ path: String) throws(ConstitutionError) -> [Value] {
        guard let members = json.object?.members, !members.isEmpty, members.count <= Setting.all.count else {
            throw .malformed(path, "it is a section of names and values")
        }
        var values: [Value] = []
        for member in members {
            try check(name: member.name, among: values.map(\.name), path)
            values.append(Value(name: member.name, value: member.value))
        }
        return values
    }

    private static func names(_ json: JSON, _ path: String) throws(ConstitutionError) -> [String] {
        var names: [String] = []
        for each in try PolicyReader.list(json, "\(path).names") {
            let name = try PolicyReader.text(each, "\(path).names")
            try check(name: name, among: names, "\(path).names")
            names.append(name)
        }
        return names
    }

    private static func check(name: String, among names: [String], _ path: String) throws(ConstitutionError) {
        guard Setting(name: name) != nil else {
            throw .unknown(path, "this build has no parameter \(name.prefix(60))")
        }
        guard !names.contains(name) else { throw .duplicate("\(path).\(name)", "it is there twice") }
    }

    private static func adapter(_ fields: ActionFields) throws(ConstitutionError) -> Adapter {
        let settings = fields.optional("settings") ?? .object(JSONObject())
        guard settings.object != nil else { throw .malformed("\(fields.path).settings", "they are a JSON object") }
        var adapter = Adapter(
            kind: try fields.text("kind"), endpoint: try fields.text("endpoint"), settings: settings.serialized())
        guard let outside = fields.optional("outside") else { return adapter }
        let path = "\(fields.path).outside"
        guard let list = outside.array, list.count <= Adapter.outsideMax else {
            throw .malformed(path, "it is a list of up to \(Adapter.outsideMax) services")
        }
        for (index, each) in list.enumerated() { adapter.outside.append(try service(each, "\(path)[\(index)]")) }
        return adapter
    }

    private static func service(_ json: JSON, _ path: String) throws(ConstitutionError) -> OutsideService {
        let fields = try ActionFields(
            json, path, names: ["name", "url", "authorities", "timeoutMilliseconds", "answerBytesMax"])
        var service = OutsideService(
            name: try fields.text("name"), url: try fields.text("url", limit: OutsideService.urlByteCountMax),
            authorities: try fields.certificates("authorities", .organisation).map(\.der))
        if let time = fields.optional("timeoutMilliseconds") {
            service.timeoutMilliseconds = try PolicyReader.number(time, "\(path).timeoutMilliseconds")
        }
        if let size = fields.optional("answerBytesMax") {
            service.answerByteCountMax = try PolicyReader.number(size, "\(path).answerBytesMax")
        }
        return service
    }

    private static func renewal(_ fields: ActionFields) throws(ConstitutionError) -> CertificateRenewal {
        var renewal = CertificateRenewal(nodes: [], network: false, days: 0)
        if let json = fields.optional("nodes") {
            if json.string == "all" {
                renewal.nodes = nil
            } else {
                let path = "\(fields.path).nodes"
                var ids: [String] = []
                for each in try PolicyReader.list(json, path) {
                    guard let id = each.string, Constitution.isNetworkID(id), !ids.contains(id) else {
                        throw .malformed(path, "it is `all` or a list of node ids, each once")
                    }
                    ids.append(id)
                }
                renewal.nodes = ids
            }
        }
        if fields.optional("network") != nil { renewal.network = try fields.bool("network") }
        let days = try PolicyReader.number(try fields.value("days"), "\(fields.path).days", max: 3660)
        guard days >= 1 else { throw .outOfRange("\(fields.path).days", "it takes 1 to 3660 days") }
        renewal.days = UInt32(clamping: days)
        guard renewal.network || renewal.nodes != [] else {
            throw .missing(fields.path, "it names nodes, the network, or both")
        }
        return renewal
    }

    /// The form that ``init(json:path:)`` reads.
    public var json: JSON { ["name": .string(kind.rawValue), "args": arguments] }

    private var arguments: JSON {
        switch self {
        case .setActor(let actor): actor.json
        case .removeActor(let id, _): ["id": .string(id)]
        case .setNode(let node): node.json
        case .removeNode(let id): ["nodeID": .string(id)]
        case .replaceNode(let id, let node): ["nodeID": .string(id), "node": node.json]
        case .addCode(let entry): entry.json
        case .removeCode(let role, let platform, let measurement):
            [
                "role": .string(role.rawValue), "platform": .string(platform.rawValue),
                "measurement": .string(Hex.encode(measurement)),
            ]
        case .setPlatform(let rule): rule.json
        case .removePlatform(let platform): ["platform": .string(platform.rawValue)]
        case .setSoftwareKey(let key), .removeSoftwareKey(let key): key.json
        case .setVotingPolicy(let action, let policy):
            ["action": .string(action?.rawValue ?? "standard"), "policy": policy.json]
        case .removeVotingPolicy(let action): ["action": .string(action.rawValue)]
        case .setParameters(let values):
            .object(JSONObject(values.map { .init(name: $0.name, value: $0.value) }))
        case .removeParameters(let names): ["names": .array(names.map { .string($0) })]
        case .setAdapter(let adapter), .upgradeAdapter(let adapter): adapter.json
        case .removeAdapter(let endpoint): ["endpoint": .string(endpoint)]
        case .renewCertificates(let renewal):
            [
                "nodes": renewal.nodes.map { .array($0.map { .string($0) }) } ?? "all",
                "network": .bool(renewal.network), "days": .integer(Int64(renewal.days)),
            ]
        case .setOpen(let isOpen): ["open": .bool(isOpen)]
        case .removeEntry(let map, let key): ["map": .string(map), "key": .string(Hex.encode(key))]
        }
    }
}
