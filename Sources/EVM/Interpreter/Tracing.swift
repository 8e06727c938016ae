internal import Primitives

/// Compiles the interpreter with or without calls of the tracer.
protocol TraceMode {
    static var isOn: Bool { get }
}

enum Untraced: TraceMode {
    @inline(__always) static var isOn: Bool { false }
}

enum Traced: TraceMode {
    @inline(__always) static var isOn: Bool { true }
}

extension EVM {
    @inline(never)
    func trace(
        step pc: UnsafePointer<UInt8>, _ sp: UnsafeMutablePointer<UInt256>, gas: Int64,
        _ frame: UnsafeMutablePointer<Frame>
    ) {
        tracer?.step(
            TraceStep(
                pc: pc - frame.pointee.code.start, opcode: pc.pointee, gas: UInt64(gas), depth: depth + 1,
                address: frame.pointee.address,
                stack: UnsafeBufferPointer(start: frame.pointee.stack, count: sp - frame.pointee.stack),
                memory: UnsafeRawBufferPointer(start: frame.pointee.memory, count: frame.pointee.memorySize),
                returnData: frame.pointee.returnData, refund: state.refund))
    }

    @inline(__always)
    func trace(enter call: Call) {
        if tracer != nil {
            trace(
                enter: call.opcode, from: call.opcode == 0xf4 ? call.address : call.sender, to: call.code,
                value: call.value, gas: call.gas, input: call.input)
        }
    }

    func trace(
        enter kind: UInt8, from: Address, to: Address, value: UInt256, gas: Int64, input: UnsafeRawBufferPointer
    ) {
        tracer?.enter(TraceCall(kind: kind, from: from, to: to, value: value, gas: UInt64(gas), input: input))
    }

    @inline(__always)
    func trace(exit entry: Entry) {
        guard let tracer, case .done(let status, let gas, let output) = entry else { return }
        output.withUnsafeBytes { tracer.exit(TraceResult(status: status, gasLeft: UInt64(gas), output: $0)) }
    }

    @inline(__always)
    func trace(exit status: ExecutionResult.Status, _ frame: UnsafeMutablePointer<Frame>) {
        tracer?.exit(
            TraceResult(
                status: status, gasLeft: UInt64(frame.pointee.gas), output: frame.pointee.outputBytes))
    }
}
