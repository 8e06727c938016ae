import Attestation
import Identity
import Primitives
import Testing

@Suite("Software evidence")
struct SoftwareEvidenceTests {
    let world: World
    let data = [UInt8](repeating: 9, count: 64)

    init() throws { world = try World() }

    private func evidence(platform: Int = 0) throws -> Evidence {
        try SoftwareEvidence.sign(
            measurement: world.manager, reportData: data, platformKey: world.platformKeys[platform]
        ).evidence
    }

    @Test("has the layout that is written down")
    func layout() throws {
        let bytes = try evidence().bytes
        #expect(bytes.count == 226)
        #expect(bytes[0] == 1)
        #expect(Array(bytes[1..<33]) == world.manager)
        #expect(Array(bytes[33..<97]) == data)
        #expect(Array(bytes[97..<162]) == (try PlatformKey.x963(world.platformKeys[0].publicKey)))
        #expect(bytes[97] == 4)
        let key = try PlatformKey.publicKey(x963: Array(bytes[97..<162]))
        #expect(key == world.platformKeys[0].publicKey)
        #expect(key.verifies(rawSignature: Array(bytes[162...]), message: Array(bytes[..<162])))
    }

    @Test("is verified for the owner whose platform signed it, and for no other")
    func owner() throws {
        let verified = try evidence().verify(at: 0, manifest: world.policy.tee, owner: "bank-a")
        #expect(verified.owner == "bank-a")
        #expect(verified.claims.measurement == world.manager)
        #expect(verified.claims.reportData == data)
        #expect(!verified.claims.isDebug)
        #expect(throws: AttestationError.platformKeyNotListed(owner: "")) {
            try evidence().verify(at: 0, manifest: world.policy.tee, owner: "bank-b")
        }
        #expect(throws: AttestationError.platformKeyNotListed(owner: "")) {
            try evidence(platform: 1).verify(at: 0, manifest: world.policy.tee, owner: "bank-a")
        }
    }

    @Test("is refused at every length but its own, and with any bit changed")
    func damage() throws {
        let good = try evidence()
        for length in 0..<good.bytes.count {
            #expect(throws: AttestationError.malformed("")) {
                try Evidence(platform: .software, bytes: Array(good.bytes.prefix(length))).claims()
            }
        }
        #expect(throws: AttestationError.malformed("")) {
            try Evidence(platform: .software, bytes: good.bytes + [0]).claims()
        }
        for index in good.bytes.indices {
            var bytes = good.bytes
            bytes[index] ^= 1 << (index % 8)
            #expect(throws: AttestationError.self) {
                try Evidence(platform: .software, bytes: bytes).verify(
                    at: 0, manifest: world.policy.tee, owner: "bank-a")
            }
        }
    }

    @Test("is refused where software is not welcome, or firmware is asked for")
    func manifest() throws {
        #expect(throws: AttestationError.platformNotAllowed(.software)) {
            try evidence().verify(at: 0, manifest: TEEManifest(), owner: "bank-a")
        }
        var manifest = world.policy.tee
        manifest.rules = [.init(platform: .software, minimumTCB: [1])]
        #expect(throws: AttestationError.tcbTooOld("")) {
            try evidence().verify(at: 0, manifest: manifest, owner: "bank-a")
        }
    }

    @Test("of hardware must be what it says it is", arguments: [Platform.sevSNP, .tdx, .sgx])
    func hardware(platform: Platform) throws {
        let evidence = Evidence(platform: platform, bytes: try self.evidence().bytes)
        let manifest = TEEManifest(rules: [.init(platform: platform)])
        #expect(throws: AttestationError.malformed("")) {
            try evidence.verify(at: 0, manifest: manifest, owner: "bank-a")
        }
    }

    @Test("can't be signed with lengths or keys that it does not take")
    func signing() throws {
        #expect(throws: AttestationError.malformed("")) {
            try SoftwareEvidence.sign(measurement: [1], reportData: data, platformKey: world.platformKeys[0])
        }
        let other = try SigningKey(rawRepresentation: [UInt8](repeating: 5, count: 48), curve: .p384)
        #expect(throws: AttestationError.malformed("")) {
            try SoftwareEvidence.sign(measurement: world.manager, reportData: data, platformKey: other)
        }
    }

    @Test("keeps its byte form, and random bytes never trap")
    func codec() throws {
        let good = try evidence()
        #expect(try Evidence(decoding: good.encoded) == good)
        var random = Random(state: 7)
        for round in 0..<5_000 {
            var bytes = round % 2 == 0 ? good.encoded : random.bytes(random.below(300))
            for _ in 0..<random.below(4) where !bytes.isEmpty {
                bytes[random.below(bytes.count)] = UInt8(random.below(256))
            }
            if random.below(3) == 0 { bytes = Array(bytes.prefix(random.below(bytes.count + 1))) }
            if let evidence = try? Evidence(decoding: bytes) {
                #expect(evidence.encoded == bytes)
                _ = try? evidence.claims()
            }
        }
    }

    @Test("report data depend on every part, and on where parts end")
    func reportData() {
        func bind(
            _ key: [UInt8] = [1, 2], _ network: String = "n", _ challenge: [UInt8] = [3], _ binding: [UInt8] = [4],
            _ worker: [UInt8] = [5]
        ) -> [UInt8] {
            ReportData.bind(
                nodeKey: key, networkID: network, challenge: challenge, channelBinding: binding,
                workerMeasurement: worker)
        }
        let all = [
            bind(), bind([1]), bind([1, 2], "m"), bind([1, 2], "n", [9]), bind([1, 2], "n", [3], [9]),
            bind([1, 2], "n", [3], [4], []), bind([1, 2], "n", [3, 4], []),
            ReportData.initial(nodeKey: [1, 2], workerMeasurement: [5]),
        ]
        #expect(all.allSatisfy { $0.count == 64 })
        #expect(Set(all).count == all.count)
    }
}
