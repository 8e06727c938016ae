internal import Primitives

// Operations that are not inlined into the interpreter's loop. Those that cost more than their static gas take the gas
// left and give what is left after them, below 0 for out of gas.

extension Frame {
    /// Whether the 32 bytes at an offset are within the memory in use.
    @inline(__always)
    func hasWord(at offset: UInt256) -> Bool {
        offset.fitsUInt64 && memorySize >= 32 && offset.w0 <= UInt64(truncatingIfNeeded: memorySize &- 32)
    }

    /// Where a jump goes; nil if that is no JUMPDEST.
    @inline(__always)
    mutating func jumpTarget(_ target: UInt256) -> UnsafePointer<UInt8>? {
        guard target.fitsUInt64, target.w0 < UInt64(truncatingIfNeeded: code.count) else { return nil }
        let place = Int(truncatingIfNeeded: target.w0)
        if let jumpMap {
            return jumpMap[place &>> 3] &>> UInt8(truncatingIfNeeded: place & 7) & 1 == 1 ? code.start + place : nil
        }
        return firstJump(place)
    }

    @inline(never)
    private mutating func firstJump(_ place: Int) -> UnsafePointer<UInt8>? {
        let map = code.jumpMap
        jumpMap = map
        return map[place >> 3] >> UInt8(place & 7) & 1 == 1 ? code.start + place : nil
    }
}

extension EVM {
    @inline(never)
    func signedDivision(_ a: UInt256, _ b: UInt256) -> UInt256 { a.signedDividedOrZero(by: b) }

    @inline(never)
    func signedRemainder(_ a: UInt256, _ b: UInt256) -> UInt256 { a.signedRemainderOrZero(by: b) }

    @inline(never)
    func addModulo(_ a: UInt256, _ b: UInt256, _ m: UInt256) -> UInt256 { a.addedModulo(b, m) }

    @inline(never)
    func multiplyModulo(_ a: UInt256, _ b: UInt256, _ m: UInt256) -> UInt256 { a.multipliedModulo(b, m) }

    /// The operand of PUSH9 to PUSH31. The code's padding makes the load before its start safe.
    @inline(__always)
    func pushed(_ pc: UnsafePointer<UInt8>, _ count: Int) -> UInt256 {
        UInt256(loadingBigEndian: pc + count - 31) & (UInt256.max >> (256 &- count &* 8))
    }

    /// KECCAK256: offset at `sp[0]`, length at `sp[-1]`, which becomes the digest.
    @inline(never)
    func keccak(_ frame: UnsafeMutablePointer<Frame>, _ sp: UnsafeMutablePointer<UInt256>, gas: Int64) -> Int64 {
        let (offset, length) = (sp[0], sp[-1])
        var left = frame.pointee.expand(offset, length, gas: gas)
        guard left >= 0 else { return left }
        left -= GasPrices.hashWord * Int64((length.w0 + 31) / 32)
        guard left >= 0 else { return left }
        sp[-1] = UInt256(Keccak256.hash(frame.pointee.memorySlice(offset, length)))
        return left
    }

    /// CALLDATALOAD across the end of the call data.
    @inline(never)
    func partialWord(_ source: UnsafeRawBufferPointer, _ offset: UInt256) -> UInt256 {
        guard offset.fitsUInt64, offset.w0 < UInt64(source.count) else { return .zero }
        var word = UInt256.zero
        for i in 0..<32 {
            let place = Int(offset.w0) + i
            word = word << 8 | UInt256(UInt64(place < source.count ? source[place] : 0))
        }
        return word
    }

    /// CALLDATACOPY, RETURNDATACOPY and the copies of code.
    @inline(never)
    func copy(
        _ frame: UnsafeMutablePointer<Frame>, _ source: UnsafeRawBufferPointer, to target: UInt256,
        from offset: UInt256, _ length: UInt256, gas: Int64
    ) -> Int64 {
        var left = frame.pointee.expand(target, length, gas: gas)
        guard left >= 0 else { return left }
        left -= GasPrices.copyWord * Int64((length.w0 + 31) / 32)
        guard left >= 0 else { return left }
        frame.pointee.copy(source, from: offset, to: target, length)
        return left
    }

    @inline(never)
    func codeCopy(
        _ frame: UnsafeMutablePointer<Frame>, _ code: Code, to target: UInt256, from offset: UInt256,
        _ length: UInt256, gas: Int64
    ) -> Int64 {
        copy(
            frame, UnsafeRawBufferPointer(start: code.start, count: code.count), to: target, from: offset, length,
            gas: gas)
    }

    /// MCOPY (EIP-5656).
    @inline(never)
    func memoryCopy(
        _ frame: UnsafeMutablePointer<Frame>, to target: UInt256, from source: UInt256, _ length: UInt256, gas: Int64
    ) -> Int64 {
        var left = frame.pointee.expand(max(target, source), length, gas: gas)
        guard left >= 0 else { return left }
        left -= GasPrices.copyWord * Int64((length.w0 + 31) / 32)
        guard left >= 0, !length.isZero else { return left }
        let memory = frame.pointee.memory
        (memory + Int(target.w0)).copyMemory(from: memory + Int(source.w0), byteCount: Int(length.w0))
        return left
    }

    /// BLOCKHASH: 0 unless the block is one of the 256 before this one.
    @inline(never)
    func blockHash(_ number: UInt256) -> UInt256 {
        guard number.fitsUInt64, number.w0 < block.number, block.number - number.w0 <= 256 else { return .zero }
        return UInt256(state.reader.blockHash(number.w0))
    }

    /// LOG0 to LOG4: offset, length and topics lie above `sp`, the offset on top.
    @inline(never)
    func log(
        _ frame: UnsafeMutablePointer<Frame>, _ sp: UnsafeMutablePointer<UInt256>, topics: Int, gas: Int64
    ) -> Int64 {
        let (offset, length) = (sp[topics + 1], sp[topics])
        var left = frame.pointee.expand(offset, length, gas: gas)
        guard left >= 0 else { return left }
        left -= GasPrices.logByte * Int64(length.w0)
        guard left >= 0 else { return left }
        state.logs.append(
            Log(
                address: frame.pointee.address, topics: (0..<topics).map { Bytes32(sp[topics - 1 - $0]) },
                data: Array(frame.pointee.memorySlice(offset, length))))
        return left
    }

    /// SSTORE by the rules of the fork: EIP-2200 as changed by 2929 and 3529, EIP-1283, or the first rules.
    @inline(never)
    func store(_ account: Int, _ key: UInt256, _ value: UInt256, gas: Int64) -> Int64 {
        guard gas > prices.storeStipend else { return -1 }
        var left = gas
        let slot = state.slot(account, key)
        if prices.coldStore > 0, state.warmSlot(slot) { left -= prices.coldStore }
        let current = slot.pointee.value
        if prices.storeIsNet {
            let original = slot.pointee.original
            if current == value {
                left -= prices.storeNoop
            } else if current == original {
                left -= original.isZero ? prices.storeSet : prices.storeReset
                if !original.isZero, value.isZero { state.refund += prices.storeClearRefund }
            } else {
                left -= prices.storeNoop
                if !original.isZero {
                    if current.isZero { state.refund -= prices.storeClearRefund }
                    if value.isZero { state.refund += prices.storeClearRefund }
                }
                if value == original {
                    state.refund += (original.isZero ? prices.storeSet : prices.storeReset) - prices.storeNoop
                }
            }
        } else {
            left -= current.isZero && !value.isZero ? prices.storeSet : prices.storeReset
            if !current.isZero, value.isZero { state.refund += prices.storeClearRefund }
        }
        guard left >= 0 else { return left }
        if current != value { state.setSlot(slot, value) }
        return left
    }
}
