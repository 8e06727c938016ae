import ArgumentParser
import Bench
import Foundation
import Host
import Primitives

/// `entente bench`.
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure a network under load, from the client's side, and prove what it says.",
        discussion: """
            Starts a network of its own, or measures a running one (--data, --nodes). Prints throughput, latency to the \
            client's answer and to the commit on all nodes, and processor time by process and stage. At the end it asks \
            every node, and opens every ledger that it can read, to prove that what was acknowledged is committed there. \
            Exit code 0 when that holds, 1 when not, 2 when nothing could be measured.
            """)
    @OptionGroup var network: NetworkOptions
    @Option(
        help:
            "What to send, with commas between: transfers, erc20, mainnet. Default: the first two, and mainnet with --mainnet.",
        transform: { try Self.list($0, as: Workload.self) })
    var workload: [Workload] = []
    @Option(help: "How transfers are driven: closed, open or both.", transform: Self.loops)
    var loop: [LoadLoop] = [.closed, .open]
    @Option(help: "Folder with mainnet blocks in the replay format, for the mainnet load.")
    var mainnet: String?
    @Option(help: "Seconds for which the clock runs, a load.")
    var seconds: Double = 30
    @Option(help: "Seconds of load before that; for mainnet, above 0 means one round.")
    var warmup: Double = 3
    @Option(help: "Clients of the closed loop, each with one request under way.")
    var clients = 64
    @Option(help: "Transactions a second of the open loop; half of what the closed loop did if not given.")
    var rate: Double?
    @Option(help: "Arrivals of the open loop: poisson or even.", transform: Self.spacing)
    var spacing = ArrivalSchedule.Spacing.poisson
    @Option(help: "Transactions in a request; over 1 they are a JSON-RPC batch.")
    var batch = 1
    @Option(help: "Funded accounts.")
    var accounts = 2000
    @Option(help: "Connections to a node; further requests are pipelined on them.")
    var connections = 16
    @Option(help: "Which node gets the requests: primary, all, or a node's place from 1.", transform: Self.target)
    var sendTo: BenchSettings.Target = .primary
    @Option(help: "Milliseconds from one look at each node's commit to the next.")
    var watch: Double = 4
    @Option(help: "Threads of the bench for the load.")
    var threads = 1
    @Option(help: "Seed of accounts and arrivals; from the clock if not given.")
    var seed: UInt64?
    @Option(
        help: "File with the private key (hex) of the account that pays; the first development account if not given.")
    var funderKey: String?
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        do {
            let report = try await measure()
            if json {
                print(String(decoding: report.json.serialized(), as: UTF8.self))
            } else {
                print(report.text, terminator: "")
            }
            if !report.isProved { throw ExitCode(1) }
        } catch let code as ExitCode {
            throw code
        } catch {
            note("Error: \(error)")
            throw ExitCode(2)
        }
    }

    private func measure() async throws -> BenchReport {
        let workloads = workload.isEmpty ? [.transfers, .erc20] + (mainnet == nil ? [] : [.mainnet]) : workload
        let settings = try benchSettings()
        let transfers = workloads.filter { $0 != .mainnet }
        var report = BenchReport(settings: [])
        if !transfers.isEmpty {
            let part = try await network.withNetwork(replay: false) { network in
                try await measure(transfers, settings, network)
            }
            report = part
        }
        guard workloads.contains(.mainnet) else { return report }
        guard let mainnet else { throw UserError("the mainnet load needs --mainnet DIR") }
        let files = try ReplayFolder(mainnet).paths.map { try ReplayFolder.read($0) }
        let part = try await network.withNetwork(replay: true) { network in
            try await measure(files, settings, network)
        }
        if report.phases.isEmpty { return part }
        report.settings.append(("mainnet", "\(files.count) blocks, a network that allows replay"))
        report.phases += part.phases
        report.proofs += part.proofs
        return report
    }

    private func measure(
        _ workloads: [Workload], _ settings: BenchSettings, _ network: BenchNetwork
    ) async throws -> BenchReport {
        let runner = try BenchRunner(network, settings: settings) { note($0) }
        var report = BenchReport(settings: settings.described(network))
        do {
            for workload in workloads {
                let (phases, proofs) = try await runner.run(workload, loops: loop)
                report.phases += phases
                report.proofs += proofs
            }
        } catch {
            await runner.close()
            throw error
        }
        await runner.close()
        return report
    }

    private func measure(
        _ files: [ReplayFile], _ settings: BenchSettings, _ network: BenchNetwork
    ) async throws -> BenchReport {
        let runner = try BenchRunner(network, settings: settings) { note($0) }
        var report = BenchReport(settings: settings.described(network))
        report.settings.append(("mainnet", "\(files.count) blocks"))
        do {
            let (phase, proofs) = try await runner.runMainnet(files)
            report.phases.append(phase)
            report.proofs = proofs
        } catch {
            await runner.close()
            throw error
        }
        await runner.close()
        return report
    }

    private func benchSettings() throws -> BenchSettings {
        let text = try funderKey.map { try readText($0) } ?? DevelopmentAccounts.all[0].key
        guard let key = Hex.decode(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw UserError("the funder's key is not hex")
        }
        var settings = BenchSettings(funderKey: key, seed: seed ?? HostClock.wallMilliseconds())
        settings.seconds = seconds
        settings.warmup = warmup
        settings.clients = clients
        settings.rate = rate
        settings.spacing = spacing
        settings.batch = batch
        settings.accounts = max(accounts, loop.contains(.closed) ? clients * batch : 0)
        settings.connections = connections
        settings.target = sendTo
        guard watch.isFinite, watch > 0, watch < 10_000 else { throw UserError("--watch takes milliseconds") }
        settings.watchInterval = UInt64(watch * 1000)
        settings.threads = threads
        try settings.check()
        return settings
    }

    // MARK: Reading options

    private static func list<T: RawRepresentable & CaseIterable>(
        _ text: String, as type: T.Type
    ) throws -> [T] where T.RawValue == String {
        try text.split(separator: ",").map { name in
            guard let value = T(rawValue: String(name)) else {
                let names = T.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("\(name) is none of \(names)")
            }
            return value
        }
    }

    private static func loops(_ text: String) throws -> [LoadLoop] {
        text == "both" ? [.closed, .open] : try list(text, as: LoadLoop.self)
    }

    private static func spacing(_ text: String) throws -> ArrivalSchedule.Spacing {
        guard let spacing = ArrivalSchedule.Spacing(rawValue: text) else {
            throw ValidationError("\(text) is neither poisson nor even")
        }
        return spacing
    }

    private static func target(_ text: String) throws -> BenchSettings.Target {
        switch text {
        case "primary": return .primary
        case "all": return .all
        default:
            guard let place = Int(text), place > 0 else {
                throw ValidationError("\(text) is neither primary, all, nor a node's place")
            }
            return .node(place - 1)
        }
    }
}
