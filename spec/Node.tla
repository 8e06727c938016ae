-------------------------------- MODULE Node ---------------------------------
(***************************************************************************)
(* One node, as functions from its state to its next state: what           *)
(* Sources/Consensus/Raft/*.swift does.  Both the model (Entente) and the  *)
(* validation of traces (TraceCheck) are made of these functions.          *)
(*                                                                         *)
(* A node s has                                                            *)
(*   role      "follower", "candidate", "leader", "retired", "down", or    *)
(*             "halted" (it saw what no correct node sends)                *)
(*   view      its view                                                    *)
(*   vote      Free, Spent, or a node                                      *)
(*   log       its log in memory                                           *)
(*   durable   up to here its log is on its disk                           *)
(*   commit    up to here it knows the log to be committed                 *)
(*   verified  up to here its log is its view's leader's                   *)
(*   settled   a configuration at or before this place is committed        *)
(*   hears     it accepted something of its view's leader                  *)
(*   held      the restart rule holds it back                              *)
(*   seed      a founder's configuration (Log)                             *)
(*   disk      the log on disk, then the log after each queued write; each *)
(*             with `end`, what the write may still vouch for              *)
(*   seals     the hard state [view, vote, commit] that is sealed, then    *)
(*             those queued                                                *)
(*   unsaid    what it will say once the seal covers it                    *)
(*                                                                         *)
(* Faults is a set of names of deliberate bugs, {} for the protocol: a     *)
(* model that cannot tell them apart would prove nothing.                  *)
(***************************************************************************)
EXTENDS Log

CONSTANTS Nodes, Faults

Free == "free"
Spent == "spent"
Bug(name) == name \in Faults
Last(q) == q[Len(q)]

NoSeal == [view |-> 0, vote |-> Free, commit |-> 0]

(* A node that holds `log`, all of it on disk and committed up to `commit`. *)
Begun(log, view, commit) ==
    [role |-> "follower", view |-> view, vote |-> Free, log |-> log, durable |-> Len(log),
     commit |-> commit, verified |-> commit, settled |-> 0, hears |-> FALSE, held |-> FALSE,
     seed |-> NoConfig, disk |-> <<[log |-> log, end |-> Len(log)]>>,
     seals |-> <<[view |-> view, vote |-> Free, commit |-> commit]>>, unsaid |-> {}]

Joining == Begun(<<>>, 0, 0)

IsUp(s) == s.role \in {"follower", "candidate", "leader"}

-----------------------------------------------------------------------------
(* Disk and seal. *)

Sealing(s) ==
    LET safe == IF s.commit <= s.durable THEN s.commit ELSE 0
    IN  [s EXCEPT !.seals = Append(@, [view |-> s.view, vote |-> s.vote,
                                       commit |-> Max(Last(@).commit, safe)])]

Added(s, entries) ==
    IF entries = <<>> THEN s
    ELSE LET log == s.log \o entries
         IN  [s EXCEPT !.log = log, !.disk = Append(@, [log |-> log, end |-> Len(log)])]

(* Everything after `to` is cut.  A write that is still under way must not *)
(* vouch for entries that take the place of those it was about.            *)
Cut(s, to) ==
    LET log == SubSeq(s.log, 1, to)
        still == [i \in DOMAIN s.disk |->
                    IF Bug("trusts old sync") THEN s.disk[i] ELSE [s.disk[i] EXCEPT !.end = Min(@, to)]]
    IN  [s EXCEPT !.log = log, !.durable = Min(@, to), !.settled = Min(@, to),
                  !.disk = Append(still, [log |-> log, end |-> to])]

(* The first `count` of the queued writes are on disk. *)
Synced(s, count) ==
    LET ends == {s.disk[i].end : i \in 2..(count + 1)}
    IN  [s EXCEPT !.disk = SubSeq(@, count + 1, Len(@)),
                  !.durable = Min(Len(s.log), Largest({@} \cup ends))]

(* The first `count` of the queued seals are sealed. *)
Sealed(s, count) == [s EXCEPT !.seals = SubSeq(@, count + 1, Len(@))]

(* Power off: of what was queued, so much reached disk and seal. *)
Crashed(s, writes, seals) ==
    LET log == s.disk[writes + 1].log
    IN  [Begun(log, 0, 0) EXCEPT !.role = "down", !.seals = <<s.seals[seals + 1]>>]

-----------------------------------------------------------------------------
(* Views. *)

Following(s) == [s EXCEPT !.role = "follower"]

Entered(s, view) ==
    Sealing([s EXCEPT !.view = view, !.vote = IF s.held THEN Spent ELSE Free,
                      !.verified = s.commit, !.hears = FALSE, !.role = "follower"])

InForce(s) ==
    LET active == Active(s.log, s.seed, Max(s.commit, s.settled), Len(s.log))
    IN  IF Bug("skips joint phase") /\ active # {}
        THEN {CHOOSE p \in active : \A q \in active : q.at <= p.at} ELSE active

(* A candidate must win the configurations of the log that it would lead   *)
(* with, which ends at its last signature.                                 *)
ElectionConfigs(s) ==
    LET end == Max(LastSignature(s.log)[2], s.commit)
        active == Active(s.log, s.seed, Max(s.commit, s.settled), end)
        inForce == InForce(s)
    IN  IF Bug("skips joint phase") /\ active # {}
        THEN {CHOOSE p \in active : \A q \in active : q.at <= p.at}
        ELSE IF active # {} \/ inForce = {} THEN active
        ELSE {CHOOSE p \in inForce : \A q \in inForce : p.at <= q.at}

MayStand(n, s) ==
    /\ s.role \in {"follower", "candidate"}
    /\ ~s.held
    /\ \E p \in ElectionConfigs(s) : n \in p.c.voters

Standing(n, s, view) ==
    Sealing([s EXCEPT !.view = view, !.vote = n, !.verified = s.commit, !.hears = FALSE,
                      !.role = "candidate"])

(* What a voter may do with a request of candidate c, whose log would end  *)
(* with `signature`; s is in the request's view.                           *)
MayGrant(s, c, signature) ==
    /\ s.role = "follower" /\ ~s.held
    /\ s.vote \in {Free, c} \/ (Bug("votes twice") /\ s.vote # Spent)
    /\ Bug("votes for any log") \/ NotAfter(LastSignature(s.log), signature)

Granting(s, c) == IF s.vote = c THEN s ELSE Sealing([s EXCEPT !.vote = c])

(* `voters` granted their votes.  Each configuration counts for itself. *)
HasWon(s, voters) ==
    LET all == ElectionConfigs(s)
        union == UNION {p.c.voters : p \in all}
    IN  /\ s.role = "candidate" /\ all # {}
        /\ IF Bug("union tally") THEN Cardinality(voters \cap union) * 2 > Cardinality(union)
           ELSE \A p \in all :
                    LET needed == IF Bug("elects with too few")
                                  THEN Cardinality(p.c.voters) - p.c.qr + 1 ELSE p.c.qe
                    IN  Cardinality(voters \cap p.c.voters) >= needed

Leading(s) ==
    LET end == Max(LastSignature(s.log)[2], s.commit)
        kept == IF Bug("keeps unsigned tail") THEN Len(s.log) ELSE end
        leader == [s EXCEPT !.role = "leader", !.hears = FALSE]
    IN  IF kept < Len(s.log) THEN Cut(leader, kept) ELSE leader

-----------------------------------------------------------------------------
(* Replication. *)

HasCommittedInView(s) == s.commit > 0 /\ ViewAt(s.log, s.commit) = s.view

(* Whether the leader may append this configuration now. *)
MayConfigure(s, c) ==
    /\ IsSafe(c) /\ c.settled <= CommittedConfig(s.log, s.commit)
    /\ \/ HasCommittedInView(s)
       \/ s.log = <<>> /\ s.seed # NoConfig /\ c.voters = s.seed.voters /\ c.qr = s.seed.qr /\ c.qe = s.seed.qe

(* A follower in the leader's view takes `entries` after seqno `previous`, *)
(* where the logs agree; `commit` is the leader's commit point.            *)
Accepts(s, previous) == previous[2] <= s.commit \/ Holds(s.log, previous)

Taken(s, previous, entries, commit) ==
    LET end == previous[2] + Len(entries)
        At(i) == IF i = previous[2] THEN previous[1] ELSE entries[i - previous[2]].v
        news == {i \in (Max(previous[2], s.commit) + 1)..end : i > Len(s.log) \/ ViewAt(s.log, i) # At(i)}
        first == IF news = {} THEN end + 1 ELSE CHOOSE i \in news : \A j \in news : i <= j
        heard == [s EXCEPT !.role = "follower", !.hears = TRUE]
        contradicts == \/ previous[2] <= s.commit /\ s.commit <= end /\ At(s.commit) # ViewAt(s.log, s.commit)
                       \/ news # {} /\ first <= Len(s.log) /\ first <= s.verified
        early == IF Bug("truncates early") /\ end < Len(s.log) /\ end > s.commit THEN Cut(heard, end) ELSE heard
        cut == IF news # {} /\ first <= Len(early.log) THEN Cut(early, first - 1) ELSE early
        longer == Added(cut, SubSeq(entries, first - previous[2], Len(entries)))
        verified == Max(s.verified, end)
        known == Min(commit, verified)
        point == IF Bug("commits unsigned") THEN known ELSE SignatureAtMost(longer.log, known)
    IN  IF contradicts /\ Faults = {} THEN [s EXCEPT !.role = "halted"]
        ELSE [longer EXCEPT !.verified = verified, !.commit = Max(@, point)]

(* A leader may commit up to `i`, where `Ack(p)` is what p acknowledged in *)
(* this view: a signature of its own view that each configuration in force *)
(* holds durably.                                                          *)
MayCommit(n, s, i, Ack(_)) ==
    LET Holding(p) == IF p = n THEN s.durable ELSE Ack(p)
        all == InForce(s)
        union == UNION {p.c.voters : p \in all}
        Count(voters) == Cardinality({p \in voters : Holding(p) >= i})
    IN  /\ s.role = "leader" /\ i > s.commit /\ i <= Len(s.log) /\ all # {}
        /\ s.log[i].k = "s" \/ Bug("commits unsigned")
        /\ s.log[i].v = s.view \/ Bug("commits previous views")
        /\ IF Bug("union tally") THEN Count(union) * 2 > Cardinality(union)
           ELSE \A p \in all : Count(p.c.voters) >= p.c.qr

Committing(s, i) == [s EXCEPT !.commit = i, !.verified = Max(@, i)]

(* A peer says that the entry at p, a signature, is committed. *)
MayLearnCommitted(s, p) ==
    s.role \in {"follower", "candidate"} /\ p[2] > s.commit /\ Holds(s.log, p) /\ s.log[p[2]].k = "s"

(* A peer says that the configuration at p is committed. *)
MayLearnSettled(s, p) ==
    /\ s.role \in {"follower", "candidate"} /\ p[2] > Max(s.commit, s.settled)
    /\ Holds(s.log, p) /\ s.log[p[2]].k = "c"
Settling(s, p) == [s EXCEPT !.settled = p[2]]

(* A snapshot stands for the committed log that it was taken of.  If what  *)
(* is on disk, and may have been acknowledged in this view, goes on another*)
(* way than that log, the view is over.                                    *)
Installed(s, committed) ==
    LET end == Len(committed)
        view == committed[end].v
        in == IF view > s.view THEN Entered(s, view) ELSE s
        on == Position(in.log, in.durable)
        after == IF view < in.view /\ (end < on[2] \/ view < on[1]) THEN Entered(in, in.view + 1) ELSE in
    IN  IF Holds(in.log, Position(committed, end))
        THEN [in EXCEPT !.verified = Max(@, end), !.commit = Max(@, SignatureAtMost(in.log, end))]
        ELSE [after EXCEPT !.log = committed, !.durable = 0, !.commit = end, !.verified = end,
                           !.disk = Append([i \in DOMAIN @ |-> [@[i] EXCEPT !.end = 0]],
                                           [log |-> committed, end |-> end])]

(* Its removal is committed, and so is that every later leader knows it:   *)
(* it may stop for good.                                                   *)
MayRetire(n, s) ==
    /\ IsUp(s)
    /\ \E p \in Placed(s.log, s.seed, s.commit) : n \in Names(p.c)
    /\ IF Bug("retires early")
       THEN \A p \in InForce(s) : p.at = Largest({q.at : q \in InForce(s)}) => n \notin Names(p.c)
       ELSE \A p \in Remembered(s.log, s.seed, s.commit) : n \notin Names(p.c)
Retired(s) == [s EXCEPT !.role = "retired", !.hears = FALSE]

-----------------------------------------------------------------------------
(* Restart with disk and seal as they were left (Raft+Restart).  Until the *)
(* rule is satisfied the node neither votes nor acknowledges.  `known` is  *)
(* what it knows to be committed besides its seal: the ledger before a     *)
(* snapshot, 0 for nothing.  Beginning and end of the restart are sealed:  *)
(* in between, the seal has the claim, which no function here looks at.    *)

RestartingAt(s, known) ==
    LET seal == s.seals[1]
        last == ViewAt(s.log, Len(s.log))
        commit == SignatureAtMost(s.log, Min(Max(known, seal.commit), Len(s.log)))
        up == [s EXCEPT !.role = "follower", !.view = Max(seal.view, last),
                        !.vote = IF last > seal.view THEN Spent ELSE seal.vote,
                        !.commit = commit, !.verified = commit, !.held = TRUE]
    IN  Sealing(up)

Restarting(s) == RestartingAt(s, 0)

Confirmed(s) == Sealing([s EXCEPT !.held = FALSE, !.vote = IF @ = Free THEN Spent ELSE @])

-----------------------------------------------------------------------------
(***************************************************************************)
(* What a node has to say: each message that it sends follows from a state *)
(* that it was in.  A vote or an acknowledgement waits for the seal that   *)
(* covers it.                                                              *)
(***************************************************************************)
Statements(n, s) ==
    (IF s.vote \in Nodes /\ IsUp(s) THEN {[t |-> "grant", view |-> s.view, from |-> n, to |-> s.vote]} ELSE {})
    \cup
    (IF s.role = "candidate" THEN {[t |-> "ask", view |-> s.view, from |-> n, sig |-> LastSignature(s.log)]} ELSE {})
    \cup
    (IF s.role = "follower" /\ s.hears /\ ~s.held
     THEN {[t |-> "ack", view |-> s.view, from |-> n,
            end |-> IF Bug("acknowledges log end") THEN s.durable
                    ELSE IF Bug("acknowledges before sync") THEN s.verified
                    ELSE Min(s.durable, s.verified)]} ELSE {})

IsCovered(s, x) ==
    \/ Bug("sends before seal")
    \/ s.seals[1].view > x.view
    \/ s.seals[1].view = x.view /\ (x.t = "grant" => s.seals[1].vote = x.to)

Due(n, s) == {x \in s.unsaid \cup Statements(n, s) : IsCovered(s, x)}
Quiet(n, s) == [s EXCEPT !.unsaid = {x \in @ \cup Statements(n, s) : ~IsCovered(s, x)}]
=============================================================================
