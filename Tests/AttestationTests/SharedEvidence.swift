import Attestation
import Foundation
import Testing

/// Captured evidence beside the package: `../shared/data/attestation`, or what ENTENTE_SHARED_DATA names. Tests that need it
/// are skipped where it is absent.
enum SharedEvidence {
    static let folder: URL = {
        if let named = ProcessInfo.processInfo.environment["ENTENTE_SHARED_DATA"] {
            return URL(filePath: named).appending(path: "attestation")
        }
        return URL(filePath: FileManager.default.currentDirectoryPath).appending(path: "../shared/data/attestation")
    }()

    static var isThere: Bool { FileManager.default.fileExists(atPath: folder.appending(path: "README.md").path) }

    static func file(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: folder.appending(path: path))) }

    /// Intel's answers in a folder.
    static func intel(_ path: String) throws -> Collateral.Intel {
        Collateral.Intel(
            tcbInfo: try file("\(path)/tcb_info.json"), tcbInfoChain: try file("\(path)/tcb_info_issuer_chain.pem"),
            qeIdentity: try file("\(path)/qe_identity.json"),
            qeIdentityChain: try file("\(path)/qe_identity_issuer_chain.pem"),
            pckRevocationList: try file("\(path)/pck_crl.der"), rootRevocationList: try file("\(path)/root_ca_crl.der"))
    }
}
