import Glibc
import Host
import ManagerRuntime
import Testing

@Suite struct InlineWorkerTests {
    private struct Broken: Error {}

    @Test func theWorkerServesOnAThreadOfItsOwn() throws {
        let link = try InlineLink(
            InlineWorker { descriptor, threads in
                var byte: UInt8 = 0
                while recv(descriptor, &byte, 1, 0) == 1 {
                    byte += UInt8(threads)
                    send(descriptor, &byte, 1, Int32(MSG_NOSIGNAL))
                }
            }, hasWorker: false, threads: 3)
        let worker = try #require(link.start(.quiet)).get()
        #expect(worker.process == 0)
        var byte: UInt8 = 40
        #expect(send(worker.descriptor, &byte, 1, Int32(MSG_NOSIGNAL)) == 1)
        #expect(recv(worker.descriptor, &byte, 1, 0) == 1 && byte == 43)
        #expect(!link.hasEnded)
        Descriptor.close(worker.descriptor)
    }

    @Test func itsEndIsSeenAndItIsNotStartedTwice() throws {
        let link = try InlineLink(InlineWorker { _, _ in throw Broken() }, hasWorker: false, threads: 0)
        let worker = try #require(link.start(.quiet)).get()
        var byte: UInt8 = 0
        #expect(recv(worker.descriptor, &byte, 1, 0) == 0)
        #expect(!link.hasEnded)
        #expect(link.start(.quiet) == nil)
        #expect(link.hasEnded)
        Descriptor.close(worker.descriptor)
    }

    @Test func aSecondWorkerIsAMistakeOfTheLauncher() {
        #expect(throws: HostError.configuration("")) {
            _ = try InlineLink(InlineWorker { _, _ in }, hasWorker: true, threads: 0)
        }
    }
}
