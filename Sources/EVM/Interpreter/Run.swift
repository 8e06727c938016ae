internal import Primitives

// The interpreter. Longer than other files because it is one function on purpose: program counter, stack pointer and
// gas stay in registers only as locals of one function with one switch. Calls and returns change which frame these
// locals belong to instead of recursing. Opcode numbers are literals so that the switch becomes one jump table; names,
// prices and stack effects are those of `Instruction.all`, and are checked before the switch for all alike. What is not
// hot is in functions of `Operations.swift` and `CallOperations.swift` that are not inlined.

extension EVM {
    /// Runs from the frame at ``depth`` until the outermost frame is left.
    func run<Mode: TraceMode>(_ mode: Mode.Type) {
        let entries = table.entries
        let state = state
        var frame = frames[depth]
        var pc = frame.pointee.pc
        var sp = frame.pointee.sp
        var gas = frame.pointee.gas
        var stack = frame.pointee.stack
        while true {
            var end = FrameEnd.success
            execution: while true {
                let opcode = pc.pointee
                if Mode.isOn { trace(step: pc, sp, gas: gas, frame) }
                let entry = entries[Int(opcode)]
                gas &-= Int64(truncatingIfNeeded: entry.gas)
                let height = UnsafeRawPointer(sp) - UnsafeRawPointer(stack)
                let isOutside =
                    UInt(bitPattern: height &- Int(truncatingIfNeeded: entry.heightMin))
                    > UInt(truncatingIfNeeded: entry.heightSpan)
                if isOutside || gas < 0 {
                    end = .halt(reason(opcode, height: height, gas: gas))
                    break execution
                }
                switch opcode {
                case 0x00:  // STOP
                    break execution
                case 0x01:  // ADD
                    sp -= 1
                    sp[-1] = sp[0] &+ sp[-1]
                case 0x02:  // MUL
                    sp -= 1
                    sp[-1] = sp[0] &* sp[-1]
                case 0x03:  // SUB
                    sp -= 1
                    sp[-1] = sp[0] &- sp[-1]
                case 0x04:  // DIV
                    sp -= 1
                    sp[-1] = sp[0].dividedOrZero(by: sp[-1]).quotient
                case 0x05:  // SDIV
                    sp -= 1
                    sp[-1] = signedDivision(sp[0], sp[-1])
                case 0x06:  // MOD
                    sp -= 1
                    sp[-1] = sp[0].dividedOrZero(by: sp[-1]).remainder
                case 0x07:  // SMOD
                    sp -= 1
                    sp[-1] = signedRemainder(sp[0], sp[-1])
                case 0x08:  // ADDMOD
                    sp -= 2
                    sp[-1] = addModulo(sp[1], sp[0], sp[-1])
                case 0x09:  // MULMOD
                    sp -= 2
                    sp[-1] = multiplyModulo(sp[1], sp[0], sp[-1])
                case 0x0a:  // EXP
                    sp -= 1
                    gas &-= prices.exponentByte &* Int64(sp[-1].byteLength)
                    if gas < 0 {
                        end = .halt(.outOfGas)
                        break execution
                    }
                    sp[-1] = sp[0].raised(to: sp[-1])
                case 0x0b:  // SIGNEXTEND
                    sp -= 1
                    sp[-1] = sp[-1].signExtended(fromByte: sp[0])
                case 0x10:  // LT
                    sp -= 1
                    sp[-1] = UInt256(UInt64(sp[0] < sp[-1] ? 1 : 0))
                case 0x11:  // GT
                    sp -= 1
                    sp[-1] = UInt256(UInt64(sp[-1] < sp[0] ? 1 : 0))
                case 0x12:  // SLT
                    sp -= 1
                    sp[-1] = UInt256(UInt64(sp[0].isSignedLess(than: sp[-1]) ? 1 : 0))
                case 0x13:  // SGT
                    sp -= 1
                    sp[-1] = UInt256(UInt64(sp[-1].isSignedLess(than: sp[0]) ? 1 : 0))
                case 0x14:  // EQ
                    sp -= 1
                    sp[-1] = UInt256(UInt64(sp[0] == sp[-1] ? 1 : 0))
                case 0x15:  // ISZERO
                    sp[-1] = UInt256(UInt64(sp[-1].isZero ? 1 : 0))
                case 0x16:  // AND
                    sp -= 1
                    sp[-1] = sp[0] & sp[-1]
                case 0x17:  // OR
                    sp -= 1
                    sp[-1] = sp[0] | sp[-1]
                case 0x18:  // XOR
                    sp -= 1
                    sp[-1] = sp[0] ^ sp[-1]
                case 0x19:  // NOT
                    sp[-1] = ~sp[-1]
                case 0x1a:  // BYTE
                    sp -= 1
                    let place = sp[0]
                    sp[-1] =
                        place.fitsUInt64 && place.w0 < 32
                        ? UInt256((sp[-1] >> Int(248 &- place.w0 &* 8)).w0 & 0xff) : .zero
                case 0x1b:  // SHL
                    sp -= 1
                    sp[-1] = sp[0].fitsUInt64 && sp[0].w0 < 256 ? sp[-1] << Int(sp[0].w0) : .zero
                case 0x1c:  // SHR
                    sp -= 1
                    sp[-1] = sp[0].fitsUInt64 && sp[0].w0 < 256 ? sp[-1] >> Int(sp[0].w0) : .zero
                case 0x1d:  // SAR
                    sp -= 1
                    sp[-1] = sp[-1].arithmeticShiftRight(sp[0].fitsUInt64 && sp[0].w0 < 256 ? Int(sp[0].w0) : 256)
                case 0x1e:  // CLZ
                    sp[-1] = UInt256(sp[-1].leadingZeroBitCount)
                case 0x20:  // KECCAK256
                    sp -= 1
                    gas = keccak(frame, sp, gas: gas)
                    if gas < 0 {
                        end = .halt(.outOfGas)
                        break execution
                    }
                case 0x30:  // ADDRESS
                    sp[0] = UInt256(frame.pointee.address)
                    sp += 1
                case 0x31:  // BALANCE
                    let index = state.index(of: Address(truncating: sp[-1]))
                    gas &-= accessPrice(index)
                    if gas < 0 {
                        end = .halt(.outOfGas)
                        break execution
                    }
                    sp[-1] = state.accounts[index].pointee.balance
                case 0x32:  // ORIGIN
                    sp[0] = UInt256(message.origin)
                    sp += 1
                case 0x33:  // CALLER
                    sp[0] = UInt256(frame.pointee.caller)
                    sp += 1
                case 0x34:  // CALLVALUE
                    sp[0] = frame.pointee.value
                    sp += 1
                case 0x35:  // CALLDATALOAD
                    let offset = sp[-1]
                    let input = frame.pointee.input
                    if offset.fitsUInt64, input.count >= 32, offset.w0 <= UInt64(input.count &- 32) {
                        sp[-1] = UInt256(
                            loadingBigEndian: input.baseAddress.unsafelyUnwrapped + Int(offset.w0))
                    } else {
                        sp[-1] = partialWord(input, offset)
                    }
                case 0x36:  // CALLDATASIZE
                    sp[0] = UInt256(UInt64(frame.pointee.input.count))
                    sp += 1
                case 0x37:  // CALLDATACOPY
                    sp -= 3
                    gas = copy(frame, frame.pointee.input, to: sp[2], from: sp[1], sp[0], gas: gas)
                    if gas < 0 {
                        end = .halt(.outOfGas)
                        break execution
                    }
                case 0x38:  // CODESIZE
                    sp[0] = UInt256(UInt64(frame.pointee.code.count))
                    sp += 1
                case 0x39:  // CODECOPY
                    sp -= 3
                    gas = codeCopy(frame, frame.pointee.code, to: sp[2], from: sp[1], sp[0], gas: gas)
                    if gas < 0 {
                        end = .halt(.outOfGas)
                        break execution
                    }
                case 0x3a:  // GASPRICE
                    sp[0] = message.gasPrice
                    sp += 1
                case 0x3b:  // EXTCODESIZE
                    let index = state.index(of: Address(truncating: sp[-1]))
                    gas &-= accessPrice(index)
                    if gas < 0 {
                        end = .halt(.outOfGas)
                        break execution
                    }
                    sp[-1] = UInt256(UInt64(state.code(index).count))
                case 0x3c:  // EXTCODECOPY
                    sp -= 4
                    let index = state.index(of: Address(truncating: sp[3]))
                    gas &-= accessPrice(index)
                    if gas >= 0 { gas = codeCopy(frame, state.code(index), to: sp[2], from: sp[1], sp[0], gas: gas) }
                    if gas < 0 {
                        end = .halt(.outOfGas)
                        break execution
                    }
                case 0x3d:  // RETURNDATASIZE
                    sp[0] = UInt256(UInt64(frame.pointee.returnData.count))
                    sp += 1
                case 0x3e:  // RETURNDATACOPY
                    sp -= 3
                    let (last, overflow) = sp[1].addingReportingOverflow(sp[0])
                    if overflow || last > UInt256(frame.pointee.returnData.count) {
                        end = .halt(.returnDataOutOfBounds)
                        break execution
                    }
                    gas = copy(frame, frame.pointee.returnData, to: sp[2], from: sp[1], sp[0], gas: gas)
                    if gas < 0 {
                        end = .halt(.outOfGas)
                        break execution
                    }
                case 0x3f:  // EXTCODEHASH
                    let index = state.index(of: Address(truncating: sp[-1]))
                    gas &-= accessPrice(index)
                    if gas < 0 {
                        end = .halt(.outOfGas)
                        break execution
                    }
                    sp[-1] =
                        state.accounts[index].pointee.isEmpty
                        ? .zero : UInt256(state.accounts[index].pointee.codeHash)
                case 0x40:  // BLOCKHASH
                    sp[-1] = blockHash(sp[-1])
                case 0x41:  // COINBASE
                    sp[0] = UInt256(block.coinbase)
                    sp += 1
                case 0x42:  // TIMESTAMP
                    sp[0] = UInt256(block.timestamp)
                    sp += 1
                case 0x43:  // NUMBER
                    sp[0] = UInt256(block.number)
                    sp += 1
                case 0x44:  // PREVRANDAO, DIFFICULTY before Paris
                    sp[0] = fork >= .paris ? UInt256(block.prevRandao) : block.difficulty
                    sp += 1
                case 0x45:  // GASLIMIT
                    sp[0] = UInt256(block.gasLimit)
                    sp += 1
                case 0x46:  // CHAINID
                    sp[0] = block.chainID
                    sp += 1
                case 0x47:  // SELFBALANCE
                    sp[0] = state.accounts[frame.pointee.account].pointee.balance
                    sp += 1
                case 0x48:  // BASEFEE
                    sp[0] = block.baseFee
                    sp += 1
                case 0x49:  // BLOBHASH
                    let index = sp[-1].clampedToUInt64
                    let hashes = message.blobHashes
                    sp[-1] = index < UInt64(hashes.count) ? UInt256(hashes[Int(index)]) : .zero
                case 0x4a:  // BLOBBASEFEE
                    sp[0] = block.blobBaseFee
                    sp += 1
                case 0x50:  // POP
                    sp -= 1
                case 0x51:  // MLOAD
                    let offset = sp[-1]
                    if !frame.pointee.hasWord(at: offset) {
                        gas = frame.pointee.expand(offset, 32, gas: gas)
                        if gas < 0 {
                            end = .halt(.outOfGas)
                            break execution
                        }
                    }
                    sp[-1] = UInt256(loadingBigEndian: frame.pointee.memory + Int(truncatingIfNeeded: offset.w0))
                case 0x52:  // MSTORE
                    sp -= 2
                    let offset = sp[1]
                    if !frame.pointee.hasWord(at: offset) {
                        gas = frame.pointee.expand(offset, 32, gas: gas)
                        if gas < 0 {
                            end = .halt(.outOfGas)
                            break execution
                        }
                    }
                    sp[0].storeBigEndian(to: frame.pointee.memory + Int(truncatingIfNeeded: offset.w0))
                case 0x53:  // MSTORE8
                    sp -= 2
                    let offset = sp[1]
                    gas = frame.pointee.expand(offset, .one, gas: gas)
                    if gas < 0 {
                        end = .halt(.outOfGas)
                        break execution
                    }
                    frame.pointee.memory.storeBytes(
                        of: UInt8(truncatingIfNeeded: sp[0].w0), toByteOffset: Int(truncatingIfNeeded: offset.w0),
                        as: UInt8.self)
                case 0x54:  // SLOAD
                    let slot = state.slot(frame.pointee.account, sp[-1])
                    if prices.coldSlot > 0, state.warmSlot(slot) {
                        gas &-= prices.coldSlot
                        if gas < 0 {
                            end = .halt(.outOfGas)
                            break execution
                        }
                    }
                    sp[-1] = slot.pointee.value
                case 0x55:  // SSTORE
                    sp -= 2
                    if frame.pointee.isStatic {
                        end = .halt(.staticViolation)
                        break execution
                    }
                    gas = store(frame.pointee.account, sp[1], sp[0], gas: gas)
                    if gas < 0 {
                        end = .halt(.outOfGas)
                        break execution
                    }
                case 0x56:  // JUMP
                    sp -= 1
                    guard let target = frame.pointee.jumpTarget(sp[0]) else {
                        end = .halt(.invalidJump)
                        break execution
                    }
                    pc = target
                    continue execution
                case 0x57:  // JUMPI
                    sp -= 2
                    if !sp[0].isZero {
                        guard let target = frame.pointee.jumpTarget(sp[1]) else {
                            end = .halt(.invalidJump)
                            break execution
                        }
                        pc = target
                        continue execution
                    }
                case 0x58:  // PC
                    sp[0] = UInt256(UInt64(pc - frame.pointee.code.start))
                    sp += 1
                case 0x59:  // MSIZE
                    sp[0] = UInt256(UInt64(frame.pointee.memorySize))
                    sp += 1
                case 0x5a:  // GAS
                    sp[0] = UInt256(UInt64(gas))
                    sp += 1
                case 0x5b:  // JUMPDEST
                    break
                case 0x5c:  // TLOAD
                    sp[-1] = state.transientValue(frame.pointee.account, sp[-1])
                case 0x5d:  // TSTORE
                    sp -= 2
                    if frame.pointee.isStatic {
                        end = .halt(.staticViolation)
                        break execution
                    }
                    state.setTransient(frame.pointee.account, sp[1], sp[0])
                case 0x5e:  // MCOPY
                    sp -= 3
                    gas = memoryCopy(frame, to: sp[2], from: sp[1], sp[0], gas: gas)
                    if gas < 0 {
                        end = .halt(.outOfGas)
                        break execution
                    }
                case 0x5f:  // PUSH0
                    sp[0] = .zero
                    sp += 1
                case 0x60:  // PUSH1
                    sp[0] = UInt256(UInt64(pc[1]))
                    sp += 1
                    pc += 1
                case 0x61:  // PUSH2
                    sp[0] = UInt256(UInt64(pc[1]) &<< 8 | UInt64(pc[2]))
                    sp += 1
                    pc += 2
                case 0x62, 0x63, 0x64, 0x65, 0x66, 0x67:  // PUSH3 to PUSH8
                    let count = Int(opcode &- 0x5f)
                    let word = UnsafeRawPointer(pc).loadUnaligned(fromByteOffset: 1, as: UInt64.self)
                    sp[0] = UInt256(UInt64(bigEndian: word) &>> UInt64(64 &- count &* 8))
                    sp += 1
                    pc += count
                case 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77,
                    0x78, 0x79, 0x7a, 0x7b, 0x7c, 0x7d, 0x7e:  // PUSH9 to PUSH31
                    let count = Int(opcode &- 0x5f)
                    sp[0] = pushed(pc, count)
                    sp += 1
                    pc += count
                case 0x7f:  // PUSH32
                    sp[0] = UInt256(loadingBigEndian: pc + 1)
                    sp += 1
                    pc += 32
                case 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e,
                    0x8f:  // DUP1 to DUP16
                    sp[0] = sp[0x7f &- Int(opcode)]
                    sp += 1
                case 0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e,
                    0x9f:  // SWAP1 to SWAP16
                    let other = 0x8e &- Int(opcode)
                    let word = sp[other]
                    sp[other] = sp[-1]
                    sp[-1] = word
                case 0xa0, 0xa1, 0xa2, 0xa3, 0xa4:  // LOG0 to LOG4
                    if frame.pointee.isStatic {
                        end = .halt(.staticViolation)
                        break execution
                    }
                    let topics = Int(opcode &- 0xa0)
                    sp -= topics + 2
                    gas = log(frame, sp, topics: topics, gas: gas)
                    if gas < 0 {
                        end = .halt(.outOfGas)
                        break execution
                    }
                case 0xf3, 0xfd:  // RETURN, REVERT
                    sp -= 2
                    gas = frame.pointee.expand(sp[1], sp[0], gas: gas)
                    if gas < 0 {
                        end = .halt(.outOfGas)
                        break execution
                    }
                    frame.pointee.output =
                        sp[0].isZero ? 0..<0 : Int(sp[1].w0)..<Int(sp[1].w0 + sp[0].w0)
                    end = opcode == 0xf3 ? .success : .revert
                    break execution
                case 0xff:  // SELFDESTRUCT
                    frame.pointee.gas = gas
                    frame.pointee.sp = sp
                    if let halt = selfDestruct(frame) { end = .halt(halt) }
                    gas = frame.pointee.gas
                    break execution
                case 0xf0, 0xf1, 0xf2, 0xf4, 0xf5, 0xfa:  // CREATE, CALL, CALLCODE, DELEGATECALL, CREATE2, STATICCALL
                    frame.pointee.pc = pc + 1
                    frame.pointee.sp = sp
                    frame.pointee.gas = gas
                    switch opcode == 0xf0 || opcode == 0xf5 ? create(opcode, frame) : call(opcode, frame) {
                    case .resume:
                        sp = frame.pointee.sp
                        gas = frame.pointee.gas
                    case .enter:
                        frame = frames[depth]
                        pc = frame.pointee.pc
                        sp = frame.pointee.sp
                        gas = frame.pointee.gas
                        stack = frame.pointee.stack
                        continue execution
                    case .halt(let halt):
                        end = .halt(halt)
                        break execution
                    }
                default:
                    end = .halt(.undefinedOpcode)
                    break execution
                }
                pc += 1
            }
            frame.pointee.gas = gas
            guard leave(end) else { return }
            frame = frames[depth]
            pc = frame.pointee.pc
            sp = frame.pointee.sp
            gas = frame.pointee.gas
            stack = frame.pointee.stack
        }
    }

    /// Which of the checks before an operation failed.
    @inline(never)
    private func reason(_ opcode: UInt8, height: Int, gas: Int64) -> Halt {
        let entry = table.entries[Int(opcode)]
        if !entry.isDefined { return .undefinedOpcode }
        if height < Int(entry.heightMin) { return .stackUnderflow }
        return height > Int(entry.heightMin) + Int(entry.heightSpan) ? .stackOverflow : .outOfGas
    }
}
