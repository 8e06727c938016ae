import Host
import Primitives

extension FuzzTarget {
    static let host: [FuzzTarget] = [controlRequest, controlEvent]

    static let controlRequest = FuzzTarget("control-request", byteCountMax: 2048) {
        let requests: [(String, ControlRequest)] = [
            ("hello", .hello), ("connect", .connect(id: 1, host: "a.example", port: 443, timeoutMilliseconds: 5)),
            ("evidence", .evidence(id: 2, reportData: [UInt8](repeating: 1, count: 64))),
            ("sealing-key", .sealingKey(id: 3, label: "state")), ("start-worker", .startWorker(id: 4)),
            ("log", .log(level: "info", message: "é")), ("ready", .ready),
        ]
        return requests.map { ($0.0, $0.1.encoded()) }
    } check: { bytes in
        try FuzzFinding.unless(ControlRequest(decoding: bytes).encoded(), is: bytes, "control request")
    }

    static let controlEvent = FuzzTarget("control-event", byteCountMax: 2048) {
        let events: [(String, ControlEvent)] = [
            (
                "hand-over",
                .handOver(
                    HandOverFields(
                        configuration: [1, 2], sandbox: .required, managerMeasurement: [3], workerMeasurement: [4],
                        worker: 5, managerRestarts: 6))
            ),
            ("connected", .connected(id: 1, failure: "refused")), ("answer", .answer(id: 2, bytes: [1], failure: nil)),
            ("worker-started", .workerStarted(id: 3, process: 4, failure: nil)),
            ("worker-exited", .workerExited(process: 4, description: "signal 9")),
            ("shutdown", .shutdown(graceMilliseconds: 100)),
        ]
        return events.map { ($0.0, $0.1.encoded()) }
    } check: { bytes in
        try FuzzFinding.unless(ControlEvent(decoding: bytes).encoded(), is: bytes, "control event")
    }
}
