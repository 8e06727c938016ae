public import Primitives

/// What became of one account since changes were last taken.
public struct AccountChange: Hashable, Sendable {
    /// One storage slot.
    public struct Slot: Hashable, Sendable {
        /// Its key.
        public let key: UInt256
        /// Its new value; 0 means that the slot is to be removed.
        public let value: UInt256

        /// A slot's change.
        public init(key: UInt256, value: UInt256) {
            self.key = key
            self.value = value
        }
    }

    /// The account's name.
    public let address: Address
    /// The account as it is now; nil if it is to be removed with all its storage.
    public let account: AccountState?
    /// The code, if its hash changed to that of a code.
    public let code: [UInt8]?
    /// Whether all earlier storage is to be dropped before ``storage`` is written.
    public let storageCleared: Bool
    /// The slots that changed, by key.
    public let storage: [Slot]

    /// A change.
    public init(
        address: Address, account: AccountState?, code: [UInt8]? = nil, storageCleared: Bool = false,
        storage: [Slot] = []
    ) {
        self.address = address
        self.account = account
        self.code = code
        self.storageCleared = storageCleared
        self.storage = storage
    }
}

/// A record that a contract left (LOG0 to LOG4).
public struct Log: Hashable, Sendable {
    /// The contract.
    public let address: Address
    /// Up to four indexed words.
    public let topics: [Bytes32]
    /// The rest.
    public let data: [UInt8]

    /// A record.
    public init(address: Address, topics: [Bytes32], data: [UInt8]) {
        self.address = address
        self.topics = topics
        self.data = data
    }
}
