internal import Primitives

/// Contract code as the interpreter wants it: padded, so that neither fetching nor PUSH checks bounds, with the places
/// that can be jumped to.
final class Code {
    /// Zero bytes after the code: PUSH32 as its last byte reads 32 of them, then comes a STOP.
    private static let paddingAfter = 33
    /// Zero bytes before the code: PUSHn loads the 32 bytes that end with its operand.
    private static let paddingBefore = 32

    let hash: Bytes32
    let count: Int
    let start: UnsafePointer<UInt8>
    private let allocation: UnsafeMutablePointer<UInt8>
    private var map: UnsafeMutablePointer<UInt8>?

    init(_ bytes: UnsafeRawBufferPointer, hash: Bytes32) {
        self.hash = hash
        count = bytes.count
        let size = Self.paddingBefore + bytes.count + Self.paddingAfter
        allocation = .allocate(capacity: size)
        allocation.initialize(repeating: 0, count: size)
        let target = allocation + Self.paddingBefore
        if let base = bytes.baseAddress {
            UnsafeMutableRawPointer(target).copyMemory(from: base, byteCount: bytes.count)
        }
        start = UnsafePointer(target)
    }

    static func make(_ bytes: [UInt8], hash: Bytes32) -> Code {
        bytes.withUnsafeBytes { Code($0, hash: hash) }
    }

    deinit {
        allocation.deallocate()
        map?.deallocate()
    }

    /// The code itself.
    var bytes: [UInt8] { Array(UnsafeBufferPointer(start: start, count: count)) }

    /// One bit a byte of code, set where a JUMPDEST stands that is not an operand. Made when the code first runs.
    var jumpMap: UnsafePointer<UInt8> {
        if let map { return UnsafePointer(map) }
        let made = UnsafeMutablePointer<UInt8>.allocate(capacity: count / 8 + 1)
        made.initialize(repeating: 0, count: count / 8 + 1)
        var pc = 0
        while pc < count {
            let opcode = start[pc]
            if opcode == 0x5b {
                made[pc >> 3] |= 1 << UInt8(pc & 7)
            } else if opcode >= 0x60, opcode <= 0x7f {
                pc += Int(opcode) - 0x5f
            }
            pc += 1
        }
        map = made
        return UnsafePointer(made)
    }
}

/// Codes by hash, with their jump maps, kept between transactions and blocks. Not for several threads at once.
public final class CodeCache {
    private var codes: [Bytes32: Code] = [:]
    private var bytesHeld = 0
    private let bytesMax: Int

    /// A cache of at most about `bytesMax` bytes of code; it starts over when that is reached.
    public init(bytesMax: Int = 64 << 20) {
        self.bytesMax = bytesMax
    }

    /// Never jumped into, so its lazy map is never made and sharing it between threads is safe.
    nonisolated(unsafe) static let noCode = Code.make([], hash: Keccak256.empty)

    func find(_ hash: Bytes32) -> Code? { codes[hash] }

    func keep(_ code: Code) {
        bytesHeld += code.count
        if bytesHeld > bytesMax {
            codes.removeAll(keepingCapacity: true)
            bytesHeld = code.count
        }
        codes[code.hash] = code
    }
}
