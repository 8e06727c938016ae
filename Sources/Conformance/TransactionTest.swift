import EVM
import EthereumAdapter
import Primitives

/// Bytes that are a transaction with a hash, a sender and an intrinsic gas under the rules of some forks, and under
/// others none.
enum TransactionTest {
    static func run(
        _ test: CaseFields, fork only: Fork?, each: (Fork, String?) -> Void
    ) throws(CaseFileError) {
        // Some files hold no hex on purpose: then there is nothing to decode, and no fork may take it.
        let raw = CaseFields.bytes(try test.string("txbytes")) ?? []
        let results = try test.fields("result")
        for member in results.object.members {
            guard let fork = Fork(caseName: member.name) else { throw results.error(member.name, "unknown fork") }
            guard only == nil || only == fork else { continue }
            each(fork, try check(raw, fork, results.fields(member.name)))
        }
    }

    private static func check(_ raw: [UInt8], _ fork: Fork, _ expected: CaseFields) throws(CaseFileError) -> String? {
        let isValid = expected.has("hash")
        do throws(TransactionError) {
            let signed = try SignedTransaction(decoding: raw)
            let sender = try signed.sender(chainID: 1, fork: fork)
            try signed.transaction.validate(fork)
            guard isValid else { return "accepted" }
            return try compare(signed, sender, fork, expected)
        } catch let refusal {
            guard isValid else {
                let exception = expected.has("exception") ? try expected.string("exception") : ""
                return agrees(refusal, exception) ? nil : "refused for \(refusal), not for \(exception)"
            }
            return "refused: \(refusal)"
        }
    }

    private static func compare(
        _ signed: SignedTransaction, _ sender: Address, _ fork: Fork, _ expected: CaseFields
    ) throws(TransactionError) -> String? {
        do {
            let hash = try expected.hash("hash")
            if signed.hash != hash { return "hash \(signed.hash), not \(hash)" }
            let wanted = try expected.address("sender")
            if sender != wanted { return "sender \(sender), not \(wanted)" }
            let gas = try expected.quantity("intrinsicGas")
            let found = signed.transaction.intrinsicGas(fork)
            return UInt256(found) == gas ? nil : "intrinsic gas \(found), not \(gas)"
        } catch { return "\(error)" }
    }

    /// Whether our refusal is of the kind that the files name (of several names, separated by `|`, one).
    private static func agrees(_ refusal: TransactionError, _ exception: String) -> Bool {
        exception.split(separator: "|").contains { agrees(refusal.code, $0.split(separator: ".").last ?? "") }
    }

    private static func agrees(_ code: TransactionError.Code, _ name: Substring) -> Bool {
        switch code {
        case .malformed, .nonceMax:
            name.hasPrefix("RLP_") || name.hasPrefix("ADDRESS_") || name.hasSuffix("_OVERFLOW")
                || ["NONCE_TOO_BIG", "NONCE_IS_MAX", "INVALID_SIGNATURE_VRS", "TYPE_NOT_SUPPORTED"].contains(name)
        case .unsupportedType: name == "TYPE_NOT_SUPPORTED" || name.hasPrefix("RLP_")
        case .invalidSignature, .invalidChainID:
            ["INVALID_SIGNATURE_VRS", "EC_RECOVERY_FAIL", "INVALID_CHAINID"].contains(name)
        case .feeOverflow: name == "GASLIMIT_PRICE_PRODUCT_OVERFLOW"
        case .intrinsicGas, .floorGas: name.hasPrefix("INTRINSIC_GAS_")
        case .initCodeTooLarge: name == "INITCODE_SIZE_EXCEEDED"
        case .tipAboveFeeCap: name == "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS"
        case .setCodeCreate: name.hasPrefix("TYPE_4_") || name.hasPrefix("RLP_")
        case .noAuthorizations: name.hasPrefix("TYPE_4_")
        case .noBlobs, .tooManyBlobs, .invalidBlobHash, .blobCreate: name.hasPrefix("TYPE_3_")
        default: false
        }
    }
}
