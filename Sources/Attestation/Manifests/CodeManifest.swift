/// The code that may run in a network.
public struct CodeManifest: Sendable, Hashable {
    /// Which part of a node a measurement is of.
    public enum Role: String, Sendable, Hashable, CaseIterable {
        /// A manager whose worker is a process of its own.
        case manager
        /// A worker.
        case worker
        /// A manager with its worker inside.
        case combined
    }

    /// One approved piece of code. "Any one code identity is represented as a single measurement" (white paper).
    public struct Entry: Sendable, Hashable {
        /// What it is, such as `entente-manager`.
        public var name: String
        /// Its version, such as `0.1.0`.
        public var version: String
        /// Which part of a node it is.
        public var role: Role
        /// The platform whose measurement this is; the same code has another one on each.
        public var platform: Platform
        /// Its measurement; ``Platform/measurementByteCount`` bytes.
        public var measurement: [UInt8]

        /// An entry.
        public init(name: String, version: String, role: Role, platform: Platform, measurement: [UInt8]) {
            self.name = name
            self.version = version
            self.role = role
            self.platform = platform
            self.measurement = measurement
        }
    }

    /// The entries, each role, platform and measurement once.
    public var entries: [Entry]

    /// A manifest.
    public init(entries: [Entry] = []) {
        self.entries = entries
    }

    /// The entry of a measurement.
    public func entry(role: Role, platform: Platform, measurement: [UInt8]) -> Entry? {
        entries.first { $0.role == role && $0.platform == platform && $0.measurement == measurement }
    }

    /// Checks that a node with this manager and this worker may run.
    /// - Parameter worker: measurement of the worker, empty when it is part of the manager.
    /// - Throws: ``AttestationError/measurementNotListed(_:file:line:)``.
    public func admit(platform: Platform, manager: [UInt8], worker: [UInt8]) throws(AttestationError) {
        let role: Role = worker.isEmpty ? .combined : .manager
        guard entry(role: role, platform: platform, measurement: manager) != nil else {
            throw .measurementNotListed("the code manifest lists no \(role.rawValue) of this measurement")
        }
        guard worker.isEmpty || entry(role: .worker, platform: platform, measurement: worker) != nil else {
            throw .measurementNotListed("the code manifest lists no worker of this measurement")
        }
    }
}
