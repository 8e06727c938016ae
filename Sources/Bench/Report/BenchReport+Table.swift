extension BenchReport {
    /// The report as tables for people.
    public var text: String {
        var text = "Settings\n"
        let width = settings.map(\.name.count).max() ?? 0
        for setting in settings {
            text += "  \(setting.name)\(String(repeating: " ", count: width - setting.name.count))  \(setting.value)\n"
        }
        text += "\n" + loads + "\n" + processors
        for phase in phases { text += phase.remarks }
        return text + "\n" + proof
    }

    /// One line a load.
    private var loads: String {
        var table = TextTable([
            .text("load"), .text("loop"), .number("tx"), .number("s"), .number("tx/s"), .number("answer p50"),
            .number("p90"), .number("p99"), .number("all nodes p50"), .number("p90"), .number("p99"),
            .number("CPU us/tx"), .number("busy"),
        ])
        for phase in phases {
            table.add([
                phase.workload.rawValue, phase.loop, Format.integer(phase.acknowledged),
                Format.decimal(phase.seconds), Format.decimal(phase.throughput, 0),
                Format.milliseconds(phase.answer.p50), Format.milliseconds(phase.answer.p90),
                Format.milliseconds(phase.answer.p99), Format.milliseconds(phase.allNodes.p50),
                Format.milliseconds(phase.allNodes.p90), Format.milliseconds(phase.allNodes.p99),
                phase.networkMicrosecondsPerTransaction > 0
                    ? Format.decimal(phase.networkMicrosecondsPerTransaction, 0) : "-",
                Format.integer(phase.busy),
            ])
        }
        return table.description + """
            Latencies in milliseconds. answer: from sending (open loop: from when it was due) to the client's answer. all \
            nodes:
            to the commit on the last node, as the node itself told a client that asks all the time. CPU: all processes of \
            the
            network added, in microseconds a transaction.

            """
    }

    /// Processor time by process and by stage.
    private var processors: String {
        var text = ""
        let processes = TextTable.merged(
            phases.map { phase in
                phase.processors.map {
                    ("\($0.node) \($0.process)", Format.decimal(phase.perTransaction(Double($0.nanoseconds))))
                } + [
                    ("watching, within the above", Format.decimal(phase.watchingMicrosecondsPerTransaction)),
                    (
                        "network, without watching",
                        Format.decimal(
                            phase.networkMicrosecondsPerTransaction - phase.watchingMicrosecondsPerTransaction)
                    ),
                ]
            }, title: "CPU by process, us/tx", columns: phases.map(\.title))
        text += processes
        guard phases.contains(where: { !$0.stages.isEmpty }) else { return text }
        let stages = TextTable.merged(
            phases.map { phase in
                phase.orderedStages.map { ($0.name, Format.decimal(phase.perTransaction($0.nanoseconds))) }
                    + [("all stages", Format.decimal(phase.perTransaction(phase.stages.values.reduce(0, +))))]
            }, title: "CPU by stage, us/tx, all nodes", columns: phases.map(\.title))
        return text + "\n" + stages
    }

    private var proof: String {
        var table = TextTable([
            .text("proof of"), .text("node"), .number("acknowledged"), .number("committed"), .number("unknown"),
            .number("compared"), .text("ledger verified to"), .text("result"),
        ])
        for proof in proofs {
            let ledger =
                proof.ledger.map {
                    $0.fault ?? "\($0.verifiedSeqno) (needed \($0.neededSeqno))"
                        + ($0.agrees ? "" : ", differs from the first node's")
                } ?? "not readable from here"
            table.add([
                proof.subject, proof.name, Format.integer(proof.acknowledged), Format.integer(proof.committed),
                Format.integer(proof.unknown), Format.integer(proof.compared), ledger,
                proof.holds ? "holds" : "FAILS",
            ])
        }
        var text = table.description
        for proof in proofs {
            for problem in proof.problems { text += "  \(proof.name): \(problem)\n" }
        }
        return text + (isProved ? "acknowledged = committed on every node = reported\n" : "NOT PROVED\n")
    }
}

extension PhaseReport {
    var title: String { "\(workload.rawValue) \(loop.split(separator: ",").first ?? "")" }

    /// What must be said of a load beside its numbers.
    var remarks: String {
        var text = ""
        func remark(_ line: String) { text += "\(title): \(line)\n" }
        if resolution.count > 0 {
            remark(
                "a commit's time is known to within \(Format.milliseconds(resolution.p50)) ms (p50), "
                    + "\(Format.milliseconds(resolution.p99)) ms (p99); the later end is reported")
        }
        if nodeEntries > 0 {
            remark(
                "\(Format.decimal(nodeTransactions / nodeEntries)) transactions an entry (signatures are entries too)")
        }
        if notSeenEverywhere > 0 { remark("\(notSeenEverywhere) transactions were not seen committed on every node") }
        if busy > 0 { remark("\(Format.integer(busy)) transactions were answered with busy") }
        if unreachable > 0 {
            remark("\(Format.integer(unreachable)) transactions could not be sent, since their node was not there")
        }
        if refused > 0 { remark("\(Format.integer(refused)) transactions were refused") }
        if unknown > 0 { remark("the outcome of \(Format.integer(unknown)) transactions is unknown to the client") }
        if notSent > 0 {
            remark("\(Format.integer(notSent)) transactions were due but not sent in time, since no account was free")
        }
        if signedLate > 0 { remark("\(Format.integer(signedLate)) transactions were signed while the clock ran") }
        for (reason, count) in reasons.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
            remark("\(Format.integer(count)) x \(reason)")
        }
        return text
    }
}

extension TextTable {
    /// A table of one line a name, with a column of values for each list; names in the order of first appearance.
    static func merged(_ lists: [[(name: String, value: String)]], title: String, columns: [String]) -> String {
        var table = TextTable([.text(title)] + columns.map { .number($0) })
        var names: [String] = []
        for list in lists {
            for entry in list where !names.contains(entry.name) { names.append(entry.name) }
        }
        for name in names {
            table.add([name] + lists.map { list in list.first { $0.name == name }?.value ?? "" })
        }
        return table.description
    }
}
