internal import Primitives

/// An ATTESTATION_REPORT (AMD 56860, SEV-SNP Firmware ABI Specification), version 2 to 5.
package struct SNPReport: Sendable, Hashable {
    /// Its length.
    package static let byteCount = 1184
    /// Bytes that are signed, from the start.
    static let signedByteCount = 0x2A0

    /// Which kind of key signs a report.
    enum SigningKey: UInt8, Sendable {
        /// Of one chip.
        case vcek = 0
        /// Of a cloud provider.
        case vlek = 1
    }

    let bytes: [UInt8]
    let version: UInt32
    let guestSVN: UInt32
    let policy: UInt64
    let familyID: [UInt8]
    let imageID: [UInt8]
    let vmpl: UInt32
    let signatureAlgorithm: UInt32
    let currentTCB: SNPTCBVersion
    let platformInfo: UInt64
    let flags: UInt32
    package let reportData: [UInt8]
    let measurement: [UInt8]
    let hostData: [UInt8]
    let idKeyDigest: [UInt8]
    let authorKeyDigest: [UInt8]
    let reportID: [UInt8]
    let reportIDMA: [UInt8]
    let reportedTCB: SNPTCBVersion
    /// Family, model, stepping; nil before version 3.
    let cpuid: (family: UInt8, model: UInt8, stepping: UInt8)?
    let chipID: [UInt8]
    let committedTCB: SNPTCBVersion
    let currentFirmware: [UInt8]
    let committedFirmware: [UInt8]
    let launchTCB: SNPTCBVersion
    /// Mitigations at launch and now; nil before version 5.
    let mitigations: (launch: UInt64, current: UInt64)?
    /// r ‖ s, big-endian.
    let signature: [UInt8]
    /// What a strict reader finds wrong in reserved fields; empty when they are as they must be.
    let oddities: [String]

    /// Parses a report. What is in reserved fields is kept in ``oddities``.
    /// - Throws: ``AttestationError/malformed(_:file:line:)``.
    package init(_ bytes: [UInt8]) throws(AttestationError) {
        guard bytes.count == Self.byteCount else {
            throw .malformed("an SNP report of \(bytes.count) bytes, not \(Self.byteCount)")
        }
        self.bytes = bytes
        do {
            var reader = ByteReader(bytes)
            version = try reader.integer()
            guard (2...5).contains(version) else {
                throw AttestationError.malformed("an SNP report of version \(version)")
            }
            guestSVN = try reader.integer()
            policy = try reader.integer()
            familyID = try reader.raw(16)
            imageID = try reader.raw(16)
            vmpl = try reader.integer()
            signatureAlgorithm = try reader.integer()
            currentTCB = SNPTCBVersion(bytes: try reader.raw(8))
            platformInfo = try reader.integer()
            flags = try reader.integer()
            var reserved = try reader.raw(4)
            reportData = try reader.raw(64)
            measurement = try reader.raw(48)
            hostData = try reader.raw(32)
            idKeyDigest = try reader.raw(48)
            authorKeyDigest = try reader.raw(48)
            reportID = try reader.raw(32)
            reportIDMA = try reader.raw(32)
            reportedTCB = SNPTCBVersion(bytes: try reader.raw(8))
            if version >= 3 {
                cpuid = (try reader.integer(), try reader.integer(), try reader.integer())
                reserved += try reader.raw(21)
            } else {
                cpuid = nil
                reserved += try reader.raw(24)
            }
            chipID = try reader.raw(64)
            committedTCB = SNPTCBVersion(bytes: try reader.raw(8))
            currentFirmware = try reader.raw(3)
            reserved += try reader.raw(1)
            committedFirmware = try reader.raw(3)
            reserved += try reader.raw(1)
            launchTCB = SNPTCBVersion(bytes: try reader.raw(8))
            if version >= 5 {
                mitigations = (try reader.integer(), try reader.integer())
            } else {
                mitigations = nil
                reserved += try reader.raw(16)
            }
            reserved += try reader.raw(152)
            let r = try reader.raw(72)
            let s = try reader.raw(72)
            let tail = try reader.raw(368)
            try reader.finish()
            signature = Array(r[..<48].reversed() + s[..<48].reversed())
            var oddities: [String] = []
            if reserved.contains(where: { $0 != 0 }) { oddities.append("a reserved field is not zero") }
            if (r[48...] + s[48...] + tail).contains(where: { $0 != 0 }) {
                oddities.append("the signature is longer than one of P-384")
            }
            if signatureAlgorithm != 1 { oddities.append("signature algorithm \(signatureAlgorithm), not ECDSA P-384") }
            if policy & 1 << 17 == 0 { oddities.append("bit 17 of the guest policy is 0") }
            if policy >> 26 != 0 { oddities.append("a reserved bit of the guest policy is 1") }
            if vmpl > 3 { oddities.append("VM privilege level \(vmpl)") }
            self.oddities = oddities
        } catch let error as AttestationError { throw error } catch {
            throw .malformed("an SNP report: \(error)")
        }
    }

    var signedBytes: [UInt8] { Array(bytes[..<Self.signedByteCount]) }
    var allowsDebug: Bool { policy & 1 << 19 != 0 }
    var allowsMigrationAgent: Bool { policy & 1 << 18 != 0 }
    var allowsSMT: Bool { policy & 1 << 16 != 0 }
    /// Kind of the signing key; nil for a number that is none.
    var signingKey: SigningKey? { UInt8(exactly: flags >> 2 & 7).flatMap(SigningKey.init(rawValue:)) }
    var masksChip: Bool { flags & 2 != 0 }
    /// Line of the processor, by the report; nil before version 3 or for an unknown processor.
    var product: SNPProduct? { cpuid.flatMap { SNPProduct(family: $0.family, model: $0.model) } }

    /// Every field by name; names of TCB components need the product.
    func fields(_ product: SNPProduct?) -> [ClaimField] {
        var fields = [
            ClaimField("version", version), ClaimField("policy", .string("0x" + String(policy, radix: 16))),
            ClaimField("debug", .bool(allowsDebug)), ClaimField("migrate_ma", .bool(allowsMigrationAgent)),
            ClaimField("smt", .bool(allowsSMT)), ClaimField("single_socket", .bool(policy & 1 << 20 != 0)),
            ClaimField("abi", .string("\(policy >> 8 & 0xFF).\(policy & 0xFF)")), ClaimField("guest_svn", guestSVN),
            ClaimField("family_id", hex: familyID), ClaimField("image_id", hex: imageID), ClaimField("vmpl", vmpl),
            ClaimField("measurement", hex: measurement), ClaimField("report_data", hex: reportData),
            ClaimField("host_data", hex: hostData), ClaimField("id_key_digest", hex: idKeyDigest),
            ClaimField("author_key_digest", hex: authorKeyDigest),
            ClaimField("author_key_en", .bool(flags & 1 != 0)), ClaimField("report_id", hex: reportID),
            ClaimField("report_id_ma", hex: reportIDMA), ClaimField("chip_id", hex: chipID),
            ClaimField("current_tcb", hex: currentTCB.bytes), ClaimField("reported_tcb", hex: reportedTCB.bytes),
            ClaimField("committed_tcb", hex: committedTCB.bytes), ClaimField("launch_tcb", hex: launchTCB.bytes),
            ClaimField("platform_info", .string("0x" + String(platformInfo, radix: 16))),
            ClaimField("alias_check_complete", .bool(platformInfo & 1 << 5 != 0)),
            ClaimField("current_fw", .string(Self.firmware(currentFirmware))),
            ClaimField("committed_fw", .string(Self.firmware(committedFirmware))),
            ClaimField("signing_key", .string(signingKey.map { $0 == .vcek ? "VCEK" : "VLEK" } ?? "unknown")),
            ClaimField("mask_chip_key", masksChip ? 1 : 0),
        ]
        if let cpuid {
            let text =
                "family 0x\(String(cpuid.family, radix: 16)) model 0x\(String(cpuid.model, radix: 16))"
                + " stepping \(cpuid.stepping)"
            fields.append(ClaimField("cpuid", .string(text)))
        }
        if let mitigations {
            fields.append(ClaimField("launch_mit_vector", .string("0x" + String(mitigations.launch, radix: 16))))
            fields.append(ClaimField("current_mit_vector", .string("0x" + String(mitigations.current, radix: 16))))
        }
        if let product {
            fields.append(ClaimField("product", .string(product.rawValue)))
            fields.append(ClaimField("tcb", reportedTCB.json(product)))
        }
        return fields
    }

    /// Build, minor, major in the report; read the other way round.
    private static func firmware(_ bytes: [UInt8]) -> String { "\(bytes[2]).\(bytes[1]).\(bytes[0])" }

    /// Reports with the same bytes are equal.
    package static func == (left: Self, right: Self) -> Bool { left.bytes == right.bytes }

    /// Hashes the bytes.
    package func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}
