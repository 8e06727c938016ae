/// The trusted execution environments that a network accepts. Debug mode is never accepted, so there is no field for it.
///
/// A network of several platforms is as strong as the weakest of them.
public struct TEEManifest: Sendable, Hashable {
    /// What is asked of one platform.
    public struct Rule: Sendable, Hashable {
        /// The platform.
        public var platform: Platform
        /// Oldest acceptable firmware version in the platform's own form, compared byte by byte; empty when nothing is
        /// asked. `software` has no firmware.
        public var minimumTCB: [UInt8]

        /// A rule.
        public init(platform: Platform, minimumTCB: [UInt8] = []) {
            self.platform = platform
            self.minimumTCB = minimumTCB
        }

        /// Whether every component of `tcb` is at least the asked one.
        func admits(tcb: [UInt8]) -> Bool {
            guard !minimumTCB.isEmpty else { return true }
            return tcb.count == minimumTCB.count && zip(tcb, minimumTCB).allSatisfy { $0 >= $1 }
        }
    }

    /// A platform key of an owner: evidence that it signs counts for nodes of this owner alone.
    public struct SoftwareKey: Sendable, Hashable {
        /// The owner.
        public var owner: ActorID
        /// The key, X9.63 uncompressed, 65 bytes.
        public var key: [UInt8]

        /// A listed key.
        public init(owner: ActorID, key: [UInt8]) {
            self.owner = owner
            self.key = key
        }
    }

    /// The platforms that are welcome, each once.
    public var rules: [Rule]
    /// Keys of `software` platforms.
    public var softwareKeys: [SoftwareKey]

    /// A manifest.
    public init(rules: [Rule] = [], softwareKeys: [SoftwareKey] = []) {
        self.rules = rules
        self.softwareKeys = softwareKeys
    }

    /// What is asked of a platform; nil when it is not welcome.
    public func rule(for platform: Platform) -> Rule? {
        rules.first { $0.platform == platform }
    }

    /// Whether a platform key is listed for this owner.
    public func lists(softwareKey key: [UInt8], owner: ActorID) -> Bool {
        softwareKeys.contains { $0.owner == owner && $0.key == key }
    }
}
