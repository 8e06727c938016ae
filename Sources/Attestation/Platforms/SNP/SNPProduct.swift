internal import Primitives

/// A line of AMD processors with a root key of its own.
public enum SNPProduct: String, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    /// EPYC 7003.
    case milan = "Milan"
    /// EPYC 9004, 97x4 and 8004 (Bergamo and Siena).
    case genoa = "Genoa"
    /// EPYC 9005.
    case turin = "Turin"

    /// The name.
    public var description: String { rawValue }

    /// The line of a processor's family and model.
    init?(family: UInt8, model: UInt8) {
        switch (family, model) {
        case (0x19, 0x00...0x0F): self = .milan
        case (0x19, 0x10...0x1F), (0x19, 0xA0...0xAF): self = .genoa
        case (0x1A, 0x00...0x11): self = .turin
        default: return nil
        }
    }

    /// The line in a root's common name: `ARK-Milan`.
    init?(rootName: String) {
        guard rootName.hasPrefix("ARK-") else { return nil }
        self.init(rawValue: String(rootName.dropFirst(4)))
    }

    /// The line in a signing key's certificate: `Milan`, `Milan-B0`.
    init?(productName: String) {
        let name = productName.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = name.first else { return nil }
        self.init(rawValue: String(first))
    }

    /// Names of the components in a TCB_VERSION, with their places, most basic first.
    var tcbComponents: [(name: String, index: Int)] {
        switch self {
        case .milan, .genoa: [("bl", 0), ("tee", 1), ("snp", 6), ("ucode", 7)]
        case .turin: [("fmc", 0), ("bl", 1), ("tee", 2), ("snp", 3), ("ucode", 7)]
        }
    }

    /// Bytes of the chip id that a certificate names; the rest of CHIP_ID is zero.
    var hardwareIDByteCount: Int { self == .turin ? 8 : 64 }
}

/// The security version of a platform's firmware (AMD 56860, TCB_VERSION), 8 bytes as a report has them. Which byte is
/// which component depends on the line of processors.
struct SNPTCBVersion: Sendable, Hashable {
    let bytes: [UInt8]

    func component(_ name: String, _ product: SNPProduct) -> UInt8? {
        guard let place = product.tcbComponents.first(where: { $0.name == name }) else { return nil }
        return bytes[place.index]
    }

    /// Whether no component is older than that of `other`.
    func isAtLeast(_ other: SNPTCBVersion) -> Bool { zip(bytes, other.bytes).allSatisfy { $0 >= $1 } }

    func text(_ product: SNPProduct) -> String {
        product.tcbComponents.map { "\($0.name) \(bytes[$0.index])" }.joined(separator: ", ")
    }

    func json(_ product: SNPProduct) -> JSON {
        .object(JSONObject(product.tcbComponents.map { .init(name: $0.name, value: .integer(Int64(bytes[$0.index]))) }))
    }
}
