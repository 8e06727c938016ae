/// Deliberate bugs of the manager, for tests of the tests: each is one that the simulation of whole nodes must find.
package struct ManagerFault: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The first answer to a request id is not looked for.
    package static let forgetsAnswers = ManagerFault(rawValue: 1 << 0)
    /// A client is told that its transaction is committed as soon as it is executed.
    package static let answersAtExecution = ManagerFault(rawValue: 1 << 1)
    /// Outcomes of entries that were cut wait on, for whatever commits in their place.
    package static let keepsCutOutcomes = ManagerFault(rawValue: 1 << 2)
    /// The worker is not told that entries were cut.
    package static let leavesWorkerAhead = ManagerFault(rawValue: 1 << 3)
    /// A new leader executes without the entries that it inherited and that are not committed yet.
    package static let leadsFromCommitted = ManagerFault(rawValue: 1 << 4)
    /// Followers take whatever ledger time a leader says.
    package static let believesAnyTime = ManagerFault(rawValue: 1 << 5)
    /// The first answers in a snapshot are left where they are.
    package static let snapshotForgetsAnswers = ManagerFault(rawValue: 1 << 6)
    /// A restart forgets view and vote of the seal.
    package static let forgetsSeal = ManagerFault(rawValue: 1 << 7)
    /// A worker that is filled after it was restored begins one entry too late.
    package static let skipsEntryAfterRestore = ManagerFault(rawValue: 1 << 8)
    /// A write that is decided, but whose words the worker took with it, is called refused.
    package static let refusesDecided = ManagerFault(rawValue: 1 << 10)
    /// Repetitions of a request that is on its way are executed too.
    package static let executesRepetitions = ManagerFault(rawValue: 1 << 11)
}
