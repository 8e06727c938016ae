import AdapterKit
import Ledger
import Primitives
import Store
import Testing

@Suite("Adapter host")
struct AdapterHostTests {
    private let host = AdapterHost(kinds: [TallyAdapter.kind])

    private func open() {
        let reply = host.handle(.open([.init(endpoint: "t", kind: "tally", settings: [])]))
        guard case .opened(let versions) = reply else {
            Issue.record("\(reply)")
            return
        }
        #expect(versions == ["tally/1"])
    }

    private func execute(_ seqno: UInt64, _ bodies: [[UInt8]]) -> BatchResult? {
        let batch = Batch(
            id: .init(view: 1, seqno: seqno), time: 0, randomness: .zero,
            submissions: bodies.map { .init(actor: "a", body: $0) })
        guard case .executed(let result) = host.handle(.execute(endpoint: "t", batch)) else { return nil }
        return result
    }

    private func committedSum() -> UInt8? {
        let query = Query(actor: "a", body: [], context: Samples.context)
        guard case .answer(.done(let body, _)) = host.handle(.query(endpoint: "t", query)) else { return nil }
        return body.last
    }

    @Test("Reads see what is committed, execution what is latest")
    func views() throws {
        open()
        #expect(execute(5, [[1], [0], [2]])?.outcomes.count == 3)
        #expect(execute(7, [[4]])?.included.first?.response.last == 7)
        #expect(committedSum() == 0)
        guard case .done = host.handle(.commit(.init(view: 1, seqno: 6))) else { return #expect(Bool(false)) }
        #expect(committedSum() == 3)
        guard case .done = host.handle(.rollback(.init(view: 1, seqno: 6))) else { return #expect(Bool(false)) }
        #expect(execute(7, [[1]])?.included.first?.response.last == 4)
    }

    @Test("A deferred submission joins a later entry, and an empty batch makes none")
    func deferral() {
        open()
        let first = execute(1, [[255]])
        #expect(first?.outcomes == [.deferred(response: [255])])
        #expect(first?.included.isEmpty == true && first?.compartments.isEmpty == true)
        let second = execute(1, [[1]])
        #expect(second?.included.count == 2)
        #expect(second?.outcomes == [.executed(index: 1)])
    }

    @Test("What can't be served is answered, not thrown")
    func failures() {
        let unopened = host.handle(.beginRestore(endpoint: "t"))
        guard case .failed(let reason) = unopened else { return #expect(Bool(false)) }
        #expect(reason == "no adapter named t")
        for configurations: [AdapterConfiguration] in [
            [.init(endpoint: "t", kind: "other", settings: [])], [.init(endpoint: "t", kind: "tally", settings: [0])],
            [.init(endpoint: "t", kind: "tally", settings: []), .init(endpoint: "t", kind: "tally", settings: [])],
        ] {
            guard case .failed = host.handle(.open(configurations)) else { return #expect(Bool(false)) }
        }
        open()
        guard case .failed = host.handle(.open([])) else { return #expect(Bool(false)) }
        guard case .failed = host.handle(.finish(endpoint: "t", token: 1, [])) else { return #expect(Bool(false)) }
        guard case .failed = host.handle(.resume(endpoint: "t", token: 1, [])) else { return #expect(Bool(false)) }
        let write = WorkerRequest.apply(endpoint: "t", id: Samples.id, .init())
        guard case .failed = host.handle(write) else { return #expect(Bool(false)) }
    }

    @Test("Neighbouring queries go together, in order with the rest")
    func runs() {
        open()
        let query = WorkerRequest.query(endpoint: "t", .init(actor: "a", body: [1, 2], context: Samples.context))
        let replies = host.handle([query, query, .commit(Samples.id), query, .discard(endpoint: "t", token: 2), query])
        let kinds = replies.map { reply in
            switch reply {
            case .answer(.submit(let bodies, let token)): "submit \(bodies.count) \(token)"
            case .done: "done"
            default: "other"
            }
        }
        #expect(kinds == ["submit 2 1", "submit 2 2", "done", "submit 2 3", "done", "submit 2 4"])
    }

    @Test("A snapshot restores the state")
    func restore() {
        open()
        _ = execute(1, [[9]])
        for request: WorkerRequest in [
            .beginRestore(endpoint: "t"),
            .restore(endpoint: "t", .init(map: "tally.sums", records: [.init(key: [0], value: [77])])),
            .endRestore(endpoint: "t", Samples.id),
        ] {
            guard case .done = host.handle(request) else { return #expect(Bool(false)) }
        }
        #expect(committedSum() == 77)
    }
}
