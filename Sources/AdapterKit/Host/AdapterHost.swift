/// The worker without its socket: holds the adapters and serves requests. With `isolation: inline` the manager's
/// process uses it directly.
public final class AdapterHost {
    private let kinds: [AdapterKind]
    private let executor: any ParallelExecutor
    private let meter: StageMeter
    private var adapters: [(endpoint: String, adapter: any Adapter)] = []

    /// A host that can make the given kinds of adapters.
    public init(
        kinds: [AdapterKind], executor: any ParallelExecutor = SerialExecutor(), meter: StageMeter = StageMeter()
    ) {
        self.kinds = kinds
        self.executor = executor
        self.meter = meter
    }

    /// Serves one request. Never throws: what can't be served is answered as ``WorkerReply/failed(_:)``.
    public func handle(_ request: WorkerRequest) -> WorkerReply {
        do {
            return try serve(request)
        } catch let error as AdapterError {
            return .failed(error.description)
        } catch {
            // The text of a foreign error could hold payload.
            return .failed("the adapter failed with \(type(of: error))")
        }
    }

    /// Serves requests in order; neighbouring queries to one endpoint go to the adapter together, so that it can
    /// decode them in parallel.
    public func handle(_ requests: [WorkerRequest]) -> [WorkerReply] {
        var replies: [WorkerReply] = []
        replies.reserveCapacity(requests.count)
        var index = 0
        while index < requests.count {
            let (endpoint, queries) = queryRun(in: requests, from: index)
            if queries.count > 1, let adapter = adapters.first(where: { $0.endpoint == endpoint })?.adapter {
                replies += meter.measure(.decode) { adapter.query(queries) }.map { .answer($0) }
                index += queries.count
            } else {
                replies.append(handle(requests[index]))
                index += 1
            }
        }
        return replies
    }

    private func queryRun(in requests: [WorkerRequest], from start: Int) -> (String, [Query]) {
        var name = ""
        var queries: [Query] = []
        for request in requests[start...] {
            guard case .query(let endpoint, let query) = request, queries.isEmpty || endpoint == name else { break }
            name = endpoint
            queries.append(query)
        }
        return (name, queries)
    }

    private func serve(_ request: WorkerRequest) throws -> WorkerReply {
        switch request {
        case .open(let configurations):
            return try open(configurations)
        case .execute(let endpoint, let batch):
            let adapter = try adapter(endpoint)
            return .executed(try meter.measure(.execute) { try adapter.execute(batch) })
        case .apply(let endpoint, let id, let writes):
            let adapter = try adapter(endpoint)
            try meter.measure(.apply) { try adapter.apply(writes, id: id) }
        case .commit(let id):
            try meter.measure(.apply) { for (_, adapter) in adapters { try adapter.commit(id) } }
        case .rollback(let id):
            for (_, adapter) in adapters { try adapter.rollback(id) }
        case .query(let endpoint, let query):
            let adapter = try adapter(endpoint)
            return .answer(meter.measure(.decode) { adapter.query(query) })
        case .finish(let endpoint, let token, let outcomes):
            let adapter = try adapter(endpoint)
            return .answer(try meter.measure(.decode) { try adapter.finish(token, outcomes: outcomes) })
        case .resume(let endpoint, let token, let history):
            return .answer(try adapter(endpoint).resume(token, history: history))
        case .called(let endpoint, let token, let answers):
            return .answer(try adapter(endpoint).called(token, answers: answers))
        case .discard(let endpoint, let token):
            try adapter(endpoint).discard(token)
        case .beginRestore(let endpoint):
            try adapter(endpoint).beginRestore()
        case .restore(let endpoint, let part):
            try adapter(endpoint).restore(part)
        case .endRestore(let endpoint, let id):
            try adapter(endpoint).endRestore(id)
        case .measure:
            return .measured(meter.nanoseconds)
        }
        return .done
    }

    private func open(_ configurations: [AdapterConfiguration]) throws -> WorkerReply {
        guard adapters.isEmpty else { throw AdapterError.wrongOrder("the adapters are open already") }
        var made: [(endpoint: String, adapter: any Adapter)] = []
        for configuration in configurations {
            guard let kind = kinds.first(where: { $0.name == configuration.kind }) else {
                throw AdapterError.unknownEndpoint("\(configuration.endpoint) of kind \(configuration.kind)")
            }
            guard !made.contains(where: { $0.endpoint == configuration.endpoint }) else {
                throw AdapterError.invalidSettings("two adapters are named \(configuration.endpoint)")
            }
            made.append((configuration.endpoint, try kind.make(configuration, executor)))
        }
        for (_, adapter) in made { adapter.report(to: meter) }
        adapters = made
        return .opened(versions: made.map(\.adapter.version))
    }

    private func adapter(_ endpoint: String) throws -> any Adapter {
        guard let found = adapters.first(where: { $0.endpoint == endpoint }) else {
            throw AdapterError.unknownEndpoint(endpoint)
        }
        return found.adapter
    }
}
