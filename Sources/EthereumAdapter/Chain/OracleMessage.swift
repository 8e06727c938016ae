import AdapterKit
import Primitives

/// How the oracle contract hears of an answer from outside: a call by the system's address (EIP-4788, SYSTEM_ADDRESS) of
///
/// ```solidity
/// function answered(string service, bytes request, bytes response, uint256 time) external
/// ```
///
/// where `time` is in milliseconds since 1970. What it does with it is its own affair; a call that reverts changes nothing.
enum OracleMessage {
    private static let selector = Array(
        Keccak256.hash(Array("answered(string,bytes,bytes,uint256)".utf8)).bytes.prefix(4))

    /// The call's data by the contract ABI; nil for an answer that there isn't.
    static func input(_ answer: OutsideAnswer) -> [UInt8]? {
        guard let response = answer.body else { return nil }
        let parts = [Array(answer.call.service.utf8), answer.call.body, response]
        var head: [UInt8] = []
        var tail: [UInt8] = []
        for part in parts {
            head += word(UInt64(4 * 32 + tail.count))
            tail += word(UInt64(part.count)) + part + [UInt8](repeating: 0, count: (32 - part.count % 32) % 32)
        }
        return selector + head + word(answer.time) + tail
    }

    private static func word(_ value: UInt64) -> [UInt8] { UInt256(value).bytes }
}
