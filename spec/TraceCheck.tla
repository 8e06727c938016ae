----------------------------- MODULE TraceCheck ------------------------------
(***************************************************************************)
(* Whether traces of the simulator are behaviours of Entente.  TraceData,  *)
(* which trace.py writes, has the traces: for each step of a node what it  *)
(* took in and the state that it was in afterwards.  An event is accepted  *)
(* when                                                                    *)
(*   - the message that it brings has been said (module Entente, `views`), *)
(*   - and functions of module Node lead from the node's state before to   *)
(*     one that looks like the state afterwards.                           *)
(* One input may do several things (a vote, then a commit, then a timer),  *)
(* so the functions are composed in the order of Raft.step.                *)
(***************************************************************************)
EXTENDS Entente, TLC, TraceData

VARIABLES trace, next

Event == Traces[trace].events[next]

TraceInit ==
    /\ trace \in DOMAIN Traces /\ next = 1
    /\ node = [n \in Nodes |-> Joining]
    /\ views = [v \in 1..ViewMax |-> NothingSaid]
    /\ committed = <<>> /\ crashes = 0

-----------------------------------------------------------------------------
(* Messages. *)

IsTrue(position) == position[2] = 0 \/ Holds(committed, position)

IsSaid(e) ==
    /\ node[e.from].seals[1].view >= e.in
    /\ CASE e.event = "append" ->
            LET log == views[e.in].log
                end == e.previous[2] + Len(e.entries)
            IN  /\ e.from \in views[e.in].by /\ e.point <= views[e.in].commit
                /\ end <= Len(log) /\ Position(log, e.previous[2]) = e.previous
                /\ SubSeq(log, e.previous[2] + 1, end) = e.entries
         [] e.event = "ack" -> e.counts => e.end <= views[e.in].acks[e.from]
         [] e.event = "ask" -> [from |-> e.from, sig |-> e.signature] \in views[e.in].asks
         [] e.event = "grant" ->
            /\ e.granted => <<e.from, e.node>> \in views[e.campaign].grants
            /\ IsTrue(e.committed) /\ IsTrue(e.settled)
         [] e.event = "pregrant" -> IsTrue(e.committed) /\ IsTrue(e.settled)
         [] e.event = "answer" -> IsTrue(e.committed)
         [] e.event = "successor" -> e.from \in views[e.in].by
         [] OTHER -> TRUE

In(s, view) == IF view > s.view THEN Entered(s, view) ELSE s

Informed(s, e) ==
    LET one == IF MayLearnCommitted(s, e.committed) THEN Committing(s, e.committed[2]) ELSE s
    IN  IF e.event # "answer" /\ MayLearnSettled(one, e.settled) THEN Settling(one, e.settled) ELSE one

-----------------------------------------------------------------------------
(* What the input itself may do to the node. *)

Began(s) == [Joining EXCEPT !.disk = s.disk, !.seals = s.seals]

ByMessage(s, e) ==
    CASE ~IsSaid(e) -> {}
      [] e.event = "append" ->
            IF e.in < s.view THEN {s}
            ELSE LET in == In(s, e.in)
                 IN  IF in.role = "leader" THEN {}
                     ELSE IF Accepts(in, e.previous) THEN {Taken(in, e.previous, e.entries, e.point)}
                     ELSE {Following(in)}
      [] e.event \in {"ack", "nack", "query"} -> {In(s, e.in)}
      [] e.event = "ask" ->
            LET in == In(s, e.in)
            IN  {s} \cup (IF s.held THEN {} ELSE {in})
                    \cup (IF in.view = e.in /\ MayGrant(in, e.from, e.signature)
                          THEN {Granting(in, e.from)} ELSE {})
      [] e.event \in {"grant", "pregrant"} -> {In(Informed(s, e), e.in)}
      [] e.event = "answer" -> {s} \cup (IF s.held THEN {In(Informed(s, e), e.in)} ELSE {})
      [] OTHER -> {s}

ByInput(n, s, e) ==
    CASE e.event = "restart" -> IF s.role = "down" THEN {RestartingAt(s, Min(e.commit, Len(committed)))} ELSE {}
      [] e.event = "join" -> {Began(s)}
      [] e.event = "genesis" -> {Standing(n, [Began(s) EXCEPT !.seed = e.founders, !.view = e.from - 1], e.from)}
      [] ~IsUp(s) -> {}
      [] e.event = "tick" -> {s}
      [] e.event = "propose" ->
            {s} \cup (IF /\ s.role = "leader"
                         /\ \A i \in DOMAIN e.entries :
                                /\ e.entries[i].v = s.view
                                /\ e.entries[i].k = "c" => MayConfigure(s, e.entries[i].c)
                      THEN {Added(s, e.entries)} ELSE {})
      [] e.event = "synced" -> {Synced(s, Len(s.disk) - 1 - e.writes)}
      [] e.event = "sealed" -> {Sealed(s, Len(s.seals) - 1)}
      [] e.event = "snapshot" ->
            IF s.role = "leader" \/ e.position[2] <= s.commit THEN {s}
            ELSE IF IsTrue(e.position) THEN {Installed(s, SubSeq(committed, 1, e.position[2]))} ELSE {}
      [] OTHER -> ByMessage(s, e)

(* What may follow from it in the same step: the restart rule, a won       *)
(* election, a commit; and at last what ends or begins a role.             *)

Confirmations(s) == {s} \cup (IF s.held THEN {Confirmed(s), Entered(s, s.view + 1)} ELSE {})

Elections(n, s) ==
    {s} \cup (IF s.role = "candidate" /\ HasWon(s, {p \in Nodes : <<p, n>> \in Heard(views, n, s)[s.view].grants})
              THEN {Leading(s)} ELSE {})

Commits(n, s, e) ==
    LET Ack(p) == views[s.view].acks[p]
        wanted == IF e.role = "retired" THEN 1..Len(s.log) ELSE IF e.commit > s.commit THEN {e.commit} ELSE {}
    IN  {s} \cup {Committing(s, i) : i \in {j \in wanted : MayCommit(n, s, j, Ack)}}

Ends(n, s, e) ==
    CASE e.role = "retired" -> IF MayRetire(n, s) THEN {Retired(s)} ELSE {}
      [] e.role = "candidate" /\ e.view > s.view ->
            LET f == IF s.role = "leader" THEN Following(s) ELSE s
            IN  IF MayStand(n, f) THEN {Standing(n, f, s.view + 1)} ELSE {}
      [] e.role = "follower" /\ s.role \in {"leader", "candidate"} -> {Following(s)}
      [] OTHER -> {s}

LooksLike(s, e) ==
    /\ s.role = e.role
    /\ s.role # "retired" =>
        /\ s.view = e.view /\ s.vote = e.vote /\ s.durable = e.durable /\ s.commit = e.commit /\ s.held = e.held
        /\ Position(s.log, Len(s.log)) = e.last
        /\ {p.at : p \in InForce(s)} = e.active
        /\ \A i \in DOMAIN e.counted : e.counted[i][2] <= views[s.view].acks[e.counted[i][1]]
    /\ Position(s.disk[1].log, Len(s.disk[1].log)) = e.disk /\ Len(s.disk) - 1 = e.writes
    /\ <<s.seals[1].view, s.seals[1].vote, s.seals[1].commit>> = e.seal /\ Len(s.seals) - 1 = e.seals

(* The states that the node may be in afterwards, each with the one before *)
(* its role ended, in which it may have spoken.                            *)
Outcomes(n, e) ==
    {o \in UNION {UNION {UNION {UNION {{[through |-> c, to |-> f] : f \in Ends(n, c, e)}
        : c \in Commits(n, l, e)} : l \in Elections(n, r)} : r \in Confirmations(b)} : b \in ByInput(n, node[n], e)}
        : LooksLike(o.to, e)}

-----------------------------------------------------------------------------

Longer(s, log) == IF s.role = "leader" /\ s.commit > Len(log) THEN SubSeq(s.log, 1, s.commit) ELSE log

StepOf(n, o) ==
    LET to == [o.to EXCEPT !.unsaid = @ \cup Quiet(n, o.through).unsaid]
    IN  /\ node' = [node EXCEPT ![n] = Quiet(n, to)]
        /\ views' = Heard(Heard(views, n, o.through), n, to)
        /\ committed' = Longer(to, Longer(o.through, committed))

Founded(e) ==
    /\ node' = [n \in Nodes |->
            IF n \in e.nodes
            THEN [Begun(e.entries, 0, 0) EXCEPT !.role = "down",
                      !.seals = <<[view |-> e.seal[1], vote |-> e.seal[2], commit |-> e.seal[3]]>>]
            ELSE node[n]]
    /\ committed' = e.entries /\ UNCHANGED views

PowerCut(e) ==
    /\ node' = [node EXCEPT ![e.node] = Crashed(@, e.writes, e.seals)]
    /\ UNCHANGED <<views, committed>>

Report(verdict, what) == PrintT(<<verdict, Traces[trace].name, next, what>>)

TraceNext ==
    /\ next <= Len(Traces[trace].events) /\ UNCHANGED <<trace, crashes>>
    /\ \/ Event.event = "found" /\ Founded(Event) /\ next' = next + 1
       \/ Event.event = "crash" /\ PowerCut(Event) /\ next' = next + 1
       \/ /\ Event.event \notin {"found", "crash"}
          /\ LET outcomes == Outcomes(Event.node, Event)
             IN  IF outcomes = {}
                 THEN /\ Report("rejected", Event) /\ next' = Len(Traces[trace].events) + 1
                      /\ UNCHANGED <<node, views, committed>>
                 ELSE /\ \E o \in outcomes : StepOf(Event.node, o)
                      /\ next' = next + 1
                      /\ next = Len(Traces[trace].events) => Report("accepted", Len(committed))

TraceSpec == TraceInit /\ [][TraceNext]_<<vars, trace, next>>
=============================================================================
