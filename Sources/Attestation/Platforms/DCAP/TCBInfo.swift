package import Primitives

/// A level of the security version of an enclave: the quoting enclave or the TDX module.
struct EnclaveLevel: Sendable {
    let isvSVN: UInt16
    let status: TCBStatus
    let advisories: [String]

    init(_ reader: StatementReader) throws(AttestationError) {
        isvSVN = try reader.child("tcb").number("isvsvn")
        status = try reader.status()
        // Intel's lists have no other statuses for enclaves.
        guard [.upToDate, .outOfDate, .revoked, .configurationNeeded, .swHardeningNeeded].contains(status) else {
            throw .malformed("\(reader.path): a status that no enclave has")
        }
        advisories = try reader.advisories()
    }
}

/// Intel's TCB information for one kind of platform, version 3 (PCS API version 4, `/tcb`).
package struct TCBInfo: Sendable {
    /// A level of the whole platform.
    struct Level: Sendable {
        let sgxComponents: [UInt8]
        let pceSVN: UInt16
        /// Empty for SGX.
        let tdxComponents: [UInt8]
        let date: String
        let status: TCBStatus
        let advisories: [String]
    }

    /// A TDX module that may run.
    struct Module: Sendable {
        /// `TDX_01`; empty for the one of version 0.
        let id: String
        let mrSigner: [UInt8]
        let attributes: [UInt8]
        let attributesMask: [UInt8]
        let levels: [EnclaveLevel]
    }

    /// `SGX` or `TDX`.
    let id: String
    let validity: ValidityPeriod
    let fmspc: [UInt8]
    let pceID: [UInt8]
    let evaluationNumber: UInt32
    /// Newest first.
    let levels: [Level]
    let module: Module?
    let modules: [Module]

    package init(_ value: JSON) throws(AttestationError) {
        let reader = StatementReader(value: value, path: "tcbInfo")
        let id = try reader.text("id")
        guard ["SGX", "TDX"].contains(id), try reader.number("version", as: Int.self) == 3 else {
            throw .malformed("TCB information of another kind or version")
        }
        guard try reader.number("tcbType", as: Int.self) == 0 else {
            throw .malformed("TCB information of an unknown type")
        }
        self.id = id
        validity = try reader.validity()
        fmspc = try reader.hex("fmspc", count: 6)
        pceID = try reader.hex("pceId", count: 2)
        evaluationNumber = try reader.number("tcbEvaluationDataNumber")
        levels = try reader.list("tcbLevels").map { level throws(AttestationError) in
            try Self.level(level, isTDX: id == "TDX")
        }
        module =
            id == "TDX"
            ? try Self.module(try reader.child("tdxModule"), id: "", levels: []) : nil
        modules =
            id == "TDX" && value["tdxModuleIdentities"] != nil
            ? try reader.list("tdxModuleIdentities").map { module throws(AttestationError) in
                try Self.module(
                    module, id: try module.text("id"),
                    levels: try module.list("tcbLevels").map { level throws(AttestationError) in
                        try EnclaveLevel(level)
                    })
            } : []
    }

    private static func level(_ reader: StatementReader, isTDX: Bool) throws(AttestationError) -> Level {
        let tcb = try reader.child("tcb")
        return Level(
            sgxComponents: try components(tcb, "sgxtcbcomponents"), pceSVN: try tcb.number("pcesvn"),
            tdxComponents: isTDX ? try components(tcb, "tdxtcbcomponents") : [], date: try reader.text("tcbDate"),
            status: try reader.status(), advisories: try reader.advisories())
    }

    private static func components(_ reader: StatementReader, _ name: String) throws(AttestationError) -> [UInt8] {
        let svns = try reader.list(name).map { component throws(AttestationError) in
            try component.number("svn", as: UInt8.self)
        }
        guard svns.count == 16 else { throw .malformed("\(reader.path): \(svns.count) components, not 16") }
        return svns
    }

    private static func module(
        _ reader: StatementReader, id: String, levels: [EnclaveLevel]
    ) throws(AttestationError) -> Module {
        Module(
            id: id, mrSigner: try reader.hex("mrsigner", count: 48), attributes: try reader.hex("attributes", count: 8),
            attributesMask: try reader.hex("attributesMask", count: 8), levels: levels)
    }

    /// The newest level that the platform reaches.
    /// - Parameter tee: the TD's own versions; nil for SGX.
    func level(of pck: PCKCertificate, tee: [UInt8]?) -> Level? {
        levels.first { level in
            guard zip(pck.componentSVNs, level.sgxComponents).allSatisfy({ $0 >= $1 }), pck.pceSVN >= level.pceSVN
            else {
                return false
            }
            guard let tee else { return true }
            // Where the module has an identity of its own, that judges its versions, the first two.
            let skipped = tee[1] > 0 ? 2 : 0
            return zip(tee, level.tdxComponents).dropFirst(skipped).allSatisfy { $0 >= $1 }
        }
    }

    /// The module of a TD's versions: by its major version.
    func module(of tee: [UInt8]) -> Module? {
        guard tee[1] > 0 else { return module }
        let id = "TDX_" + Hex.encode([tee[1]]).uppercased()
        return modules.first { $0.id == id }
    }
}

/// Intel's description of a quoting enclave, version 2 (PCS API version 4, `/qe/identity`).
package struct QEIdentity: Sendable {
    /// `QE` for SGX, `TD_QE` for TDX.
    let id: String
    let validity: ValidityPeriod
    let evaluationNumber: UInt32
    let miscSelect: [UInt8]
    let miscSelectMask: [UInt8]
    let attributes: [UInt8]
    let attributesMask: [UInt8]
    let mrSigner: [UInt8]
    let isvProdID: UInt16
    /// Newest first.
    let levels: [EnclaveLevel]

    package init(_ value: JSON) throws(AttestationError) {
        let reader = StatementReader(value: value, path: "enclaveIdentity")
        id = try reader.text("id")
        guard try reader.number("version", as: Int.self) == 2 else {
            throw .malformed("a quoting enclave's identity of another version")
        }
        validity = try reader.validity()
        evaluationNumber = try reader.number("tcbEvaluationDataNumber")
        miscSelect = try reader.hex("miscselect", count: 4)
        miscSelectMask = try reader.hex("miscselectMask", count: 4)
        attributes = try reader.hex("attributes", count: 16)
        attributesMask = try reader.hex("attributesMask", count: 16)
        mrSigner = try reader.hex("mrsigner", count: 32)
        isvProdID = try reader.number("isvprodid")
        levels = try reader.list("tcbLevels").map { level throws(AttestationError) in try EnclaveLevel(level) }
    }

    /// Why a report is not by the enclave that is described; nil when it is.
    func objection(to report: EnclaveReport) -> String? {
        if masked(report.miscSelect, miscSelectMask) != masked(miscSelect, miscSelectMask) {
            return "MISCSELECT differs"
        }
        if masked(report.attributes, attributesMask) != masked(attributes, attributesMask) {
            return "attributes differ"
        }
        if report.mrSigner != mrSigner { return "another signer" }
        if report.isvProdID != isvProdID { return "product id \(report.isvProdID), not \(isvProdID)" }
        return nil
    }

    /// The newest level that an enclave reaches.
    func level(of report: EnclaveReport) -> EnclaveLevel? { levels.first { $0.isvSVN <= report.isvSVN } }
}

/// The bits of `value` that count.
func masked(_ value: [UInt8], _ mask: [UInt8]) -> [UInt8] { zip(value, mask).map { $0 & $1 } }
