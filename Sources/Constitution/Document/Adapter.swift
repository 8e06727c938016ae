/// A blockchain protocol that the network runs.
public struct Adapter: Sendable, Hashable {
    /// Which built-in adapter it is, such as `ethereum`.
    public var kind: String
    /// The name under which clients and entries reach it; also the prefix of its maps.
    public var endpoint: String
    /// Its settings, a JSON object that only the adapter reads.
    public var settings: [UInt8]
    /// The services outside the network that it may ask.
    public var outside: [OutsideService]

    /// Services outside that one adapter may have.
    public static let outsideMax = 64
    /// Bytes of settings at most.
    public static let settingsByteCountMax = 8 << 20

    /// An adapter.
    public init(
        kind: String, endpoint: String, settings: [UInt8] = Array("{}".utf8), outside: [OutsideService] = []
    ) {
        self.kind = kind
        self.endpoint = endpoint
        self.settings = settings
        self.outside = outside
    }
}
