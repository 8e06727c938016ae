internal import CSodium

/// Bytes that are a secret. They lie in memory of their own, which is overwritten with zeros when the last reference
/// goes, and they show in no description, dump or comparison. Locking that memory against swap and core dumps is the
/// process's business, since it takes system calls.
public final class SecretBytes: @unchecked Sendable, CustomStringConvertible, CustomReflectable {
    // Written only within `init`, hence safe to share.
    private let memory: UnsafeMutableRawPointer
    private let ownsMemory: Bool
    /// How many bytes there are.
    public let count: Int

    /// `count` bytes that `fill` writes; they are zeros before.
    init<E: Error>(count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(E) -> Void) throws(E) {
        precondition(count > 0, "a secret of \(count) bytes")
        memory = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 16)
        ownsMemory = true
        self.count = count
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: count)
        try fill(UnsafeMutableRawBufferPointer(start: memory, count: count))
    }

    /// Takes the bytes out of an array, which is left with zeros.
    /// - Throws: ``ThresholdError/malformed(_:file:line:)`` when there are none.
    public convenience init(taking bytes: inout [UInt8]) throws(ThresholdError) {
        guard !bytes.isEmpty else { throw .malformed("a secret of no bytes") }
        let count = bytes.count
        self.init(count: count) { memory in
            bytes.withUnsafeMutableBytes { source in
                memory.copyMemory(from: UnsafeRawBufferPointer(source))
                if let start = source.baseAddress { sodium_memzero(start, source.count) }
            }
        }
    }

    /// Uses memory of the caller, who keeps it alive and frees it: for the test that it is zeroed.
    package init(adopting memory: UnsafeMutableRawBufferPointer) {
        precondition(memory.count > 0)
        self.memory = memory.baseAddress ?? UnsafeMutableRawPointer(bitPattern: 1).unsafelyUnwrapped
        ownsMemory = false
        count = memory.count
    }

    deinit {
        sodium_memzero(memory, count)
        if ownsMemory { memory.deallocate() }
    }

    /// Lends the bytes in place. What is copied out is the caller's to protect.
    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try body(UnsafeRawBufferPointer(start: memory, count: count))
    }

    /// Whether both hold the same bytes; the time taken tells only whether the lengths are the same.
    public func isEqual(to other: SecretBytes) -> Bool {
        count == other.count && sodium_memcmp(memory, other.memory, count) == 0
    }

    /// Tells the length alone.
    public var description: String { "SecretBytes(\(count))" }

    /// Shows nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Overwrites an array that held a secret.
func erase(_ bytes: inout [UInt8]) {
    bytes.withUnsafeMutableBytes { if let start = $0.baseAddress { sodium_memzero(start, $0.count) } }
}
