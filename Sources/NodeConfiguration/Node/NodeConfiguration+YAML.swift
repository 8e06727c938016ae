internal import Constitution

extension NodeConfiguration {
    /// Bytes of a node.yaml at most.
    public static let byteCountMax = 1 << 20

    /// Reads node.yaml. Settings that are not there have their defaults; unknown ones are refused with their line.
    /// - Throws: ``ConfigurationError`` with every problem of form. ``check(files:)`` finds those of sense.
    public init(yaml text: String) throws(ConfigurationError) {
        let problems = ProblemList()
        let root = try YAMLValue.parse(text, bytesMax: Self.byteCountMax, problems: problems)
        self.init(name: "", dataFolder: "")
        if let section = root.section { read(section) }
        try problems.check()
    }

    private mutating func read(_ root: YAMLSection) {
        if let text = root.required("name")?.text { name = text }
        if let text = root.required("data")?.text { dataFolder = text }
        if let listeners = root["listeners"]?.section {
            for door in ListenerDoor.allCases {
                if let section = listeners[door.rawValue]?.section { readListener(section, door) }
            }
            listeners.finish()
        }
        if let network = root["network"]?.section {
            network.read("found", &foundsNetwork)
            network.read("genesis", &genesisFile)
            network.read("id", &networkID)
            peers = network["peers"]?.list.compactMap(\.text) ?? []
            network.finish()
        }
        root.read("isolation", &isolation)
        root.read("sandbox", &sandbox)
        if let section = root["platform"]?.section {
            section.read("kind", &platform)
            section.read("folder", &platformFolder)
            section.finish()
        }
        if let log = root["log"]?.section {
            log.read("level", &logLevel)
            log.read("format", &logFormat)
            log.finish()
        }
        if let threads = root["threads"]?.section {
            threads.read("worker", in: 0...256, &workerThreads)
            threads.finish()
        }
        if let requests = root["requests"]?.section {
            requests.read("waitingMax", in: 1...10_000_000, &requestsWaitingMax)
            requests.read("timeoutMilliseconds", in: 100...86_400_000, &requestTimeoutMilliseconds)
            requests.finish()
        }
        if let programs = root["programs"]?.section {
            programs.read("manager", &managerProgram)
            programs.read("worker", &workerProgram)
            programs.finish()
        }
        root.finish()
    }

    private mutating func readListener(_ section: YAMLSection, _ door: ListenerDoor) {
        section.read("address", &self[door].address)
        if door == .node { section.read("publicAddress", &self[door].publicAddress) }
        if let limits = section["limits"]?.section {
            for row in ListenerLimits.table where row.applies(to: door) {
                limits.read(row.name, in: row.range, &self[door].limits[keyPath: row.path])
            }
            limits.finish()
        }
        section.finish()
    }

    /// A node.yaml with every setting, its default and what it means.
    public static var sampleYAML: String {
        let plain = NodeConfiguration(name: "", dataFolder: "")
        func limits(_ door: ListenerDoor) -> String {
            ListenerLimits.table.filter { $0.applies(to: door) }.map { row in
                "      # \(row.summary)\n      \(row.name): \(plain[door].limits[keyPath: row.path])\n"
            }.joined()
        }
        let publicAddress =
            "    # host:port under which others reach it, if that is another; it stands in the node's certificate\n"
            + "    publicAddress: \"\"\n"
        func listener(_ door: ListenerDoor, _ what: String) -> String {
            """
              # \(what)
              \(door.rawValue):
                # IP address and port to listen on
                address: \(plain[door].address)

            """ + (door == .node ? publicAddress : "") + "    limits:\n" + limits(door)
        }
        return """
            # Configuration of one Entente node. `entente node check` reads it and says what is wrong.
            # Relative paths are taken from the folder of this file. Times and sizes have their unit in their name.

            # What people call the node; shown in logs.
            name: bank-a-1

            # Folder of the node's ledger and sealed state. Nothing else may write there.
            data: data

            listeners:

            """ + listener(.application, "clients: transactions and queries of actors")
                + listener(.administration, "state of node and network, governance; goes on while the first is flooded")
                + listener(.node, "other nodes; the reachable address is the one that the owner signs") + """

                    network:
                      # Start the network from the genesis when this node has no ledger yet: true at one node only.
                      found: \(plain.foundsNetwork)
                      # The file that `entente genesis` wrote. Its SHA-256 is the network's id. A node that joins may have the
                      # id alone; its owner then approves the constitution that it fetches (`entente node approve`).
                      genesis: genesis.bin
                      # The network's id, 64 hexadecimal digits. The genesis file, if there is one, must have it: a pin.
                      id: ""
                      # Nodes to try when joining, host:port; those of the VN list are tried as well.
                      peers: []

                    # Where the worker runs: process (of its own, sandboxed) or inline (inside the manager). The code manifest
                    # must list what runs: entente-manager and entente-worker, or entente-node as combined.
                    isolation: \(plain.isolation.rawValue)

                    # required: no start without seccomp and Landlock. best-effort: start with what there is and say what is missing.
                    sandbox: \(plain.sandbox.rawValue)

                    # What vouches for the code that runs here.
                    platform:
                      kind: \(plain.platform.rawValue)
                      # Folder of the software platform's key; empty: the data folder's name with -platform behind it.
                      folder: ""

                    log:
                      # trace, debug, info, notice, warning, error or critical
                      level: \(plain.logLevel.rawValue)
                      # text or json
                      format: \(plain.logFormat.rawValue)

                    threads:
                      # of the worker, which decodes and recovers signers on all of them; 0: half of the cores
                      worker: \(plain.workerThreads)

                    requests:
                      # client requests that may wait in the manager for an answer; one more is answered 503
                      waitingMax: \(plain.requestsWaitingMax)
                      # time after which the outcome of a write counts as unknown
                      timeoutMilliseconds: \(plain.requestTimeoutMilliseconds)

                    # Executables; empty: entente-manager (inline: entente-node) and entente-worker beside the launcher.
                    programs:
                      manager: ""
                      worker: ""

                    """
    }
}
