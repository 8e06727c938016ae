import Glibc
import Host
import Testing

@Suite struct ControlTests {
    static let requests: [ControlRequest] = [
        .hello, .connect(id: 1, host: "node-2.example", port: 8001, timeoutMilliseconds: 5000),
        .evidence(id: 2, reportData: [UInt8](repeating: 9, count: 64)), .sealingKey(id: .max, label: "ledger"),
        .startWorker(id: 4), .log(level: "warning", message: "ü"), .ready,
    ]
    static let events: [ControlEvent] = [
        .handOver(
            HandOverFields(
                configuration: Array("a: 1".utf8), sandbox: .required,
                managerMeasurement: [UInt8](repeating: 1, count: 32),
                workerMeasurement: [UInt8](repeating: 2, count: 32), worker: 77)),
        .connected(id: 1, failure: nil), .connected(id: 1, failure: "no route"),
        .answer(id: 2, bytes: [1, 2], failure: nil), .answer(id: 3, bytes: [], failure: "no"),
        .workerStarted(id: 5, process: 9, failure: nil), .workerExited(process: 9, description: "exit code 7"),
        .shutdown(graceMilliseconds: 10_000),
    ]

    @Test func messagesComeBack() throws {
        for request in Self.requests { #expect(try ControlRequest(decoding: request.encoded()) == request) }
        for event in Self.events { #expect(try ControlEvent(decoding: event.encoded()) == event) }
    }

    @Test func cutAndExtendedMessagesAreRefused() {
        for bytes in Self.requests.map({ $0.encoded() }) {
            for count in 0..<bytes.count {
                #expect(throws: HostError.self) { _ = try ControlRequest(decoding: Array(bytes[..<count])) }
            }
            #expect(throws: HostError.self) { _ = try ControlRequest(decoding: bytes + [0]) }
        }
        for bytes in Self.events.map({ $0.encoded() }) {
            for count in 0..<bytes.count {
                #expect(throws: HostError.self) { _ = try ControlEvent(decoding: Array(bytes[..<count])) }
            }
            #expect(throws: HostError.self) { _ = try ControlEvent(decoding: bytes + [0]) }
        }
    }

    @Test func otherVersionsAreRefused() {
        var bytes = ControlRequest.ready.encoded()
        bytes[0] = 2
        #expect(throws: HostError.self) { _ = try ControlRequest(decoding: bytes) }
    }

    @Test func noiseNeverTraps() {
        var random = TestRandom(state: 1)
        for _ in 0..<20_000 {
            var bytes = (0..<Int.random(in: 0..<40, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            if bytes.count > 1 {
                bytes[0] = 1
                bytes[1] %= 9
            }
            _ = try? ControlRequest(decoding: bytes)
            _ = try? ControlEvent(decoding: bytes)
        }
    }

    @Test func descriptorsTravel() throws {
        let (left, right) = try Descriptor.streamPair()
        let (sender, receiver) = (ControlChannel(descriptor: left), ControlChannel(descriptor: right))
        let (one, other) = try Descriptor.streamPair()
        defer { close(one) }
        let large = [UInt8](repeating: 5, count: 3 << 20)
        let thread = try HostThread.start("sender") {
            try? sender.send([1, 2, 3], descriptors: [other])
            try? sender.send(large)
            try? sender.send([], descriptors: [other, other])
        }
        let first = try #require(try receiver.receive())
        #expect(first.message == [1, 2, 3])
        #expect(first.descriptors.count == 1)
        #expect(fcntl(first.descriptors[0], F_GETFD) & FD_CLOEXEC != 0)
        #expect(send(first.descriptors[0], [42], 1, 0) == 1)
        var byte: UInt8 = 0
        #expect(recv(one, &byte, 1, 0) == 1 && byte == 42)
        let second = try #require(try receiver.receive())
        #expect(second.message == large && second.descriptors.isEmpty)
        let third = try #require(try receiver.receive())
        #expect(third.message.isEmpty && third.descriptors.count == 2)
        for descriptor in first.descriptors + third.descriptors + [other] { close(descriptor) }
        thread.join()
    }

    @Test func brokenStreamsAreErrors() throws {
        func receiving(_ bytes: [UInt8]) throws -> ControlChannel {
            let (left, right) = try Descriptor.streamPair()
            _ = Glibc.send(left, bytes, bytes.count, 0)
            close(left)
            return ControlChannel(descriptor: right)
        }
        let ended = try receiving([]).receive()
        #expect(ended == nil)
        #expect(throws: HostError.closed("")) { _ = try receiving([1, 0, 0]).receive() }
        #expect(throws: HostError.closed("")) { _ = try receiving([9, 0, 0, 0, 0, 1]).receive() }
        #expect(throws: HostError.protocolViolation("")) {
            _ = try receiving([255, 255, 255, 255, 0]).receive()
        }
        #expect(throws: HostError.protocolViolation("")) { _ = try receiving([1, 0, 0, 0, 3, 7]).receive() }
    }

    @Test func silenceIsATimeout() throws {
        let (left, right) = try Descriptor.streamPair()
        defer { close(left) }
        let channel = ControlChannel(descriptor: right)
        try channel.setTimeout(milliseconds: 50)
        #expect(throws: HostError.timeout("")) { _ = try channel.receive() }
    }
}
