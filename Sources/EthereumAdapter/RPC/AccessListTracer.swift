import EVM
import Primitives

/// Notes the accounts and slots that an execution touches, for eth_createAccessList.
final class AccessListTracer: Tracer {
    private let excluded: Set<Address>
    private var slots: [Address: Set<Bytes32>] = [:]

    /// A tracer that leaves out accounts that are warm anyway, but notes their slots.
    init(excluding excluded: Set<Address>) { self.excluded = excluded }

    /// Number of precompiles that count as warm: 0x01 to 0x11, and P256VERIFY's 0x100.
    static func isPrecompile(_ address: Address) -> Bool {
        let number = UInt256(address)
        return !number.isZero && (number <= UInt256(0x11 as UInt64) || number == UInt256(0x100 as UInt64))
    }

    func step(_ step: TraceStep) {
        switch step.opcode {
        case 0x54, 0x55:  // SLOAD, SSTORE
            if let slot = step.stack.last { slots[step.address, default: []].insert(Bytes32(slot)) }
        case 0x31, 0x3B, 0x3C, 0x3F, 0xFF:  // BALANCE, EXTCODESIZE, EXTCODECOPY, EXTCODEHASH, SELFDESTRUCT
            if let word = step.stack.last { add(word) }
        case 0xF1, 0xF2, 0xF4, 0xFA:  // CALL, CALLCODE, DELEGATECALL, STATICCALL
            if step.stack.count >= 5 { add(step.stack[step.stack.count - 2]) }
        default: break
        }
    }

    func enter(_ call: TraceCall) {}

    func exit(_ result: TraceResult) {}

    private func add(_ word: UInt256) {
        let address = Address(truncating: word)
        if !excluded.contains(address), !Self.isPrecompile(address) { _ = slots[address, default: []] }
    }

    /// The list, in order of address and slot. An excluded account is in it if it has slots.
    var list: [Transaction.AccessListEntry] {
        slots.sorted { $0.key < $1.key }.compactMap { address, slots in
            if slots.isEmpty, excluded.contains(address) { return nil }
            return .init(address: address, slots: slots.sorted())
        }
    }
}
