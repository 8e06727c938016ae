public import Primitives

/// The form of requirements in genesis files, proposals, policies and the ledger. Names that are not known are refused: a
/// misspelt demand must not pass for none.
extension PlatformRequirements {
    /// What differs from the defaults, in a fixed order.
    public var json: JSON {
        let standard = PlatformRequirements()
        var object = JSONObject()
        if !roots.isEmpty { object.append("roots", .array(roots.map { .string(Hex.encode($0)) })) }
        if !products.isEmpty { object.append("products", .array(products.map(\.json))) }
        if vmplMax != standard.vmplMax { object.append("vmplMax", .integer(Int64(vmplMax))) }
        for (name, path) in Self.switches where self[keyPath: path] != standard[keyPath: path] {
            object.append(name, .bool(self[keyPath: path]))
        }
        if statuses != standard.statuses {
            object.append("statuses", .array(statuses.map { .string($0.rawValue) }))
        }
        if evaluationNumberMin != 0 { object.append("evaluationNumberMin", .integer(Int64(evaluationNumberMin))) }
        if !refusedAdvisories.isEmpty {
            object.append("refusedAdvisories", .array(refusedAdvisories.map { .string($0) }))
        }
        if !claims.isEmpty { object.append("claims", .array(claims.map(\.json))) }
        return .object(object)
    }

    /// Reads the form that ``json`` gives; what is not there has its default.
    /// - Throws: ``AttestationError/malformed(_:file:line:)``.
    public init(json: JSON) throws(AttestationError) {
        self.init()
        guard let object = json.object else { throw .malformed("requirements are no object") }
        for member in object.members {
            let value = PolicyValue(name: member.name, value: member.value)
            switch member.name {
            case "roots": roots = try value.list { item throws(AttestationError) in try item.hex(count: 32) }
            case "products": products = try value.list { item throws(AttestationError) in try ProductTCB(item) }
            case "vmplMax": vmplMax = UInt8(try value.number(in: 0...3))
            case "statuses": statuses = try value.list { item throws(AttestationError) in try item.choice() }
            case "evaluationNumberMin": evaluationNumberMin = UInt32(try value.number(in: 0...Int64(UInt32.max)))
            case "refusedAdvisories":
                refusedAdvisories = try value.list { item throws(AttestationError) in try item.text() }
            case "claims": claims = try value.list { item throws(AttestationError) in try ClaimRule(item) }
            case let name:
                guard let path = Self.switches.first(where: { $0.name == name })?.path else { throw value.unknown }
                self[keyPath: path] = try value.bool()
            }
        }
    }

    private static var switches: [(name: String, path: WritableKeyPath<PlatformRequirements, Bool>)] {
        [
            ("allowsMigration", \.allowsMigration), ("allowsSMT", \.allowsSMT),
            ("allowsRelaxedAttributes", \.allowsRelaxedAttributes), ("needsRevocationList", \.needsRevocationList),
        ]
    }
}

extension PlatformRequirements.ProductTCB {
    fileprivate var json: JSON {
        ["product": .string(product.rawValue), "minimumTCB": .string(Hex.encode(minimum))]
    }

    fileprivate init(_ value: PolicyValue) throws(AttestationError) {
        try value.check(known: ["product", "minimumTCB"])
        self.init(
            product: try value.member("product").choice(), minimum: try value.member("minimumTCB").hex(count: 8))
    }
}

extension ClaimRule {
    fileprivate var json: JSON {
        switch condition {
        case .among(let texts): ["name": .string(name), "among": .array(texts.map { .string($0) })]
        case .atLeast(let minimum): ["name": .string(name), "atLeast": .integer(minimum)]
        }
    }

    fileprivate init(_ value: PolicyValue) throws(AttestationError) {
        try value.check(known: ["name", "among", "atLeast"])
        let name = try value.member("name").text()
        switch (value.value["among"], value.value["atLeast"]) {
        case (.some, nil):
            let texts = try value.member("among").list { item throws(AttestationError) in try item.scalarText() }
            self.init(name: name, condition: .among(texts))
        case (nil, .some):
            self.init(name: name, condition: .atLeast(try value.member("atLeast").number(in: .min ... .max)))
        default: throw .malformed("\(value.name) has either among or atLeast")
        }
    }
}

extension EvidencePolicy {
    /// Reads a policy: `requirements`, `allowsDebug`, `minimumTCB`, `needsCollateral`, `platformKeys`, `measurements`,
    /// `reportData`, each optional.
    /// - Throws: ``AttestationError/malformed(_:file:line:)``.
    public init(json: JSON) throws(AttestationError) {
        self.init(platformKeys: nil)
        guard let object = json.object else { throw .malformed("a policy is an object") }
        for member in object.members {
            let value = PolicyValue(name: member.name, value: member.value)
            switch member.name {
            case "requirements": requirements = try PlatformRequirements(json: member.value)
            case "allowsDebug": allowsDebug = try value.bool()
            case "minimumTCB": minimumTCB = try value.hex()
            case "needsCollateral": needsCollateral = try value.bool()
            case "platformKeys":
                platformKeys = try value.list { item throws(AttestationError) in
                    try item.hex(count: PlatformKey.byteCount)
                }
            case "measurements": measurements = try value.list { item throws(AttestationError) in try item.hex() }
            case "reportData": reportData = try value.hex(count: ReportData.byteCount)
            default: throw value.unknown
            }
        }
    }
}

/// A value of a policy with its name, for errors that say where.
private struct PolicyValue {
    let name: String
    let value: JSON

    /// Lists of more values are refused.
    static let listCountMax = 1024

    var unknown: AttestationError { .malformed("there is no setting \(name)") }

    func bool() throws(AttestationError) -> Bool {
        guard let flag = value.bool else { throw .malformed("\(name) is true or false") }
        return flag
    }

    func number(in range: ClosedRange<Int64>) throws(AttestationError) -> Int64 {
        guard let number = value.integer, range.contains(number) else {
            throw .malformed("\(name) is a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func text() throws(AttestationError) -> String {
        guard let text = value.string, !text.isEmpty else { throw .malformed("\(name) is a text") }
        return text
    }

    /// A text, or the text of a number or truth value.
    func scalarText() throws(AttestationError) -> String {
        switch value {
        case .string(let text): return text
        case .integer(let number): return String(number)
        case .bool(let flag): return flag ? "true" : "false"
        default: throw .malformed("\(name) is a text or a whole number")
        }
    }

    func hex(count: Int? = nil) throws(AttestationError) -> [UInt8] {
        guard let bytes = value.string.flatMap({ Hex.decode($0) }), !bytes.isEmpty,
            count.map({ $0 == bytes.count }) ?? true
        else { throw .malformed("\(name) is hexadecimal\(count.map { " of \($0) bytes" } ?? "")") }
        return bytes
    }

    func choice<T: RawRepresentable & CaseIterable>() throws(AttestationError) -> T where T.RawValue == String {
        guard let choice = value.string.flatMap(T.init(rawValue:)) else {
            throw .malformed("\(name) is one of \(T.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return choice
    }

    func list<T>(_ read: (PolicyValue) throws(AttestationError) -> T) throws(AttestationError) -> [T] {
        guard let items = value.array, items.count <= Self.listCountMax else {
            throw .malformed("\(name) is a list of at most \(Self.listCountMax)")
        }
        var result: [T] = []
        for item in items { result.append(try read(PolicyValue(name: name, value: item))) }
        return result
    }

    func check(known: [String]) throws(AttestationError) {
        guard let object = value.object else { throw .malformed("\(name) holds objects") }
        for member in object.members where !known.contains(member.name) {
            throw .malformed("there is no setting \(name).\(member.name)")
        }
    }

    func member(_ member: String) throws(AttestationError) -> PolicyValue {
        guard let value = value[member] else { throw .malformed("\(name).\(member) is missing") }
        return PolicyValue(name: "\(name).\(member)", value: value)
    }
}
