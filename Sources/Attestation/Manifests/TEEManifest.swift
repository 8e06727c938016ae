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
        /// What else is asked of a hardware platform: roots, lines of processors, statuses, attributes, claims.
        public var requirements: PlatformRequirements

        /// A rule.
        public init(platform: Platform, minimumTCB: [UInt8] = [], requirements: PlatformRequirements = .init()) {
            self.platform = platform
            self.minimumTCB = minimumTCB
            self.requirements = requirements
        }

        /// Whether every component of `tcb` is at least the asked one.
        func admits(tcb: [UInt8]) -> Bool { Self.admits(tcb, minimum: minimumTCB) }

        /// Whether every component of `tcb` is at least that of `minimum`; an empty minimum asks nothing.
        static func admits(_ tcb: [UInt8], minimum: [UInt8]) -> Bool {
            guard !minimum.isEmpty else { return true }
            return tcb.count == minimum.count && zip(tcb, minimum).allSatisfy { $0 >= $1 }
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
