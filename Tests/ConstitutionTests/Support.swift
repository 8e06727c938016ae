import Attestation
import Constitution
import Identity
import Primitives
import Testing

let year: UInt64 = 365 * 86_400_000
/// A moment at which the certificates of these tests are valid.
let now: UInt64 = 1_800_000_000_000

/// A key that depends on nothing but a number.
func key(_ number: UInt8) throws -> SigningKey {
    try SigningKey(rawRepresentation: [UInt8](repeating: number, count: 31) + [1])
}

func certificate(
    _ name: String, _ purpose: CertificateRequest.Purpose = .actor, key: SigningKey, from: UInt64 = now - year,
    to: UInt64 = now + year
) throws -> X509Certificate {
    try X509Certificate.selfSigned(request(name, purpose, from: from, to: to), key: key)
}

func request(
    _ name: String, _ purpose: CertificateRequest.Purpose, from: UInt64 = now - year, to: UInt64 = now + year
) -> CertificateRequest {
    CertificateRequest(
        commonName: name, purpose: purpose, serial: [1] + name.utf8.prefix(15), notBefore: from, notAfter: to)
}

/// Numbers from a seed (SplitMix64), so that a failure can be repeated.
struct Random {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}

/// Three banks with a node each, and a supplier that only transacts, by its organisation's authority.
enum Sample {
    static let banks = ["bank-a", "bank-b", "bank-c"]

    static func ownerKey(_ index: Int) throws -> SigningKey { try key(UInt8(10 + index)) }
    static func nodeKey(_ index: Int) throws -> SigningKey { try key(UInt8(20 + index)) }
    static func platformKey(_ index: Int) throws -> SigningKey { try key(UInt8(30 + index)) }
    static func supplierKey() throws -> SigningKey { try key(40) }
    static func supplierAuthority() throws -> X509Certificate {
        try certificate("supplier", .authority(pathLength: 1), key: supplierKey())
    }

    static func document() throws -> ConstitutionDocument {
        var document = ConstitutionDocument(name: "three banks")
        for (index, bank) in banks.enumerated() {
            document.actors.append(
                Actor(
                    id: bank, role: .member,
                    certificates: [.init(kind: .endEntity, der: try certificate(bank, key: ownerKey(index)).der)]))
            document.nodes.append(
                try NodeTuple(
                    owner: bank, address: "127.0.0.1:\(9000 + index)", publicKey: nodeKey(index).publicKey.spki
                ).signed(by: ownerKey(index)))
            document.tee.softwareKeys.append(
                .init(owner: bank, key: try PlatformKey.x963(platformKey(index).publicKey)))
        }
        document.actors.append(
            Actor(
                id: "supplier", role: .participant,
                certificates: [.init(kind: .organisation, der: try supplierAuthority().der)]))
        document.tee.rules = [.init(platform: .software)]
        for (role, byte) in [(CodeManifest.Role.manager, UInt8(1)), (.worker, 2)] {
            document.code.entries.append(
                .init(
                    name: "entente-\(role)", version: "0.1.0", role: role, platform: .software,
                    measurement: [UInt8](repeating: byte, count: 32)))
        }
        document.voting.exceptions = [.init(action: .setVotingPolicy, rule: .unanimous)]
        document.adapters = [
            Adapter(kind: "ethereum", endpoint: "main", settings: Array(#"{"genesis":{}}"#.utf8)),
            Adapter(
                kind: "ethereum", endpoint: "alt",
                outside: [
                    OutsideService(
                        name: "rates", url: "https://rates.example:8443/quote?of=EUR",
                        authorities: [try supplierAuthority().der])
                ]),
        ]
        return document
    }
}
