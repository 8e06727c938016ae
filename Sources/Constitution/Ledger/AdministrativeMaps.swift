public import Store

/// Names of the private maps that hold the constitution, an entry for each thing that a proposal can change alone.
public enum ConstitutionMaps {
    /// Start of all names.
    public static let prefix = "entente.constitution."
    /// Members by id.
    public static let members = prefix + "members"
    /// Participants by id.
    public static let participants = prefix + "participants"
    /// The VN list by node id.
    public static let nodes = prefix + "nodes"
    /// The code manifest by role, platform and measurement.
    public static let code = prefix + "code"
    /// The TEE manifest.
    public static let tee = prefix + "tee"
    /// Voting policies by action.
    public static let policies = prefix + "policies"
    /// Everything that is one value: the name, consensus settings, numbers.
    public static let parameters = prefix + "parameters"
    /// Adapters by endpoint.
    public static let adapters = prefix + "adapters"
    /// The network's id, which is no part of the genesis that it is the digest of.
    public static let network = prefix + "network"

    /// The maps that a genesis fills, sorted by name.
    public static let all = [adapters, code, members, nodes, parameters, participants, policies, tee]

    /// Whether a write set changes the constitution.
    public static func areTouched(by writes: WriteSet) -> Bool {
        writes.maps.contains { $0.name.utf8.starts(with: prefix.utf8) }
    }
}

/// What a constitution can be read from: the store at one version.
public protocol AdministrativeMaps {
    /// All entries of a map, in any order, no key twice.
    func entries(ofMap name: String) -> [(key: [UInt8], value: [UInt8])]
    /// The value of one key.
    func value(ofMap name: String, key: [UInt8]) -> [UInt8]?
}

extension WriteSet: AdministrativeMaps {
    /// What the set writes to a map: the whole map where the set is the first to touch it.
    public func entries(ofMap name: String) -> [(key: [UInt8], value: [UInt8])] {
        self[name]?.writes.map { ($0.key, $0.value) } ?? []
    }

    /// What the set writes at a key.
    public func value(ofMap name: String, key: [UInt8]) -> [UInt8]? { self[name]?[key] }
}

extension StoreView: AdministrativeMaps {
    /// The whole map as it was after the view's entry.
    public func entries(ofMap name: String) -> [(key: [UInt8], value: [UInt8])] {
        pairs(name).map { ($0.key, $0.value) }
    }

    /// The value at a key after the view's entry.
    public func value(ofMap name: String, key: [UInt8]) -> [UInt8]? { get(name, key) }
}
