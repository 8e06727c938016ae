import Crypto
import Glibc
import Host
import Testing

/// Runs the launcher as a process of its own, with helper processes as manager and worker.
@Suite struct LauncherTests {
    /// A launcher at work.
    struct Node {
        let folder: TemporaryFolder
        let launcher: Probe

        init(_ script: [String], _ options: [String] = []) throws {
            folder = try TemporaryFolder()
            launcher = try Probe(["launcher", folder.path, script.joined(separator: "\n")] + options)
        }

        /// Waits until the manager said that it is ready; gives the three ports.
        func ports() throws -> [UInt16] {
            var heard: [String] = []
            while let line = launcher.line() {
                heard.append(line)
                if line.hasPrefix("ready") { return line.split(separator: " ").dropFirst().compactMap { UInt16($0) } }
            }
            Issue.record("not ready: \(heard), \(launcher.child.poll().map { "\($0)" } ?? "running")")
            return []
        }

        /// What came of the manager's commands.
        func results() throws -> [String: String] {
            let text = String(decoding: try Directory(path: "\(folder.path)/data").read("result"), as: UTF8.self)
            var results: [String: String] = [:]
            for line in text.split(separator: "\n") {
                guard let colon = line.firstIndex(of: ":") else { continue }
                results[String(line[..<colon])] = line[colon...].dropFirst(2).description
            }
            return results
        }
    }

    @Test func nodeStartsServesAndStops() throws {
        let node = try Node(["evidence", "bad-evidence", "seal a", "seal b", "worker-say hello", "ready", "stop"])
        #expect(Set(try node.ports()).count == 3)
        let results = try node.results()
        #expect(results["worker-say hello"] == "HELLO")
        let evidence = try #require(results["evidence"])
        #expect(evidence.count == 2 * 226)
        let measurement = try Measurement.take(path: Probe.path()).measurement.digest
        let hex = measurement.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(evidence.dropFirst(2).hasPrefix(hex))
        #expect(results["bad-evidence"]?.hasPrefix("platform") == true)
        #expect(results["seal a"]?.count == 64)
        #expect(results["seal a"] != results["seal b"])
        node.launcher.child.signal(SIGTERM)
        #expect(node.launcher.line(beginning: "end") == "end 0")
        #expect(node.launcher.end() == .exited(0))
    }

    @Test func connectionsAreOpenedOnRequest() throws {
        let listener = try Descriptor.listen(host: "127.0.0.1", port: 0)
        defer { close(listener) }
        let port = try Descriptor.port(of: listener)
        let unused = try Descriptor.listen(host: "127.0.0.1", port: 0)
        let closedPort = try Descriptor.port(of: unused)
        close(unused)
        let thread = try HostThread.start("accept") {
            let peer = accept(listener, nil, nil)
            _ = send(peer, "welcome", 7, 0)
            close(peer)
        }
        let node = try Node(["connect \(port)", "connect \(closedPort)", "ready", "stop"], ["inline"])
        _ = try node.ports()
        thread.join()
        let results = try node.results()
        #expect(results["connect \(port)"] == "welcome")
        #expect(results["connect \(closedPort)"]?.contains("refused") == true)
        node.launcher.child.signal(SIGINT)
        #expect(node.launcher.end() == .exited(0))
    }

    @Test func deadWorkerIsReplaced() throws {
        let node = try Node([
            "worker-say one", "worker-die", "worker-start", "worker-say two", "worker-start", "worker-say three",
            "ready", "stop",
        ])
        _ = try node.ports()
        let results = try node.results()
        #expect(results["worker-say one"] == "ONE")
        #expect(results["worker-die"] == "worker exit code 7")
        #expect(results["worker-say two"] == "TWO")
        #expect(results["worker-say three"] == "THREE")
        node.launcher.child.signal(SIGTERM)
        #expect(node.launcher.end() == .exited(0))
    }

    @Test func workersThatKeepDyingWaitLongerEachTime() throws {
        let round = ["worker-die", "worker-start"]
        let node = try Node(
            round + round + round + round + ["worker-say hello", "ready", "stop"], ["restart=250", "restartMax=1000"])
        var waits: [String] = []
        while let line = node.launcher.line(), !line.hasPrefix("ready") {
            guard line.hasPrefix("log warning a worker will be started again") else { continue }
            waits.append(String(line.split(separator: "=").last ?? ""))
        }
        #expect(waits == ["250", "500", "1000", "1000"])
        #expect(try node.results()["worker-say hello"] == "HELLO")
        node.launcher.child.signal(SIGTERM)
        #expect(node.launcher.end() == .exited(0))
    }

    @Test func aManagerThatDiesIsStartedAgain() throws {
        for end in ["75", "trap"] {
            let node = try Node(
                ["die-until 3 \(end)", "ready", "stop"], ["inline", "keep", "restart=400", "restartMax=1000"])
            var waits: [String] = []
            while let line = node.launcher.line(), !line.hasPrefix("ready") {
                guard line.hasPrefix("log error the manager died and is started again") else { continue }
                waits.append(String(line.split(separator: "=").last ?? ""))
            }
            #expect(waits == ["400", "800", "1000"])
            #expect(try node.results()["die-until 3 \(end)"] == "3")
            node.launcher.child.signal(SIGTERM)
            #expect(node.launcher.end() == .exited(0))
        }
    }

    @Test func aStopEndsTheWaitForTheNextStart() throws {
        let node = try Node(["die-until 9 75"], ["inline", "keep", "restart=15000", "restartMax=15000"])
        _ = node.launcher.line(beginning: "log error the manager died and is started again")
        let before = HostClock.monotonicMicroseconds()
        node.launcher.child.signal(SIGTERM)
        #expect(node.launcher.line(beginning: "end") == "end 0")
        #expect(node.launcher.end() == .exited(0))
        #expect(HostClock.monotonicMicroseconds() - before < 10_000_000)
    }

    @Test func aManagerThatCanNotGoOnIsNotStartedAgain() throws {
        let node = try Node(["ready", "exit 1"], ["inline", "keep"])
        _ = try node.ports()
        #expect(node.launcher.line(beginning: "end") == "end 1")
        #expect(node.launcher.end() == .exited(1))
    }

    @Test func codeThatWasNotMeasuredIsRefused() throws {
        // In the worker: it does not get as far as its manager.
        let worker = try Node(["ready", "stop"], ["load=libresolv.so.2"])
        let said = worker.launcher.line(beginning: "error")
        #expect(said?.contains("code that was not measured") == true && said?.contains("libresolv") == true)
        #expect(worker.launcher.end() == .exited(1))
        // Forced on both by the environment: the manager is looked at first.
        let both = try Node(["ready", "stop"], ["inline", "preload=libresolv.so.2"])
        #expect(both.launcher.line(beginning: "error")?.contains("libresolv") == true)
        #expect(both.launcher.end() == .exited(1))
    }

    @Test func managersEndEndsTheNode() throws {
        let node = try Node(["ready", "exit 5"])
        _ = try node.ports()
        #expect(node.launcher.line(beginning: "end") == "end 5")
        #expect(node.launcher.end() == .exited(5))
    }

    @Test func stubbornManagerIsKilled() throws {
        let node = try Node(["ready", "ignore-stop"], ["stop=200"])
        _ = try node.ports()
        node.launcher.child.signal(SIGTERM)
        #expect(node.launcher.line(beginning: "end") == "end 137")
        #expect(node.launcher.end() == .exited(137))
    }

    @Test func secondSignalStopsAtOnce() throws {
        let node = try Node(["ready", "ignore-stop"], ["stop=60000"])
        _ = try node.ports()
        node.launcher.child.signal(SIGTERM)
        _ = node.launcher.line(beginning: "log info stopping")
        node.launcher.child.signal(SIGTERM)
        #expect(node.launcher.end() == .exited(137))
    }

    @Test func enclavesDieWithTheirLauncher() throws {
        let node = try Node(["ready", "ignore-stop"])
        let started = try #require(node.launcher.line(beginning: "log info manager started"))
        let process = try #require(
            started.split(separator: " ").first { $0.hasPrefix("process=") }.flatMap { pid_t($0.dropFirst(8)) })
        _ = try node.ports()
        node.launcher.child.signal(SIGKILL)
        _ = node.launcher.end()
        var gone = false
        for _ in 0..<2000 where !gone {
            gone = kill(process, 0) != 0
            if !gone { usleep(5000) }
        }
        #expect(gone)
    }

    @Test func logLinesOfTheManagerAreLogged() throws {
        let node = try Node(["log careful", "ready", "stop"], ["inline"])
        #expect(node.launcher.line(beginning: "log warning careful")?.contains("from=manager") == true)
        node.launcher.child.signal(SIGTERM)
        #expect(node.launcher.end() == .exited(0))
    }

    @Test func badAddressesAreErrors() {
        #expect(throws: HostError.configuration("")) { _ = try Descriptor.listen(host: "localhost", port: 0) }
        #expect(throws: HostError.self) { _ = try Descriptor.listen(host: "203.0.113.77", port: 0) }
    }
}
