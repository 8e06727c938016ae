import Constitution
import NodeConfiguration
import Testing

@Suite("node.yaml")
struct NodeConfigurationTests {
    private let minimal = "name: n1\ndata: d\nnetwork: {genesis: g.bin}\n"

    @Test("the sample is the defaults, and has every setting")
    func sample() throws {
        let text = NodeConfiguration.sampleYAML
        let sample = try NodeConfiguration(yaml: text)
        var plain = NodeConfiguration(name: "bank-a-1", dataFolder: "data")
        plain.genesisFile = "genesis.bin"
        #expect(sample == plain)
        #expect(sample.check().isEmpty, "\(sample.check())")
        for row in ListenerLimits.table { #expect(text.contains("\(row.name): ")) }
        // A line with a value has a comment above it or is a section.
        #expect(text.split(separator: "\n").count > 100)
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 125 })
    }

    @Test("settings are read and handed on")
    func settings() throws {
        let configuration = try NodeConfiguration(
            yaml: """
                name: node 7
                data: /data
                listeners:
                  application:
                    address: "[::1]:1"
                    limits: {bodyBytesMax: 2000, requestsMax: 5}
                  node: {address: 10.0.0.1:7, publicAddress: node.example:443, limits: {outboundBytesMax: 2000000}}
                network:
                  found: true
                  genesis: g.bin
                  id: \(String(repeating: "0f", count: 32))
                  peers: [a.example:7, "10.0.0.2:7"]
                isolation: inline
                sandbox: best-effort
                platform: {kind: software, folder: keys}
                log: {level: debug, format: json}
                threads: {worker: 4}
                requests: {waitingMax: 9, timeoutMilliseconds: 1000}
                programs: {manager: bin/m}
                """)
        #expect(configuration.check().isEmpty, "\(configuration.check())")
        #expect(configuration.application.socketAddress?.host == "::1")
        #expect(configuration.application.limits.bodyBytesMax == 2000)
        #expect(configuration.administration == NodeConfiguration(name: "", dataFolder: "").administration)
        #expect(configuration.peers == ["a.example:7", "10.0.0.2:7"])
        #expect(configuration.isolation == .inline && configuration.sandbox == .bestEffort)
        let resolved = configuration.resolved(against: "/etc/entente")
        #expect(resolved.dataFolder == "/data")
        #expect(resolved.genesisFile == "/etc/entente/g.bin")
        #expect(resolved.effectivePlatformFolder == "/etc/entente/keys")
        #expect(resolved.managerProgram == "/etc/entente/bin/m")
        #expect(resolved.workerProgram == "")
        let settings = resolved.settings(genesis: [5])
        #expect(settings.application.publicAddress == "[::1]:1")
        #expect(settings.node.publicAddress == "node.example:443")
        #expect(settings.node.limits.outboundBytesMax == 2_000_000)
        #expect(settings.workerThreads == 4)
        #expect(settings.foundsNetwork && settings.genesis == [5] && settings.task == .run)
        #expect(settings.logLevel == .debug && settings.logFormat == .json)
        #expect(try NodeSettings(decoding: settings.encoded) == settings)
    }

    @Test("what is not there has its default")
    func minimalFile() throws {
        let configuration = try NodeConfiguration(yaml: minimal)
        var plain = NodeConfiguration(name: "n1", dataFolder: "d")
        plain.genesisFile = "g.bin"
        #expect(configuration == plain)
        #expect(configuration.check().isEmpty)
        #expect(configuration.effectivePlatformFolder == "d-platform")
    }

    @Test("unknown settings are refused with their line, all at once")
    func unknown() {
        let found = problems {
            _ = try NodeConfiguration(
                yaml:
                    "name: n\ndata: d\nlisteners:\n  application:\n    limits:\n      bodyBytes: 1\nlog: {colour: red}\ncolour: red\n"
            )
        }
        #expect(found.map(\.path) == ["listeners.application.limits.bodyBytes", "log.colour", "colour"])
        #expect(found.map(\.line) == [6, 7, 8])
        #expect(found[2].description.hasPrefix("line 8: colour: there is no such setting; here are known: data, "))
        // A limit for clients means nothing at the node listener.
        #expect(
            problems { _ = try NodeConfiguration(yaml: minimal + "listeners: {node: {limits: {bodyBytesMax: 1}}}") }
                .map(\.path) == ["listeners.node.limits.bodyBytesMax"])
        // Only other nodes need an address that is not the one to listen on.
        #expect(
            problems { _ = try NodeConfiguration(yaml: minimal + "listeners: {application: {publicAddress: 'a:1'}}") }
                .map(\.path) == ["listeners.application.publicAddress"])
    }

    @Test(
        "values of the wrong form are refused with path and line",
        arguments: [
            ("threads: {worker: many}", "threads.worker"), ("threads: {worker: -1}", "threads.worker"),
            ("threads: {worker: 1.5}", "threads.worker"),
            ("threads: {worker: 257}", "threads.worker"), ("threads: {worker: 0x10}", "threads.worker"),
            ("isolation: full", "isolation"),
            ("isolation: [process]", "isolation"), ("log: {level: loud}", "log.level"), ("log: verbose", "log"),
            ("network: {found: yes}", "network.found"), ("network: {peers: {a: b}}", "network.peers[0]"),
            ("platform: {kind: sgx}", "platform.kind"), ("sandbox: off", "sandbox"),
            ("requests: {waitingMax: 99999999999999999999999}", "requests.waitingMax"),
            ("listeners: {node: {limits: {connectionsMax: 0}}}", "listeners.node.limits.connectionsMax"),
        ])
    func form(_ text: String, _ path: String) {
        let found = problems { _ = try NodeConfiguration(yaml: "name: n\ndata: d\n" + text) }
        #expect(found.map(\.path) == [path], "\(found)")
        #expect(found.first?.line == 3)
    }

    @Test(
        "texts that are no such file",
        arguments: [
            "", "   \n", "# nothing\n", "~", "a: b: c", "- x", "text", "name: n\nname: m\ndata: d", "name: [", "\"",
            "a: \t- b",
            "name: &x n\ndata: *x", "<<: {name: n}\ndata: d", "? [a, b]\n: c", "name: n", "{name: n, data: {x: y}}",
        ])
    func garbage(_ text: String) {
        #expect(!problems { _ = try NodeConfiguration(yaml: text) }.isEmpty)
    }

    @Test("bombs of aliases and deep nesting are refused at once")
    func bombs() {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<30 {
            let many = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            bomb += "a\(level): &a\(level) [\(many)]\n"
        }
        #expect(!problems { _ = try NodeConfiguration(yaml: bomb) }.isEmpty)
        #expect(problems { _ = try NodeConfiguration(yaml: "# it's R&D\nname: \"&x\"\ndata: 'R &D'\n") }.isEmpty)
        #expect(problems { _ = try NodeConfiguration(yaml: "name: n\ndata: &d x\n") }.map(\.line) == [2])
        let key = "a0: &a0 [x, x]\na1: {? &a1 [*a0, *a0] : 1}\n"
        #expect(problems { _ = try NodeConfiguration(yaml: key) }.map(\.line) == [1])
        let deep = "name: " + String(repeating: "[", count: 500) + String(repeating: "]", count: 500)
        #expect(!problems { _ = try NodeConfiguration(yaml: deep) }.isEmpty)
        let large = "name: n\ndata: d\n#" + String(repeating: "x", count: NodeConfiguration.byteCountMax)
        #expect(!problems { _ = try NodeConfiguration(yaml: large) }.isEmpty)
    }

    @Test("files with any byte changed never trap")
    func fuzz() {
        let text = Array(NodeConfiguration.sampleYAML.utf8)
        var state: UInt64 = 11
        func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        for _ in 0..<300 {
            var bytes = text
            for _ in 0...below(6) { bytes[below(bytes.count)] = UInt8(below(256)) }
            if below(3) == 0 { bytes = Array(bytes.prefix(below(bytes.count))) }
            let changed = String(decoding: bytes, as: UTF8.self)
            if let configuration = try? NodeConfiguration(yaml: changed) { _ = configuration.check() }
        }
    }

    @Test("check names what makes no sense")
    func check() throws {
        func expect(
            _ paths: [String], sourceLocation: SourceLocation = #_sourceLocation,
            _ change: (inout NodeConfiguration) -> Void
        ) throws {
            var configuration = try NodeConfiguration(yaml: minimal)
            change(&configuration)
            #expect(configuration.check().map(\.path) == paths, sourceLocation: sourceLocation)
        }
        try expect(["name", "data"]) {
            $0.name = ""
            $0.dataFolder = ""
        }
        for address in ["localhost:1", "1.2.3:1", "1.2.3.256:1", "1.2.3.04:1", "1.2.3.4", "1.2.3.4:x", ":1", "::1:1"] {
            try expect(["listeners.application.address"]) { $0.application.address = address }
        }
        try expect([]) { $0.application.address = "127.0.0.1:0" }
        try expect(["listeners.administration.address"]) { $0.administration.address = $0.application.address }
        try expect(["listeners.node.publicAddress"]) { $0.node.address = "127.0.0.1:0" }
        try expect(["listeners.node.publicAddress"]) { $0.node.address = "0.0.0.0:7" }
        try expect([]) {
            $0.node.address = "0.0.0.0:7"
            $0.node.publicAddress = "node.example:7"
        }
        try expect(["listeners.node.publicAddress"]) { $0.node.publicAddress = "node.example" }
        try expect(["listeners.application.limits.bodyBytesTotalMax"]) { $0.application.limits.bodyBytesTotalMax = 256 }
        try expect(["network.genesis"]) { $0.genesisFile = "" }
        try expect(["network.id"]) { $0.networkID = "AB" }
        try expect(["network.peers[1]", "network.peers"]) { $0.peers = ["a:1", "a", "a:1"] }
        try expect(["programs.worker"]) {
            $0.isolation = .inline
            $0.workerProgram = "w"
        }
    }

    @Test("check reads the files that are named")
    func files() throws {
        let founders = try Founders()
        let constitution = try founders.constitution()
        var files = Files()
        files.contents["/g.bin"] = constitution.genesisFile
        files.contents["/file"] = []
        var configuration = NodeConfiguration(name: "n", dataFolder: "/d")
        configuration.genesisFile = "/g.bin"
        configuration.foundsNetwork = true
        configuration.node.address = "127.0.0.1:9000"
        configuration.networkID = constitution.networkID
        #expect(configuration.check(files: files).isEmpty)
        var other = configuration
        other.node.address = "127.0.0.1:9999"
        other.networkID = String(repeating: "00", count: 32)
        #expect(other.check(files: files).map(\.path) == ["network.id", "listeners.node"])
        other = configuration
        other.dataFolder = "/file"
        other.platformFolder = "/file"
        other.managerProgram = "/none"
        other.genesisFile = "/none"
        #expect(
            other.check(files: files).map(\.path)
                == ["data", "platform.folder", "programs.manager", "network.genesis"])
        other = configuration
        other.genesisFile = "/file"
        #expect(other.check(files: files).map(\.path) == ["network.genesis"])
    }
}
