import Foundation
import Host
import Identity
import Logging
import NIOCore
import NIOPosix
import NodeConfiguration
import Primitives
import Transport

/// A whole consortium on this machine: real node processes, each with its launcher, manager and worker, under one folder.
///
/// ```
/// FOLDER/actors/ORG.pem, ORG.key      members; the first one's key is used by gateway and tools
/// FOLDER/genesis.yaml, genesis.entente
/// FOLDER/network.pem                   the network's certificate
/// FOLDER/nodeN/node.yaml, node.log, data/, platform/
/// ```
final class DevelopmentNetwork: Sendable {
    /// One node.
    struct Node: Sendable {
        /// `node1` and so on.
        let name: String
        /// Application listener, `127.0.0.1:port`.
        let application: String
        /// Administration listener.
        let administration: String
        /// Its folder within the network's.
        let folder: String
        /// Where its ledger is.
        var dataFolder: String { folder + "/data" }

        /// Processes of the node that run now: launcher, manager, worker if it is one.
        func processIDs(launcher: Int32) -> [Int32] {
            [launcher]
                + ["manager.pid", "worker.pid"].compactMap {
                    (try? readText(dataFolder + "/" + $0)).flatMap { Int32($0) }
                }
        }
    }

    let folder: String
    let nodes: [Node]
    private let children: Children

    private final class Children: @unchecked Sendable {
        // Touched by start and stop only, which don't overlap.
        var nodes: [Process] = []
        var gateway: Process?
    }

    private init(folder: String, nodes: [Node]) {
        self.folder = folder
        self.nodes = nodes
        children = Children()
    }

    /// The organisations of a development network.
    static let organisations = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india"]

    var networkCertificate: String { folder + "/network.pem" }
    var clientCertificate: String { folder + "/actors/alpha.pem" }
    var clientKey: String { folder + "/actors/alpha.key" }

    /// Process ids of a node: launcher, manager, worker.
    func processIDs(of index: Int) -> [Int32] {
        nodes[index].processIDs(launcher: children.nodes[index].processIdentifier)
    }

    /// Founds a network under `folder`, or takes up the one that is there, and waits until every node takes part.
    /// - Parameters:
    ///   - replay: lets entries load foreign state.
    ///   - isolation: where the workers run; nil takes what is there, else processes of their own.
    ///   - alloc: further accounts of the genesis, address to balance in wei (hex).
    static func start(
        folder: String, nodes count: Int, replay: Bool = false, alloc: [(String, String)] = [],
        parameters: String = "", isolation: NodeConfiguration.Isolation? = nil,
        progress: (String) -> Void = { _ in }
    ) async throws -> DevelopmentNetwork {
        let folder = absolute(folder)
        if !FileManager.default.fileExists(atPath: folder + "/genesis.entente") {
            progress("Founding a network of \(count) nodes in \(folder)")
            try DevelopmentFounding(
                folder: folder, count: count, replay: replay, isolation: isolation ?? .process, alloc: alloc,
                parameters: parameters
            ).found()
        }
        let network = DevelopmentNetwork(folder: folder, nodes: try DevelopmentFounding.existing(folder))
        if let isolation, try NodeConfiguration(path: folder + "/node1/node.yaml").isolation != isolation {
            throw UserError("the network in \(folder) was founded with another isolation; its code manifest says so")
        }
        do {
            progress("Starting \(network.nodes.count) nodes")
            for node in network.nodes { try network.launch(node) }
            try await network.waitUntilActive()
        } catch {
            await network.stop()
            throw error
        }
        return network
    }

    private func launch(_ node: Node) throws {
        let log = node.folder + "/node.log"
        if !FileManager.default.fileExists(atPath: log) { try writeFile(log, []) }
        guard let output = FileHandle(forWritingAtPath: log) else { throw UserError("can't write \(log)") }
        _ = try output.seekToEnd()
        let process = Process()
        process.executableURL = URL(filePath: NodeLauncher.ownPath)
        process.arguments = ["node", "run", "--config", node.folder + "/node.yaml"]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.runUnblocked()
        children.nodes.append(process)
    }

    /// Starts the gateway as a process of its own.
    func startGateway(port: UInt16) async throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: NodeLauncher.ownPath)
        process.arguments =
            [
                "gateway", "--listen", "127.0.0.1:\(port)", "--certificate", clientCertificate, "--key", clientKey,
                "--network-certificate", networkCertificate,
            ] + nodes.flatMap { ["--node", $0.application] }
        let log = folder + "/gateway.log"
        try writeFile(log, [])
        guard let output = FileHandle(forWritingAtPath: log) else { throw UserError("can't write \(log)") }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.runUnblocked()
        children.gateway = process
        let url = "http://127.0.0.1:\(port)"
        let client = try HTTPClient(
            settings: HTTPClientSettings(tls: nil), group: .singletonMultiThreadedEventLoopGroup)
        defer { client.close() }
        let body = Array(#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}"#.utf8)
        for _ in 0..<200 {
            guard process.isRunning else {
                throw UserError("the gateway ended:\n" + tail(log))
            }
            let request = HTTPClientRequest(
                headers: [("content-type", "application/json")], body: body, timeout: .seconds(2))
            if let answer = try? await client.send(request, to: HTTPEndpoint(host: "127.0.0.1", port: Int(port))),
                answer.status == 200
            {
                return url
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw UserError("the gateway does not answer; see \(log)")
    }

    /// Waits until every node says that it is active and knows a primary.
    private func waitUntilActive() async throws {
        let deadline = ContinuousClock.now + .seconds(90)
        var client: NodeClient?
        while ContinuousClock.now < deadline {
            for (index, node) in nodes.enumerated() where !children.nodes[index].isRunning {
                throw UserError(
                    "\(node.name) ended:\n" + tail(node.folder + "/node.log")
                        + "If the program was built anew since, it can't open what the old one sealed: use another "
                        + "data folder.")
            }
            if client == nil, let made = try? publishedCertificate() {
                try writeFile(networkCertificate, made)
                client = try NodeClient(
                    certificate: readFile(clientCertificate), key: readFile(clientKey), networkCertificate: made)
            }
            if let client {
                var active = 0
                var primaries: Set<String> = []
                for node in nodes {
                    let state = try? await client.get("/node/state", of: node.administration)
                    if state?["state"]?.string == "active", state?["worker"]?.string == "ready",
                        state?["member"]?.bool == true
                    {
                        active += 1
                        primaries.insert(state?["primary_id"]?.string ?? "")
                    }
                }
                if active == nodes.count, primaries.count == 1, !primaries.contains("") {
                    client.close()
                    return
                }
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        client?.close()
        throw UserError("the nodes don't find together:\n" + nodes.map { tail($0.folder + "/node.log") }.joined())
    }

    /// The network's certificate, which each node that takes part leaves in its data folder.
    private func publishedCertificate() throws -> [UInt8] {
        for node in nodes {
            if let bytes = try? readFile(node.dataFolder + "/network.pem") { return bytes }
        }
        throw UserError("no node has published the network's certificate")
    }

    private func tail(_ path: String) -> String {
        let lines = ((try? readText(path)) ?? "").split(separator: "\n").suffix(12)
        return lines.map { "  \($0)\n" }.joined()
    }

    /// Stops the gateway, then the nodes, and waits for them.
    func stop() async {
        if let gateway = children.gateway, gateway.isRunning { gateway.terminate() }
        for node in children.nodes where node.isRunning { node.terminate() }
        let deadline = ContinuousClock.now + .seconds(15)
        let all = children.nodes + (children.gateway.map { [$0] } ?? [])
        while all.contains(where: \.isRunning), ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(20))
        }
        for process in all where process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }
}

/// Asks nodes for their own state, as the actor whose key it holds.
struct NodeClient: Sendable {
    private let client: HTTPClient

    /// - Parameters: PEM texts; `nodeCertificates` are those of nodes that the network may not have let in yet.
    init(
        certificate: [UInt8], key: [UInt8], networkCertificate: [UInt8], nodeCertificates: [String] = []
    ) throws {
        let identity = try TLSIdentity(certificateChainPEM: certificate, privateKeyPEM: key)
        let network = try X509Certificate(pem: String(decoding: networkCertificate, as: UTF8.self))
        var settings = HTTPClientSettings(
            tls: TLSClientSettings(
                identity: identity,
                trust: .authorities(try [network.der] + nodeCertificates.map { try X509Certificate(pem: $0).der })))
        settings.requestTimeout = .seconds(3)
        settings.connectTimeout = .seconds(2)
        client = try HTTPClient(settings: settings, group: .singletonMultiThreadedEventLoopGroup)
    }

    /// The JSON at a path of a node's listener, `host:port`.
    func get(_ path: String, of address: String) async throws -> JSON {
        let answer = try await client.send(HTTPClientRequest(method: "GET", target: path), to: Self.endpoint(address))
        guard answer.status == 200 else { throw UserError("\(address)\(path) answers \(answer.status)") }
        return try JSON(parsing: answer.body)
    }

    /// Committed entries of a node's ledger, one after the other; nil if it has none there.
    func entries(_ first: UInt64, _ last: UInt64, of address: String) async throws -> [UInt8]? {
        let path = "/node/ledger/entries?first=\(first)&last=\(last)"
        let answer = try await client.send(HTTPClientRequest(method: "GET", target: path), to: Self.endpoint(address))
        if answer.status == 404 { return nil }
        guard answer.status == 200 else { throw UserError("\(address)\(path) answers \(answer.status)") }
        return answer.body
    }

    private static func endpoint(_ address: String) throws -> HTTPEndpoint {
        guard let colon = address.lastIndex(of: ":"), let port = Int(address[address.index(after: colon)...]) else {
            throw UserError("\(address) is not host:port")
        }
        return HTTPEndpoint(host: String(address[..<colon]), port: port)
    }

    func close() { client.close() }
}
