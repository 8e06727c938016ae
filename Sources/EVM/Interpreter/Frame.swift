internal import Primitives

/// One call in progress. Frames are pooled by depth: stack and memory are kept when a call ends and used by the next.
///
/// While a frame runs, `pc`, `sp` and `gas` live in locals of ``EVM/run(_:)``; they are written back here before
/// anything that enters or leaves a frame.
struct Frame {
    /// What is to be done with what the frame returns.
    enum Kind {
        case call, create
    }

    // MARK: The machine

    var pc: UnsafePointer<UInt8>
    /// One past the top of the stack, which grows upwards.
    var sp: UnsafeMutablePointer<UInt256>
    var gas: Int64 = 0
    let stack: UnsafeMutablePointer<UInt256>
    var memory: UnsafeMutableRawPointer
    /// Bytes in use, always whole words.
    var memorySize = 0
    private var memoryCapacity: Int
    /// Gas paid for the memory so far.
    private var memoryCost: Int64 = 0

    // MARK: The call

    var code: Code
    var jumpMap: UnsafePointer<UInt8>?
    var kind = Kind.call
    var isStatic = false
    /// Index of the account that executes: its storage, its balance.
    var account = 0
    var address = Address.zero
    var caller = Address.zero
    var value = UInt256.zero
    /// Call data: a window on the caller's memory, which rests while this frame runs.
    var input = UnsafeRawBufferPointer(start: nil, count: 0)
    /// What the last call returned: a window on the memory of the frame above, or on ``precompileOutput``.
    var returnData = UnsafeRawBufferPointer(start: nil, count: 0)
    var precompileOutput = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    /// Where RETURN or REVERT left its data in ``memory``.
    var output = 0..<0
    /// Where the caller wants it in its memory.
    var target = 0..<0
    var snapshot = Snapshot(journalCount: 0, logCount: 0, refund: 0)

    /// Bytes of memory kept for the next call at this depth.
    private static let memoryKept = 1 << 20
    /// Bytes of memory at most: their price is over 3.5 * 10^13 gas, which no block can pay.
    static let memoryMax = 1 << 32

    init() {
        stack = .allocate(capacity: InstructionTable.stackLimit)
        sp = stack
        memoryCapacity = 4096
        memory = .allocate(byteCount: memoryCapacity, alignment: 16)
        code = CodeCache.noCode
        pc = code.start
    }

    func destroy() {
        stack.deallocate()
        memory.deallocate()
        precompileOutput.deallocate()
    }

    /// Readies a pooled frame for a call.
    mutating func reset(code: Code, gas: Int64) {
        self.code = code
        self.gas = gas
        pc = code.start
        sp = stack
        jumpMap = nil
        memorySize = 0
        memoryCost = 0
        if memoryCapacity > Self.memoryKept {
            memory.deallocate()
            memoryCapacity = 4096
            memory = .allocate(byteCount: memoryCapacity, alignment: 16)
        }
        returnData = UnsafeRawBufferPointer(start: nil, count: 0)
        output = 0..<0
    }

    /// Pays for and zeroes memory up to `offset + length`; gives the gas left, below 0 if there is not enough.
    @inline(never)
    mutating func expand(_ offset: UInt256, _ length: UInt256, gas: Int64) -> Int64 {
        if length.isZero { return gas }
        guard offset.fitsUInt64, length.fitsUInt64 else { return -1 }
        let (end, overflow) = offset.w0.addingReportingOverflow(length.w0)
        guard !overflow, end <= UInt64(Self.memoryMax) else { return -1 }
        if end <= UInt64(memorySize) { return gas }
        let words = Int64((end + 31) / 32)
        let cost = words * 3 + words * words / 512
        let left = gas - (cost - memoryCost)
        guard left >= 0 else { return left }
        memoryCost = cost
        let size = Int(words) * 32
        if size > memoryCapacity {
            let capacity = max(size, min(memoryCapacity * 2, Self.memoryMax))
            let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
            larger.copyMemory(from: memory, byteCount: memorySize)
            memory.deallocate()
            memory = larger
            memoryCapacity = capacity
        }
        (memory + memorySize).initializeMemory(as: UInt8.self, repeating: 0, count: size - memorySize)
        memorySize = size
        return left
    }

    /// Copies from a source that reads as zeros past its end. The target range is expanded already.
    func copy(_ source: UnsafeRawBufferPointer, from offset: UInt256, to target: UInt256, _ length: UInt256) {
        if length.isZero { return }
        let count = Int(length.w0)
        let place = memory + Int(target.w0)
        var present = 0
        if offset.fitsUInt64, offset.w0 < UInt64(source.count), let base = source.baseAddress {
            present = min(count, source.count - Int(offset.w0))
            place.copyMemory(from: base + Int(offset.w0), byteCount: present)
        }
        if present < count {
            (place + present).initializeMemory(as: UInt8.self, repeating: 0, count: count - present)
        }
    }

    /// A range of memory that is expanded already.
    func memorySlice(_ offset: UInt256, _ length: UInt256) -> UnsafeRawBufferPointer {
        length.isZero
            ? UnsafeRawBufferPointer(start: nil, count: 0)
            : UnsafeRawBufferPointer(start: memory + Int(offset.w0), count: Int(length.w0))
    }

    mutating func setReturnData(copying bytes: [UInt8]) {
        if precompileOutput.count < bytes.count {
            precompileOutput.deallocate()
            precompileOutput = .allocate(byteCount: max(64, bytes.count), alignment: 16)
        }
        precompileOutput.copyBytes(from: bytes)
        returnData = UnsafeRawBufferPointer(rebasing: precompileOutput[..<bytes.count])
    }

    /// What the frame returned.
    var outputBytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: output.isEmpty ? nil : memory + output.lowerBound, count: output.count)
    }
}

/// The frames of one EVM by depth, made when first needed: an iterative interpreter needs 1025 of these instead of 1025
/// native stack frames.
struct FramePool {
    private var frames: [UnsafeMutablePointer<Frame>] = []

    subscript(depth: Int) -> UnsafeMutablePointer<Frame> {
        mutating get {
            while frames.count <= depth {
                let frame = UnsafeMutablePointer<Frame>.allocate(capacity: 1)
                frame.initialize(to: Frame())
                frames.append(frame)
            }
            return frames[depth]
        }
    }

    func destroy() {
        for frame in frames {
            frame.pointee.destroy()
            frame.deinitialize(count: 1)
            frame.deallocate()
        }
    }
}
