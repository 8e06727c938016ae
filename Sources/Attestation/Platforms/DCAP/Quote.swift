internal import Primitives

/// A quote of Intel's quoting enclave over an SGX enclave or a TD, versions 3 to 5 (Intel SGX DCAP, ECDSA Quote Library
/// Reference; TDX DCAP Quoting Library API).
package struct Quote: Sendable {
    /// What is quoted.
    enum Body: Sendable {
        case enclave(EnclaveReport)
        case trustDomain(TDReport)
    }

    /// Quotes over this size are refused.
    static let byteCountMax = 1 << 16
    private static let intelVendor: [UInt8] = Hex.decode("939a7233f79c4ca9940a0db3957f0607") ?? []

    let version: UInt16
    /// 1 SGX enclave, 2 TD 1.0, 3 TD 1.5.
    let bodyType: UInt16
    let body: Body
    /// What the attestation key signs: header and body.
    let signedBytes: [UInt8]
    /// r ‖ s by the attestation key.
    let signature: [UInt8]
    /// x ‖ y, P-256.
    let attestationKey: [UInt8]
    let qeReport: EnclaveReport
    /// r ‖ s by the platform's key.
    let qeReportSignature: [UInt8]
    let authenticationData: [UInt8]
    /// PEM: platform key, its authority, root.
    let pckChain: [UInt8]
    /// Bytes of the quote itself.
    package let byteCount: Int
    /// Bytes after it, which nobody signed: buffers come padded.
    package let trailingByteCount: Int

    /// Parses a quote. Nothing is verified.
    /// - Throws: ``AttestationError/malformed(_:file:line:)``.
    package init(_ bytes: [UInt8]) throws(AttestationError) {
        guard bytes.count <= Self.byteCountMax else { throw .malformed("a quote over 64 KiB") }
        do {
            var reader = ByteReader(bytes)
            version = try reader.integer()
            guard (3...5).contains(version) else { throw AttestationError.malformed("a quote of version \(version)") }
            let keyType = try reader.integer(UInt16.self)
            guard keyType == 2 else {
                throw AttestationError.malformed("attestation key type \(keyType), not ECDSA P-256")
            }
            let teeType = try reader.integer(UInt32.self)
            _ = try reader.raw(4)  // versions of QE and PCE in v3, else reserved
            guard try reader.raw(16) == Self.intelVendor else {
                throw AttestationError.malformed("the quoting enclave is not Intel's")
            }
            _ = try reader.raw(20)  // user data
            (bodyType, body) = try Self.body(&reader, version: version, teeType: teeType)
            signedBytes = Array(bytes[..<reader.offset])

            let sectionByteCount = Int(try reader.integer(UInt32.self))
            let end = reader.offset + sectionByteCount
            guard sectionByteCount <= reader.remaining else { throw ByteReaderError.truncated(at: reader.offset) }
            var section = ByteReader(bytes, from: reader.offset, to: end)
            signature = try section.raw(64)
            attestationKey = try section.raw(64)
            if version >= 4 {
                let kind = try section.integer(UInt16.self)
                guard kind == 6 else { throw AttestationError.malformed("certification data of type \(kind), not 6") }
                let count = Int(try section.integer(UInt32.self))
                guard count == section.remaining else { throw ByteReaderError.invalid(at: section.offset) }
            }
            qeReport = try EnclaveReport(&section)
            qeReportSignature = try section.raw(64)
            authenticationData = try section.raw(Int(try section.integer(UInt16.self)))
            let kind = try section.integer(UInt16.self)
            guard kind == 5 else {
                throw AttestationError.malformed("certification data of type \(kind); only a PCK chain (5) is accepted")
            }
            let chainByteCount = Int(try section.integer(UInt32.self))
            guard chainByteCount == section.remaining else { throw ByteReaderError.invalid(at: section.offset) }
            pckChain = try section.raw(chainByteCount)
            byteCount = end
            trailingByteCount = bytes.count - end
        } catch let error as AttestationError { throw error } catch {
            throw .malformed("a quote: \(error)")
        }
    }

    private static func body(
        _ reader: inout ByteReader, version: UInt16, teeType: UInt32
    ) throws -> (UInt16, Body) {
        let type: UInt16
        switch (version, teeType) {
        case (3, 0), (4, 0): type = 1
        case (4, 0x81): type = 2
        case (5, 0), (5, 0x81): type = try reader.integer()
        default: throw AttestationError.malformed("TEE type \(teeType) in a quote of version \(version)")
        }
        if version == 5 {
            guard (type == 1) == (teeType == 0) else {
                throw AttestationError.malformed("body type \(type) for TEE type \(teeType)")
            }
            let count = Int(try reader.integer(UInt32.self))
            guard [1: 384, 2: 584, 3: 648][type] == count else {
                throw AttestationError.malformed("a body of type \(type) and \(count) bytes")
            }
        }
        let body: Body =
            type == 1
            ? .enclave(try EnclaveReport(&reader)) : .trustDomain(try TDReport(&reader, isExtended: type == 3))
        return (type, body)
    }

    /// Name of the TEE in Intel's statements.
    var teeName: String { bodyType == 1 ? "SGX" : "TDX" }
    /// What the quoting enclave's report must vouch for.
    var attestedKeyBytes: [UInt8] { attestationKey + authenticationData }
}
