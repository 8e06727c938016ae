internal import Primitives

/// A call as it is about to begin, from an opcode or from a message.
struct Call {
    /// CALL, CALLCODE, DELEGATECALL or STATICCALL.
    let opcode: UInt8
    /// Index of the account that pays.
    let caller: Int
    /// Index of the account whose storage and balance the code works on.
    let account: Int
    /// Index of the account that has the code.
    let codeAccount: Int
    /// Its address.
    let code: Address
    /// ADDRESS within.
    let address: Address
    /// CALLER within.
    let sender: Address
    /// CALLVALUE within.
    let value: UInt256
    /// Whether the value moves.
    let transfers: Bool
    let isStatic: Bool
    let input: UnsafeRawBufferPointer
    let gas: Int64
    /// Where the caller wants what is returned.
    let target: Range<Int>
}

/// What became of the attempt to enter a call.
enum Entry {
    /// There is a new frame, which is to run.
    case entered
    /// It is over already: a precompile, an account without code, or an error. Gas left and output.
    case done(ExecutionResult.Status, gas: Int64, output: [UInt8])
}

extension EVM {
    /// Moves the value and makes the frame, or deals with the call at once.
    func enterCall(_ call: Call) -> Entry {
        trace(enter: call)
        let snapshot = state.snapshot()
        if call.transfers {
            state.transfer(from: call.caller, to: call.account, call.value)
        } else if call.opcode == 0xfa {
            state.touch(call.account)
        }
        if let precompile = precompiles.find(call.code) {
            let entry = run(precompile, call.input, gas: call.gas)
            if case .done(let status, _, _) = entry, status != .success { state.revert(to: snapshot) }
            trace(exit: entry)
            return entry
        }
        let code = state.code(call.codeAccount)
        if code.count == 0 {
            let entry = Entry.done(.success, gas: call.gas, output: [])
            trace(exit: entry)
            return entry
        }
        depth += 1
        let frame = frames[depth]
        frame.pointee.reset(code: code, gas: call.gas)
        frame.pointee.kind = .call
        frame.pointee.isStatic = call.isStatic
        frame.pointee.account = call.account
        frame.pointee.address = call.address
        frame.pointee.caller = call.sender
        frame.pointee.value = call.value
        frame.pointee.input = call.input
        frame.pointee.target = call.target
        frame.pointee.snapshot = snapshot
        return .entered
    }

    private func run(_ precompile: Precompile, _ input: UnsafeRawBufferPointer, gas: Int64) -> Entry {
        let bytes = Array(input)
        let price = precompile.gas(bytes)
        guard price <= UInt64(gas) else { return .done(.halt(.outOfGas), gas: 0, output: []) }
        guard let output = precompile.run(bytes) else { return .done(.halt(.precompileFailure), gas: 0, output: []) }
        return .done(.success, gas: gas - Int64(price), output: output)
    }

    /// Makes the contract's account and the frame of its initialisation code. The creator's nonce is counted already.
    func enterCreate(
        _ address: Address, opcode: UInt8, caller: Int, sender: Address, value: UInt256,
        initCode: UnsafeRawBufferPointer, gas: Int64
    ) -> Entry {
        trace(enter: opcode, from: sender, to: address, value: value, gas: gas, input: initCode)
        let index = state.index(of: address)
        if fork >= .berlin { _ = state.warmAccount(index) }
        guard !state.isTaken(index) else {
            let entry = Entry.done(.halt(.addressCollision), gas: 0, output: [])
            trace(exit: entry)
            return entry
        }
        let snapshot = state.snapshot()
        state.create(index, nonce: fork >= .spuriousDragon ? 1 : 0)
        state.transfer(from: caller, to: index, value)
        depth += 1
        let frame = frames[depth]
        frame.pointee.reset(code: Code(initCode, hash: .zero), gas: gas)
        frame.pointee.kind = .create
        frame.pointee.isStatic = false
        frame.pointee.account = index
        frame.pointee.address = address
        frame.pointee.caller = sender
        frame.pointee.value = value
        frame.pointee.input = UnsafeRawBufferPointer(start: nil, count: 0)
        frame.pointee.target = 0..<0
        frame.pointee.snapshot = snapshot
        return .entered
    }

    /// Leaves the running frame, whose `gas`, `pc` and `sp` are written back, and gives its caller the result. False if
    /// it was the outermost.
    func leave(_ end: FrameEnd) -> Bool {
        let frame = frames[depth]
        var status: ExecutionResult.Status
        switch end {
        case .success:
            status = .success
            if frame.pointee.kind == .create, let halt = deposit(frame) { status = .halt(halt) }
        case .revert: status = .revert
        case .halt(let halt): status = .halt(halt)
        }
        if status != .success { state.revert(to: frame.pointee.snapshot) }
        if case .halt = status {
            frame.pointee.gas = 0
            frame.pointee.output = 0..<0
        }
        trace(exit: status, frame)
        depth -= 1
        let isCreate = frame.pointee.kind == .create
        guard depth >= 0 else {
            finish(
                status, gas: frame.pointee.gas, output: Array(frame.pointee.outputBytes),
                created: isCreate ? frame.pointee.address : nil)
            frame.pointee.code = CodeCache.noCode
            return false
        }
        let parent = frames[depth]
        parent.pointee.gas += frame.pointee.gas
        if isCreate {
            // A contract that was made returns nothing to its maker; why it was not made is told.
            let created = status == .success ? UInt256(frame.pointee.address) : .zero
            parent.pointee.returnData =
                status == .success ? UnsafeRawBufferPointer(start: nil, count: 0) : frame.pointee.outputBytes
            push(created, parent)
        } else {
            giveOutput(frame.pointee.outputBytes, to: parent, frame.pointee.target)
            push(status == .success ? .one : .zero, parent)
        }
        return true
    }

    /// Stores the code that initialisation returned, by the rules of the fork; gives what is wrong with it.
    private func deposit(_ frame: UnsafeMutablePointer<Frame>) -> Halt? {
        let code = frame.pointee.outputBytes
        if let limit = fork.codeSizeMax, code.count > limit { return .codeTooLarge }
        if fork >= .london, code.first == 0xef { return .invalidCode }
        let price = GasPrices.codeByte * Int64(code.count)
        if price > frame.pointee.gas {
            // Frontier keeps the account, without code.
            if fork >= .homestead { return .outOfGas }
            frame.pointee.output = 0..<0
            return nil
        }
        frame.pointee.gas -= price
        if code.count > 0 { state.setCode(frame.pointee.account, Code(code, hash: Keccak256.hash(code))) }
        return nil
    }

    func push(_ word: UInt256, _ frame: UnsafeMutablePointer<Frame>) {
        frame.pointee.sp.pointee = word
        frame.pointee.sp += 1
    }

    func giveOutput(_ output: UnsafeRawBufferPointer, to parent: UnsafeMutablePointer<Frame>, _ target: Range<Int>) {
        parent.pointee.returnData = output
        let count = min(output.count, target.count)
        if count > 0, let base = output.baseAddress {
            (parent.pointee.memory + target.lowerBound).copyMemory(from: base, byteCount: count)
        }
    }
}

/// How a frame ended.
enum FrameEnd {
    case success
    case revert
    case halt(Halt)
}
