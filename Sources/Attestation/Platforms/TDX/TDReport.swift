internal import Primitives

/// The body of a TD's report: TD 1.0 (584 bytes) or TD 1.5 (648 bytes), Intel TDX DCAP Quoting Library API, appendix.
struct TDReport: Sendable, Hashable {
    /// Security versions of module (0 minor, 1 major) and loader at launch.
    let teeTCBSVN: [UInt8]
    let mrSEAM: [UInt8]
    let mrSignerSEAM: [UInt8]
    let seamAttributes: [UInt8]
    let tdAttributes: [UInt8]
    let xfam: [UInt8]
    let mrtd: [UInt8]
    let mrConfigID: [UInt8]
    let mrOwner: [UInt8]
    let mrOwnerConfig: [UInt8]
    /// RTMR0 to RTMR3.
    let rtmr: [[UInt8]]
    let reportData: [UInt8]
    /// The same of the module that runs now, and the service TDs that are bound; nil in TD 1.0.
    let extended: (teeTCBSVN2: [UInt8], mrServiceTD: [UInt8])?

    init(_ reader: inout ByteReader, isExtended: Bool) throws(ByteReaderError) {
        teeTCBSVN = try reader.raw(16)
        mrSEAM = try reader.raw(48)
        mrSignerSEAM = try reader.raw(48)
        seamAttributes = try reader.raw(8)
        tdAttributes = try reader.raw(8)
        xfam = try reader.raw(8)
        mrtd = try reader.raw(48)
        mrConfigID = try reader.raw(48)
        mrOwner = try reader.raw(48)
        mrOwnerConfig = try reader.raw(48)
        rtmr = [try reader.raw(48), try reader.raw(48), try reader.raw(48), try reader.raw(48)]
        reportData = try reader.raw(64)
        extended = isExtended ? (try reader.raw(16), try reader.raw(48)) : nil
    }

    var isDebug: Bool { tdAttributes[0] & 0x01 != 0 }
    /// Bits 7:1, which belong to debugging too and must be 0.
    var hasReservedDebugBits: Bool { tdAttributes[0] & 0xFE != 0 }
    /// Whether the host can't make memory accesses raise exceptions inside.
    var disablesExceptions: Bool { tdAttributes[3] & 0x10 != 0 }
    var isMigratable: Bool { tdAttributes[3] & 0x20 != 0 }
    var hasServiceTD: Bool { extended?.mrServiceTD.contains { $0 != 0 } ?? false }

    var fields: [ClaimField] {
        var fields = [
            ClaimField("body.tee_tcb_svn", hex: teeTCBSVN), ClaimField("body.mrseam", hex: mrSEAM),
            ClaimField("body.mrsignerseam", hex: mrSignerSEAM), ClaimField("body.seamattributes", hex: seamAttributes),
            ClaimField("body.tdattributes", hex: tdAttributes), ClaimField("body.xfam", hex: xfam),
            ClaimField("body.mrtd", hex: mrtd), ClaimField("body.mrconfigid", hex: mrConfigID),
            ClaimField("body.mrowner", hex: mrOwner), ClaimField("body.mrownerconfig", hex: mrOwnerConfig),
        ]
        for (index, value) in rtmr.enumerated() { fields.append(ClaimField("body.rtmr\(index)", hex: value)) }
        fields.append(ClaimField("body.report_data", hex: reportData))
        fields.append(ClaimField("body.debug", .bool(isDebug)))
        if let extended {
            fields.append(ClaimField("body.tee_tcb_svn2", hex: extended.teeTCBSVN2))
            fields.append(ClaimField("body.mrservicetd", hex: extended.mrServiceTD))
        }
        return fields
    }

    static func == (left: Self, right: Self) -> Bool { left.fields == right.fields }
    func hash(into hasher: inout Hasher) { hasher.combine(mrtd) }
}
