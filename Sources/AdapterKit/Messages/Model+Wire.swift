internal import Ledger
public import Primitives

extension Submission: WireCodable {
    /// Appends the byte form.
    public func encode(to writer: inout ByteWriter) {
        writer.optionalBlob(requestID)
        writer.text(actor)
        writer.blob(body)
        writer.values(answers)
    }

    /// Reads the byte form.
    public init(from reader: inout ByteReader) throws(ByteReaderError) {
        requestID = try reader.optionalBlob(limit: AdapterLimits.requestIDBytesMax)
        actor = try reader.name()
        body = try reader.blob()
        answers = try reader.values(limit: AdapterLimits.outsideCallsMax)
    }
}

extension SubmissionRequest: WireCodable {
    /// Appends the byte form.
    public func encode(to writer: inout ByteWriter) {
        writer.optionalBlob(requestID)
        writer.blob(body)
        writer.list(answers) { $0.integer($1) }
    }

    /// Reads the byte form.
    public init(from reader: inout ByteReader) throws(ByteReaderError) {
        requestID = try reader.optionalBlob(limit: AdapterLimits.requestIDBytesMax)
        body = try reader.blob()
        answers = try reader.list(limit: AdapterLimits.outsideCallsMax) { reader throws(ByteReaderError) in
            try reader.integer(UInt32.self)
        }
    }
}

extension Batch: WireCodable {
    /// Appends the byte form.
    public func encode(to writer: inout ByteWriter) {
        id.encode(to: &writer)
        writer.integer(time)
        writer.bytes32(randomness)
        writer.values(submissions)
    }

    /// Reads the byte form.
    public init(from reader: inout ByteReader) throws(ByteReaderError) {
        id = try .init(from: &reader)
        time = try reader.integer()
        randomness = try reader.bytes32()
        submissions = try reader.values(limit: AdapterLimits.submissionsMax)
    }
}

extension Rejection: WireCodable {
    /// Appends the byte form.
    public func encode(to writer: inout ByteWriter) {
        writer.integer(code)
        writer.text(message)
        writer.optionalBlob(data)
    }

    /// Reads the byte form.
    public init(from reader: inout ByteReader) throws(ByteReaderError) {
        code = try reader.integer()
        message = try reader.text()
        data = try reader.optionalBlob()
    }
}

extension ExecutionOutcome: WireCodable {
    /// Appends the byte form.
    public func encode(to writer: inout ByteWriter) {
        switch self {
        case .executed(let index):
            writer.integer(0 as UInt8)
            writer.integer(index)
        case .repeated(let id, let index, let response, let readers):
            writer.integer(1 as UInt8)
            id.encode(to: &writer)
            writer.integer(index)
            writer.blob(response)
            readers.encode(to: &writer)
        case .invalid(let rejection):
            writer.integer(2 as UInt8)
            rejection.encode(to: &writer)
        case .deferred(let response):
            writer.integer(3 as UInt8)
            writer.blob(response)
        }
    }

    /// Reads the byte form.
    public init(from reader: inout ByteReader) throws(ByteReaderError) {
        let at = reader.offset
        switch try reader.integer(UInt8.self) {
        case 0: self = .executed(index: try reader.integer())
        case 1:
            self = .repeated(
                id: try .init(from: &reader), index: try reader.integer(), response: try reader.blob(),
                readers: try .init(from: &reader))
        case 2: self = .invalid(try .init(from: &reader))
        case 3: self = .deferred(response: try reader.blob())
        default: throw .invalid(at: at)
        }
    }
}

extension IncludedTransaction: WireCodable {
    /// Appends the byte form.
    public func encode(to writer: inout ByteWriter) {
        writer.text(actor)
        writer.optionalBlob(requestID)
        writer.blob(input)
        writer.list(claims) { $0.bytes32($1) }
        writer.blob(response)
        readers.encode(to: &writer)
    }

    /// Reads the byte form.
    public init(from reader: inout ByteReader) throws(ByteReaderError) {
        actor = try reader.name()
        requestID = try reader.optionalBlob(limit: AdapterLimits.requestIDBytesMax)
        input = try reader.blob()
        claims = try reader.list(limit: AdapterLimits.claimsMax) { reader throws(ByteReaderError) in
            try reader.bytes32()
        }
        response = try reader.blob()
        readers = try .init(from: &reader)
    }
}

extension Compartment: WireCodable {
    /// Appends the byte form.
    public func encode(to writer: inout ByteWriter) {
        readers.encode(to: &writer)
        writes.encode(to: &writer)
    }

    /// Reads the byte form.
    public init(from reader: inout ByteReader) throws(ByteReaderError) {
        readers = try .init(from: &reader)
        writes = try .init(from: &reader)
    }
}

extension BatchResult: WireCodable {
    /// Appends the byte form.
    public func encode(to writer: inout ByteWriter) {
        writer.values(outcomes)
        writer.values(included)
        writer.values(compartments)
    }

    /// Reads the byte form; an outcome must point into `included`, and the compartments must be in their order.
    public init(from reader: inout ByteReader) throws(ByteReaderError) {
        let at = reader.offset
        outcomes = try reader.values(limit: AdapterLimits.submissionsMax)
        included = try reader.values(limit: AdapterLimits.submissionsMax)
        compartments = try reader.values(limit: AdapterLimits.compartmentsMax)
        for case .executed(let index) in outcomes where index >= included.count { throw .invalid(at: at) }
        for (left, right) in zip(compartments, compartments.dropFirst()) where !(left.readers < right.readers) {
            throw .invalid(at: at)
        }
        if included.isEmpty, !compartments.isEmpty { throw .invalid(at: at) }
    }
}
