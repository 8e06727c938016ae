import AdapterKit
import Ledger
import Primitives
import Testing

@Suite("Worker messages")
struct WorkerMessageTests {
    @Test("Every request has one byte form")
    func requests() throws {
        for (number, request) in Samples.requests.enumerated() {
            let bytes = WorkerFrame(number: UInt64(number), request).encoded()
            let read = try WorkerFrame<WorkerRequest>(decoding: bytes)
            #expect(read.number == UInt64(number))
            #expect(read.encoded() == bytes)
            #expect("\(read.message)" == "\(request)")
        }
    }

    @Test("Every reply has one byte form")
    func replies() throws {
        for (number, reply) in Samples.replies.enumerated() {
            let bytes = WorkerFrame(number: UInt64(number), reply).encoded()
            let read = try WorkerFrame<WorkerReply>(decoding: bytes)
            #expect(read.encoded() == bytes)
            #expect("\(read.message)" == "\(reply)")
        }
    }

    @Test("Another version, a cut and an excess are refused")
    func refusals() throws {
        for request in Samples.requests {
            var bytes = WorkerFrame(number: 1, request).encoded()
            for end in 0..<bytes.count {
                #expect(throws: AdapterError.malformed("")) {
                    try WorkerFrame<WorkerRequest>(decoding: Array(bytes[..<end]))
                }
            }
            #expect(throws: AdapterError.malformed("")) { try WorkerFrame<WorkerRequest>(decoding: bytes + [0]) }
            bytes[0] = 77
            #expect(throws: AdapterError.unsupportedVersion(77, of: "")) {
                try WorkerFrame<WorkerRequest>(decoding: bytes)
            }
        }
    }

    @Test("Mutated messages are refused or read as what they say", arguments: [1, 2, 3] as [UInt64])
    func mutation(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let requests = Samples.requests.map { WorkerFrame(number: 7, $0).encoded() }
        let replies = Samples.replies.map { WorkerFrame(number: 7, $0).encoded() }
        for _ in 0..<20_000 {
            let request = mutate(requests[Int.random(in: 0..<requests.count, using: &generator)], &generator)
            if let read = try? WorkerFrame<WorkerRequest>(decoding: request) { #expect(read.encoded() == request) }
            let reply = mutate(replies[Int.random(in: 0..<replies.count, using: &generator)], &generator)
            if let read = try? WorkerFrame<WorkerReply>(decoding: reply) { #expect(read.encoded() == reply) }
        }
    }

    @Test("A promise of more than there is allocates nothing")
    func hugeCounts() {
        // An execute request whose batch promises 2^32 - 1 submissions.
        var writer = ByteWriter()
        writer.integer(WorkerProtocol.version)
        writer.integer(1 as UInt64)
        writer.integer(1 as UInt8)
        writer.text("ethereum")
        writer.raw([UInt8](repeating: 0, count: 16 + 8 + 32))
        writer.integer(UInt32.max)
        #expect(throws: AdapterError.malformed("")) { try WorkerFrame<WorkerRequest>(decoding: writer.bytes) }
    }

    @Test("A result whose outcome points nowhere is refused")
    func danglingOutcome() {
        var result = Samples.result
        result.included.removeLast()
        let bytes = WorkerFrame(number: 1, WorkerReply.executed(result)).encoded()
        #expect(throws: AdapterError.malformed("")) { try WorkerFrame<WorkerReply>(decoding: bytes) }
        result = Samples.result
        result.compartments.reverse()
        let swapped = WorkerFrame(number: 1, WorkerReply.executed(result)).encoded()
        #expect(throws: AdapterError.malformed("")) { try WorkerFrame<WorkerReply>(decoding: swapped) }
    }

    private func mutate(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0...Int.random(in: 0..<3, using: &generator) where bytes.count > 1 {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1: bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 2: bytes.remove(at: place)
            default: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: place)
            }
        }
        return bytes
    }
}

@Suite("Reader sets")
struct ReaderSetTests {
    @Test("Made in canonical order, once each")
    func canonical() {
        #expect(ReaderSet.only(["b", "a", "b"]) == .actors(["a", "b"]))
        #expect(ReaderSet.public < .network)
        #expect(ReaderSet.network < .only([]))
        #expect(ReaderSet.only(["a"]) < .only(["a", "b"]))
        #expect(ReaderSet.only(["a", "z"]) < .only(["b"]))
    }

    @Test("Admits whom it names")
    func admission() {
        #expect(ReaderSet.public.admits(nil))
        #expect(!ReaderSet.network.admits(nil))
        #expect(ReaderSet.network.admits("a"))
        #expect(ReaderSet.only(["a"]).admits("a"))
        #expect(!ReaderSet.only(["a"]).admits("b"))
        #expect(!ReaderSet.only(["a"]).admits(nil))
    }

    @Test("Other than canonical lists are refused")
    func encoding() throws {
        for names in [["b", "a"], ["a", "a"]] {
            var writer = ByteWriter()
            ReaderSet.actors(names).encode(to: &writer)
            var reader = ByteReader(writer.bytes)
            #expect(throws: ByteReaderError.invalid(at: 0)) { try ReaderSet(from: &reader) }
        }
    }
}
