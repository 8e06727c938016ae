internal import Primitives

/// The body of an SGX enclave's report (Intel SDM 3D, REPORT), 384 bytes.
struct EnclaveReport: Sendable, Hashable {
    static let byteCount = 384

    let bytes: [UInt8]
    let cpuSVN: [UInt8]
    let miscSelect: [UInt8]
    /// Flags (8 bytes) and XFRM (8 bytes).
    let attributes: [UInt8]
    let mrEnclave: [UInt8]
    let mrSigner: [UInt8]
    let configID: [UInt8]
    let isvProdID: UInt16
    let isvSVN: UInt16
    let configSVN: UInt16
    let reportData: [UInt8]

    init(_ reader: inout ByteReader) throws(ByteReaderError) {
        bytes = try reader.raw(Self.byteCount)
        var body = ByteReader(bytes)
        cpuSVN = try body.raw(16)
        miscSelect = try body.raw(4)
        _ = try body.raw(28)  // reserved, ISVEXTPRODID
        attributes = try body.raw(16)
        mrEnclave = try body.raw(32)
        _ = try body.raw(32)
        mrSigner = try body.raw(32)
        _ = try body.raw(32)
        configID = try body.raw(64)
        isvProdID = try body.integer()
        isvSVN = try body.integer()
        configSVN = try body.integer()
        _ = try body.raw(58)  // reserved, ISVFAMILYID
        reportData = try body.raw(64)
        try body.finish()
    }

    var isInitialised: Bool { attributes[0] & 0x01 != 0 }
    var isDebug: Bool { attributes[0] & 0x02 != 0 }
    var hasProvisioningKey: Bool { attributes[0] & 0x10 != 0 }

    var fields: [ClaimField] {
        [
            ClaimField("body.cpusvn", hex: cpuSVN), ClaimField("body.miscselect", hex: miscSelect),
            ClaimField("body.attributes", hex: attributes), ClaimField("body.mrenclave", hex: mrEnclave),
            ClaimField("body.mrsigner", hex: mrSigner), ClaimField("body.configid", hex: configID),
            ClaimField("body.isvprodid", isvProdID), ClaimField("body.isvsvn", isvSVN),
            ClaimField("body.configsvn", configSVN), ClaimField("body.report_data", hex: reportData),
            ClaimField("body.debug", .bool(isDebug)),
        ]
    }
}
