public import Store

/// One part of an entry's private data, with those who may read it. Sealed under a key of its own.
public struct Compartment: Sendable, Hashable {
    /// Who may read it, in a form that only the manager knows. Sealed with the contents: who reads what is private too.
    public let readers: [UInt8]
    /// The private maps in CCF's map layout.
    public let contents: [UInt8]

    /// A compartment of maps that are encoded already.
    public init(readers: [UInt8], contents: [UInt8]) {
        self.readers = readers
        self.contents = contents
    }

    /// A compartment of these maps.
    public init(readers: [UInt8], writes: WriteSet) {
        self.init(readers: readers, contents: writes.encoded())
    }

    /// The maps.
    /// - Throws: ``StoreError``.
    public func writes(limits: WriteSetLimits = .standard) throws(StoreError) -> WriteSet {
        try WriteSet.decode(contents, limits: limits)
    }
}
