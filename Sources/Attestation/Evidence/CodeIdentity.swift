internal import Crypto
internal import Primitives

/// The one digest by which a code manifest names code ("any one code identity is represented as a single measurement",
/// white paper), made of all that decides what runs.
///
/// A launch digest alone is not enough where the host can hand in more at launch: a container policy in HOST_DATA, a
/// kernel in RTMR1. So whatever of these is not zero goes in.
public enum CodeIdentity {
    /// `sev-snp`: the launch MEASUREMENT if HOST_DATA is zero; else SHA-384 of "entente sev-snp code v1" ‖ 0 ‖
    /// MEASUREMENT ‖ HOST_DATA.
    public static func snp(measurement: [UInt8], hostData: [UInt8]) -> [UInt8] {
        if hostData.allSatisfy({ $0 == 0 }) { return measurement }
        return Array(SHA384.hash(data: Array("entente sev-snp code v1".utf8) + [0] + measurement + hostData))
    }

    /// `tdx`: SHA-384 of "entente tdx code v1" ‖ 0 ‖ MRTD ‖ RTMR0 ‖ RTMR1 ‖ RTMR2 ‖ RTMR3 ‖ MRCONFIGID ‖ MROWNER ‖
    /// MROWNERCONFIG, 48 bytes each.
    static func tdx(_ body: TDReport) -> [UInt8] {
        var hash = SHA384()
        hash.update(data: Array("entente tdx code v1".utf8) + [0])
        for part in [body.mrtd] + body.rtmr + [body.mrConfigID, body.mrOwner, body.mrOwnerConfig] {
            hash.update(data: part)
        }
        return Array(hash.finalize())
    }

    /// `sgx`: MRENCLAVE if CONFIGID and CONFIGSVN are zero; else SHA-256 of "entente sgx code v1" ‖ 0 ‖ MRENCLAVE ‖
    /// CONFIGID ‖ `u16` CONFIGSVN.
    static func sgx(_ body: EnclaveReport) -> [UInt8] {
        if body.configSVN == 0, body.configID.allSatisfy({ $0 == 0 }) { return body.mrEnclave }
        var writer = ByteWriter(capacity: 160)
        writer.raw("entente sgx code v1".utf8)
        writer.integer(UInt8(0))
        writer.raw(body.mrEnclave)
        writer.raw(body.configID)
        writer.integer(body.configSVN)
        return Array(SHA256.hash(data: writer.bytes))
    }
}
