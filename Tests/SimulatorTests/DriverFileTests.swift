import Simulator
import Testing

/// Files in the form of CCF's Raft driver, run as a whole.
@Suite struct DriverFileTests {
    private static let founding = """
        # A founder takes in two nodes.
        start_node,0
        emit_signature,2
        trust_nodes,2,1,2  # at once
        emit_signature,2
        dispatch_all
        periodic_all,10
        dispatch_all
        assert_commit_idx,0,4

        """

    @Test("comments, blank lines and what comes after ==== are passed over")
    func form() {
        let outcome = DriverFile.run(Self.founding + "pre_vote_enabled,true\n\n==== \nno_such_command\n")
        #expect(outcome.failure == nil)
        #expect(outcome.commands == 9)
        #expect(outcome.assertions == 1)
        #expect(outcome.printed.isEmpty)
    }

    @Test("an assertion that does not hold ends the file at its line")
    func failure() {
        let outcome = DriverFile.run(Self.founding + "assert_commit_idx,0,5\nassert_commit_idx,0,4\n")
        #expect(outcome.failure?.line == 10)
        #expect(outcome.failure?.reason == "FAILED assert_commit_idx,0,5: 4")
        #expect(outcome.assertions == 1)
        let unknown = DriverFile.run("start_node,0\nelect_node,0\n")
        #expect(unknown.failure?.line == 2)
        #expect(unknown.failure?.reason == "unknown command elect_node,0")
    }

    @Test("a file whose nodes can't agree in the end fails in its last line")
    func liveness() {
        let outcome = DriverFile.run(Self.founding + "disconnect_node,1\nreplicate,2,x\nemit_signature,2\ndispatch_all")
        #expect(outcome.failure?.reason == "FAILED loop_until_sync")
    }

    @Test("a replaced node goes through the phases of its retirement")
    func retirement() {
        let outcome = DriverFile.run(
            Self.founding + """
                assert_detail,1,retirement_phase,null
                swap_nodes,2,out,0,in,3
                assert_detail,0,retirement_phase,Ordered
                emit_signature,2
                assert_detail,0,retirement_phase,Signed
                assert_is_retired,0
                dispatch_all
                periodic_all,10
                dispatch_all
                assert_commit_idx,0,6
                assert_detail,0,retirement_phase,Completed
                assert_detail,0,leadership_state,Leader
                cleanup_nodes,2,0
                emit_signature,2
                dispatch_all
                periodic_all,10
                dispatch_all
                assert_detail,0,retirement_phase,RetiredCommitted
                assert_!detail,0,leadership_state,Leader
                """)
        #expect(outcome.failure == nil)
    }

    @Test("a leader hands over, and messages on their way are shown")
    func nomination() {
        let outcome = DriverFile.run(
            Self.founding + """
                nominate_successor,0
                summarise_messages,0,1
                dispatch_all
                assert_!detail,0,leadership_state,Leader
                """)
        #expect(outcome.failure == nil)
        #expect(outcome.printed == ["0->1 timeout-now in view 2"])
    }
}
