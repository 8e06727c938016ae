internal import Attestation
internal import Identity
public import Primitives

extension ConstitutionDocument {
    /// The whole document as JSON for people and tools: what `entente constitution show` prints. Certificates and keys
    /// are in PEM, the settings of adapters as they are.
    public var json: JSON {
        var settings: [JSONObject.Member] = []
        for setting in Setting.all where setting.name != "name" {
            settings.append(.init(name: setting.name, value: setting.value(in: self)))
        }
        var object = JSONObject([
            .init(name: "name", value: .string(name)),
            .init(name: "open", value: .bool(isOpen)),
            .init(name: "members", value: .array(members.map(\.json))),
            .init(name: "participants", value: .array(participants.map(\.json))),
            .init(name: "nodes", value: .array(nodes.map { NodeRequest(entry: $0).json })),
            .init(name: "code", value: .array(code.entries.map(\.json))),
            .init(
                name: "tee",
                value: [
                    "platforms": .array(tee.rules.map(\.json)), "softwareKeys": .array(tee.softwareKeys.map(\.json)),
                ]),
            .init(name: "voting", value: voting.json),
            .init(name: "parameters", value: .object(JSONObject(settings))),
            .init(name: "adapters", value: .array(adapters.map(\.json))),
            .init(name: "replay", value: .bool(replay)),
        ])
        if !unknown.isEmpty {
            object.append(
                "unknown",
                .array(
                    unknown.map {
                        [
                            "map": .string($0.map), "key": .string(Hex.encode($0.key)),
                            "value": .string(Hex.encode($0.value)),
                        ]
                    }))
        }
        return .object(object)
    }
}

extension Actor {
    var json: JSON {
        var object = JSONObject([.init(name: "id", value: .string(id))] + groupFields)
        let kinds: [(String, Actor.Certificate.Kind)] = [
            ("certificates", .endEntity), ("organisations", .organisation),
        ]
        for (name, kind) in kinds {
            let some = certificates.filter { $0.kind == kind }
            guard !some.isEmpty else { continue }
            object.append(name, .array(some.map { .string(PEM.encode($0.der, label: "CERTIFICATE")) }))
        }
        return .object(object)
    }
}

extension CodeManifest.Entry {
    var json: JSON {
        [
            "name": .string(name), "version": .string(version), "role": .string(role.rawValue),
            "platform": .string(platform.rawValue), "measurement": .string(Hex.encode(measurement)),
        ]
    }
}

extension TEEManifest.Rule {
    var json: JSON {
        var object = JSONObject([.init(name: "platform", value: .string(platform.rawValue))])
        if !minimumTCB.isEmpty { object.append("minimumTCB", .string(Hex.encode(minimumTCB))) }
        return .object(object)
    }
}

extension TEEManifest.SoftwareKey {
    var json: JSON { ["owner": .string(owner), "key": .string(Hex.encode(key))] }
}

extension Adapter {
    /// Settings that can't be read, which no valid document has, are shown as empty.
    var json: JSON {
        let limits = JSONLimits(bytesMax: Adapter.settingsByteCountMax, depthMax: 64, valuesMax: 1 << 21)
        let settings = (try? JSON(parsing: settings, limits: limits)) ?? .object(JSONObject())
        var object = JSONObject([
            .init(name: "kind", value: .string(kind)), .init(name: "endpoint", value: .string(endpoint)),
            .init(name: "settings", value: settings),
        ])
        if !outside.isEmpty { object.append("outside", .array(outside.map(\.json))) }
        return .object(object)
    }
}

extension OutsideService {
    var json: JSON {
        [
            "name": .string(name), "url": .string(url),
            "authorities": .array(authorities.map { .string(PEM.encode($0, label: "CERTIFICATE")) }),
            "timeoutMilliseconds": .integer(Int64(clamping: timeoutMilliseconds)),
            "answerBytesMax": .integer(Int64(clamping: answerByteCountMax)),
        ]
    }
}

extension VotingPolicies {
    /// The policies as a section: `standard` and `actions`.
    public var json: JSON {
        [
            "standard": standard.json,
            "actions": .object(
                JSONObject(exceptions.map { .init(name: $0.action.rawValue, value: $0.policy.json) })),
        ]
    }
}
