internal import Constitution

/// What a check may look at; only reads.
public protocol FileAccess {
    /// The content of a file of at most `limit` bytes.
    /// - Throws: ``ConfigurationError``.
    func read(_ path: String, limit: Int) throws(ConfigurationError) -> [UInt8]
    /// What is at a path.
    func kind(of path: String) -> FileKind
}

/// What is at a path.
public enum FileKind: Sendable, Hashable {
    /// Nothing.
    case missing
    /// A file.
    case file
    /// A folder.
    case folder
}

extension NodeConfiguration {
    /// Everything that keeps a node with this configuration from starting, or is certainly not meant; empty when nothing
    /// does. Paths in the configuration must be resolved before.
    /// - Parameter files: what can be read of the disk; nil leaves files out.
    public func check(files: (any FileAccess)? = nil) -> [ConfigurationProblem] {
        var problems: [ConfigurationProblem] = []
        func add(_ path: String, _ reason: String) { problems.append(.init(path: path, reason: reason)) }
        if !Names.isTitle(name) { add("name", "a name takes 1 to 128 bytes of plain text") }
        if dataFolder.isEmpty { add("data", "the data folder must be named") }
        checkListeners(add)
        checkNetwork(add)
        if isolation == .inline, !workerProgram.isEmpty {
            add("programs.worker", "there is no worker process with isolation: inline")
        }
        if let files { checkFiles(files, add) }
        return problems
    }

    private func checkListeners(_ add: (String, String) -> Void) {
        var seen: [String: ListenerDoor] = [:]
        for door in ListenerDoor.allCases {
            let listener = self[door]
            let path = "listeners.\(door.rawValue)"
            guard let socket = listener.socketAddress else {
                add("\(path).address", "an IP address and a port, such as 127.0.0.1:8545 or [::1]:8545")
                continue
            }
            if socket.port != 0, let other = seen.updateValue(door, forKey: listener.address) {
                add("\(path).address", "the listener \(other.rawValue) has it already")
            }
            if door == .node, !listener.publicAddress.isEmpty, Names.split(address: listener.publicAddress) == nil {
                add("\(path).publicAddress", "a host and a port, such as node1.bank-a.example:8547")
            }
            if door == .node, listener.publicAddress.isEmpty {
                if socket.port == 0 { add("\(path).publicAddress", "other nodes can't know a port that is not fixed") }
                if ["0.0.0.0", "::"].contains(socket.host) {
                    add("\(path).publicAddress", "other nodes can't reach \(socket.host); give the address they use")
                }
            }
            let limits = listener.limits
            if door != .node, limits.bodyBytesMax > limits.bodyBytesTotalMax {
                add("\(path).limits.bodyBytesTotalMax", "it is less than one body may have")
            }
        }
    }

    private func checkNetwork(_ add: (String, String) -> Void) {
        if genesisFile.isEmpty, networkID.isEmpty || foundsNetwork {
            add("network.genesis", "a node must know the genesis of its network, or its id to join it")
        }
        if !networkID.isEmpty, !Constitution.isNetworkID(networkID) {
            add("network.id", "an id has 64 hexadecimal digits in lower case")
        }
        for (index, peer) in peers.enumerated() where Names.split(address: peer) == nil {
            add("network.peers[\(index)]", "a host and a port, such as node1.bank-a.example:8547")
        }
        if Set(peers).count != peers.count { add("network.peers", "an address is there twice") }
    }

    private func checkFiles(_ files: any FileAccess, _ add: (String, String) -> Void) {
        if files.kind(of: dataFolder) == .file { add("data", "\(dataFolder) is a file, not a folder") }
        if files.kind(of: effectivePlatformFolder) == .file {
            add("platform.folder", "\(effectivePlatformFolder) is a file, not a folder")
        }
        for (path, program) in [("manager", managerProgram), ("worker", workerProgram)] where !program.isEmpty {
            if files.kind(of: program) != .file { add("programs.\(path)", "there is no file \(program)") }
        }
        guard !genesisFile.isEmpty else { return }
        do throws(ConfigurationError) {
            let bytes = try files.read(genesisFile, limit: GenesisDocument.genesisByteCountMax)
            checkGenesis(bytes, add)
        } catch { add("network.genesis", error.problems.first?.reason ?? "it can't be read") }
    }

    private func checkGenesis(_ bytes: [UInt8], _ add: (String, String) -> Void) {
        let constitution: Constitution
        do { constitution = try Constitution(genesis: bytes) } catch {
            return add("network.genesis", "\(genesisFile): \(error)")
        }
        if !networkID.isEmpty, constitution.networkID != networkID {
            add("network.id", "the genesis file is that of network \(constitution.networkID)")
        }
        let address = node.reachableAddress
        if foundsNetwork, !constitution.nodes.contains(where: { $0.address == address }) {
            add("listeners.node", "the genesis lists no node at \(address)")
        }
    }
}
