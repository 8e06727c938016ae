internal import Primitives

/// What the interpreter does after an operation that may enter a frame.
enum Step {
    /// The operation is over: go on in the same frame.
    case resume
    /// Another frame runs now.
    case enter
    /// The frame ends.
    case halt(Halt)
}

extension EVM {
    /// Gas for the first access of an account (EIP-2929), over what the opcode costs.
    func accessPrice(_ index: Int) -> Int64 {
        guard prices.coldAccount > 0, state.warmAccount(index) else { return 0 }
        return precompiles.find(state.accounts[index].pointee.address) == nil ? prices.coldAccount : 0
    }

    /// CALL, CALLCODE, DELEGATECALL, STATICCALL. The frame's `sp` still has the operands, `gas` is after static gas.
    @inline(never)
    func call(_ opcode: UInt8, _ frame: UnsafeMutablePointer<Frame>) -> Step {
        let hasValue = opcode == 0xf1 || opcode == 0xf2
        let words = hasValue ? 7 : 6
        let operands = frame.pointee.sp - words
        let gasAsked = operands[words - 1]
        let to = Address(truncating: operands[words - 2])
        let value = hasValue ? operands[words - 3] : .zero
        let (inputOffset, inputLength) = (operands[3], operands[2])
        let (outputOffset, outputLength) = (operands[1], operands[0])
        frame.pointee.sp = operands
        frame.pointee.returnData = UnsafeRawBufferPointer(start: nil, count: 0)
        if opcode == 0xf1, frame.pointee.isStatic, !value.isZero { return .halt(.staticViolation) }

        var gas = frame.pointee.expand(inputOffset, inputLength, gas: frame.pointee.gas)
        guard gas >= 0 else { return .halt(.outOfGas) }
        gas = frame.pointee.expand(outputOffset, outputLength, gas: gas)
        guard gas >= 0 else { return .halt(.outOfGas) }
        let index = state.index(of: to)
        gas -= accessPrice(index)
        var codeAccount = index
        if fork >= .prague, let delegate = state.delegate(of: index) {
            codeAccount = delegate
            gas -= GasPrices.warmAccount + accessPrice(delegate)
        }
        if !value.isZero { gas -= GasPrices.callValue }
        if opcode == 0xf1 {
            let target = state.accounts[index]
            let makesAccount =
                fork >= .spuriousDragon ? !value.isZero && target.pointee.isEmpty : !target.pointee.exists
            if makesAccount { gas -= GasPrices.newAccount }
        }
        guard gas >= 0 else { return .halt(.outOfGas) }
        let asked = Int64(clamping: gasAsked.clampedToUInt64)
        var given: Int64
        if fork >= .tangerineWhistle {
            given = min(asked, gas - gas / 64)
        } else {
            guard asked <= gas else { return .halt(.outOfGas) }
            given = asked
        }
        gas -= given
        if !value.isZero { given += GasPrices.callStipend }
        frame.pointee.gas = gas
        let account = frame.pointee.account
        guard depth < 1024, !hasValue || value <= state.accounts[account].pointee.balance else {
            frame.pointee.gas += given
            push(.zero, frame)
            return .resume
        }
        let target = outputLength.isZero ? 0..<0 : Int(outputOffset.w0)..<Int(outputOffset.w0 + outputLength.w0)
        let runsHere = opcode == 0xf2 || opcode == 0xf4
        let isDelegate = opcode == 0xf4
        let entry = enterCall(
            Call(
                opcode: opcode, caller: account, account: runsHere ? account : index, codeAccount: codeAccount,
                code: to,
                address: runsHere ? frame.pointee.address : to,
                sender: isDelegate ? frame.pointee.caller : frame.pointee.address,
                value: isDelegate ? frame.pointee.value : value, transfers: opcode == 0xf1,
                isStatic: frame.pointee.isStatic || opcode == 0xfa,
                input: frame.pointee.memorySlice(inputOffset, inputLength), gas: given, target: target))
        switch entry {
        case .entered: return .enter
        case .done(let status, let gasLeft, let output):
            frame.pointee.gas += gasLeft
            frame.pointee.setReturnData(copying: output)
            giveOutput(frame.pointee.returnData, to: frame, target)
            push(status == .success ? .one : .zero, frame)
            return .resume
        }
    }

    /// CREATE, CREATE2.
    @inline(never)
    func create(_ opcode: UInt8, _ frame: UnsafeMutablePointer<Frame>) -> Step {
        if frame.pointee.isStatic { return .halt(.staticViolation) }
        let isCreate2 = opcode == 0xf5
        let words = isCreate2 ? 4 : 3
        let operands = frame.pointee.sp - words
        let value = operands[words - 1]
        let offset = operands[words - 2]
        let length = operands[words - 3]
        let salt = operands[0]
        frame.pointee.sp = operands
        frame.pointee.returnData = UnsafeRawBufferPointer(start: nil, count: 0)
        if let limit = fork.initCodeSizeMax, length > UInt256(limit) { return .halt(.initCodeTooLarge) }
        var gas = frame.pointee.expand(offset, length, gas: frame.pointee.gas)
        guard gas >= 0 else { return .halt(.outOfGas) }
        let lengthWords = Int64((length.w0 + 31) / 32)
        if fork >= .shanghai { gas -= GasPrices.initCodeWord * lengthWords }
        if isCreate2 { gas -= GasPrices.hashWord * lengthWords }
        guard gas >= 0 else { return .halt(.outOfGas) }
        frame.pointee.gas = gas
        let account = frame.pointee.account
        let nonce = state.accounts[account].pointee.nonce
        guard depth < 1024, value <= state.accounts[account].pointee.balance, nonce < .max else {
            push(.zero, frame)
            return .resume
        }
        let given = fork >= .tangerineWhistle ? gas - gas / 64 : gas
        frame.pointee.gas = gas - given
        state.setNonce(account, nonce + 1)
        let initCode = frame.pointee.memorySlice(offset, length)
        let sender = frame.pointee.address
        let address =
            isCreate2
            ? Address.contract(of: sender, salt: Bytes32(salt), initCodeHash: Keccak256.hash(initCode))
            : Address.contract(of: sender, nonce: nonce)
        let entry = enterCreate(
            address, opcode: opcode, caller: account, sender: sender, value: value, initCode: initCode, gas: given)
        switch entry {
        case .entered: return .enter
        case .done(_, let gasLeft, _):
            frame.pointee.gas += gasLeft
            push(.zero, frame)
            return .resume
        }
    }

    /// SELFDESTRUCT. Gives what is wrong; the frame's gas is updated.
    @inline(never)
    func selfDestruct(_ frame: UnsafeMutablePointer<Frame>) -> Halt? {
        if frame.pointee.isStatic { return .staticViolation }
        let heirAddress = Address(truncating: frame.pointee.sp[-1])
        let heir = state.index(of: heirAddress)
        let account = frame.pointee.account
        let balance = state.accounts[account].pointee.balance
        var gas = frame.pointee.gas
        if prices.coldAccount > 0, accessPrice(heir) > 0 {
            // Here the warm price is not in the opcode's.
            gas -= prices.coldAccount + GasPrices.warmAccount
        }
        let target = state.accounts[heir]
        if fork >= .spuriousDragon {
            if !balance.isZero, target.pointee.isEmpty { gas -= GasPrices.newAccount }
        } else if fork >= .tangerineWhistle {
            if !target.pointee.exists { gas -= GasPrices.newAccount }
        }
        guard gas >= 0 else { return .outOfGas }
        frame.pointee.gas = gas
        trace(
            enter: 0xff, from: frame.pointee.address, to: heirAddress, value: balance, gas: 0, input: .init(noBytes: ())
        )
        trace(exit: .done(.success, gas: 0, output: []))
        if fork >= .cancun, state.accounts[account].pointee.created != state.stamp {
            // EIP-6780: only a contract of this very transaction goes; any other just gives its wei away.
            if heir != account { state.transfer(from: account, to: heir, balance) }
            return nil
        }
        state.addBalance(heir, balance)
        state.setBalance(account, .zero)
        if state.destruct(account) { state.refund += prices.destructRefund }
        return nil
    }
}

extension UnsafeRawBufferPointer {
    init(noBytes: ()) { self.init(start: nil, count: 0) }
}
