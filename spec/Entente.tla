------------------------------- MODULE Entente -------------------------------
(***************************************************************************)
(* The consensus of Entente: Raft with commit at signature entries, joint  *)
(* configurations that any set may follow, retirement through `settled`,   *)
(* learners, and flexible quorums.                                         *)
(*                                                                         *)
(* The network is what has been said: `views[v]` gathers all that anyone   *)
(* ever said in view v.  A message that was sent may arrive at any later   *)
(* time, any number of times, or never; so a receiver may act on whatever  *)
(* is there.  README.md says why that loses no behaviour.                  *)
(***************************************************************************)
EXTENDS Node

CONSTANTS
    Founders,       \* the configuration that the network begins with
    Plans,          \* configurations that leaders may propose (their settled is set here)
    ViewMax,        \* no election beyond this view
    LogMax,         \* no entry beyond this seqno
    HasData,        \* whether leaders append data, besides signatures and configurations
    SyncsAtOnce,    \* whether a write is on disk in the step that makes it
    SealsAtOnce,    \* likewise for the hard state
    CrashesMax,     \* how often the power may fail
    Abdicates,      \* whether leaders step down and nodes enter views by themselves (see Stand)
    HasSnapshots    \* whether nodes are brought up by snapshots

VARIABLES
    node,           \* the state of each node (module Node)
    views,          \* what was said in each view
    committed,      \* the longest log that a leader ever called committed
    crashes

vars == <<node, views, committed, crashes>>

NothingSaid == [by |-> {}, log |-> <<>>, commit |-> 0, asks |-> {}, grants |-> {},
                acks |-> [n \in Nodes |-> 0]]

FoundingLog == <<Membership(1, Founders), Signature(1)>>

Init ==
    /\ node = [n \in Nodes |-> IF n \in Names(Founders) THEN Begun(FoundingLog, 1, 2) ELSE Joining]
    /\ views = [v \in 1..ViewMax |-> NothingSaid]
    /\ committed = FoundingLog
    /\ crashes = 0

-----------------------------------------------------------------------------
(* What the network hears when node n comes to state s.  A leader's log    *)
(* only grows in its view, so every AppendEntries that it ever sent there  *)
(* is a part of it.                                                        *)

RECURSIVE Say(_, _)
Say(all, X) ==
    IF X = {} THEN all
    ELSE LET x == CHOOSE x \in X : TRUE
             said == CASE x.t = "ask" -> [all EXCEPT ![x.view].asks = @ \cup {[from |-> x.from, sig |-> x.sig]}]
                       [] x.t = "grant" -> [all EXCEPT ![x.view].grants = @ \cup {<<x.from, x.to>>}]
                       [] x.t = "ack" -> [all EXCEPT ![x.view].acks[x.from] = Max(@, x.end)]
         IN  Say(said, X \ {x})

Heard(all, n, s) ==
    LET led == IF s.role = "leader"
               THEN [all EXCEPT ![s.view].by = @ \cup {n}, ![s.view].log = s.log,
                                ![s.view].commit = Max(@, s.commit)]
               ELSE all
    IN  Say(led, Due(n, s))

Flushed(s) ==
    LET synced == IF SyncsAtOnce /\ Len(s.disk) > 1
                  THEN [Synced(s, Len(s.disk) - 1) EXCEPT !.disk = <<[log |-> s.log, end |-> Len(s.log)]>>] ELSE s
        last == IF CrashesMax = 0 THEN [Last(synced.seals) EXCEPT !.commit = 0] ELSE Last(synced.seals)
    IN  IF SealsAtOnce THEN [synced EXCEPT !.seals = <<last>>] ELSE synced

(* Node n comes to state `next`. *)
Becomes(n, next) ==
    LET s == Flushed(next)
    IN  /\ node' = [node EXCEPT ![n] = Quiet(n, s)]
        /\ views' = Heard(views, n, s)
        /\ committed' = IF s.role = "leader" /\ s.commit > Len(committed)
                        THEN SubSeq(s.log, 1, s.commit) ELSE committed

-----------------------------------------------------------------------------
(* Elections.  PreVote and loyalty to a living leader only hold elections  *)
(* and votes back, so they are left out: a node may stand at any time, and *)
(* need not grant.  It may stand in any later view, since it may have heard*)
(* of one, and a leader may have stepped down before; so StepDown and      *)
(* HearOfView need not be steps of their own, unless Abdicates says so.    *)

Stand(n) ==
    LET s == IF Abdicates THEN node[n] ELSE [node[n] EXCEPT !.role = IF @ = "leader" THEN "follower" ELSE @]
        last == IF Abdicates THEN Min(s.view + 1, ViewMax) ELSE ViewMax
    IN  /\ MayStand(n, s)
        /\ \E v \in (s.view + 1)..last : Becomes(n, Standing(n, s, v)) /\ UNCHANGED crashes

Grant(n) == \E v \in node[n].view..ViewMax : v > 0 /\ \E ask \in views[v].asks :
    LET s == IF v > node[n].view THEN Entered(node[n], v) ELSE node[n]
    IN  /\ IsUp(node[n]) /\ ask.from # n /\ MayGrant(s, ask.from, ask.sig) /\ s.vote # ask.from
        /\ Becomes(n, Granting(s, ask.from)) /\ UNCHANGED crashes

Lead(n) ==
    /\ node[n].role = "candidate"
    /\ HasWon(node[n], {p \in Nodes : <<p, n>> \in views[node[n].view].grants})
    /\ Becomes(n, Leading(node[n])) /\ UNCHANGED crashes

(* CheckQuorum. *)
StepDown(n) == Abdicates /\ node[n].role = "leader" /\ Becomes(n, Following(node[n])) /\ UNCHANGED crashes

(* Any message of a later view. *)
HearOfView(n) == Abdicates /\ \E v \in (node[n].view + 1)..ViewMax :
    /\ IsUp(node[n]) /\ \E p \in Nodes : node[p].seals[1].view = v
    /\ Becomes(n, Entered(node[n], v)) /\ UNCHANGED crashes

-----------------------------------------------------------------------------
(* Replication. *)

Propose(n) ==
    LET s == node[n]
        settled == CommittedConfig(s.log, s.commit)
        entries == {Signature(s.view)} \cup (IF HasData THEN {Data(s.view)} ELSE {})
            \cup {Membership(s.view, c) : c \in {d \in {[p EXCEPT !.settled = settled] : p \in Plans} :
                                                    MayConfigure(s, d)}}
    IN  /\ s.role = "leader" /\ Len(s.log) < LogMax
        /\ \E entry \in entries :
            /\ entry.k = "s" => s.log[Len(s.log)].k # "s" \/ ViewAt(s.log, Len(s.log)) # s.view
            /\ entry.k = "c" => \A p \in InForce(s) : p.c # entry.c
            /\ Becomes(n, Added(s, <<entry>>)) /\ UNCHANGED crashes

(* n takes the leader's log up to `end`.  The result is the same for every *)
(* `previous` that n accepts, and it accepts its own commit point.         *)
Receive(n) == \E v \in node[n].view..ViewMax : v > 0 /\
    LET said == views[v]
        s == IF v > node[n].view THEN Entered(node[n], v) ELSE node[n]
    IN  /\ IsUp(node[n]) /\ said.by \ {n} # {} /\ s.role # "leader"
        /\ \E end \in 0..Len(said.log) :
            LET from == Min(s.commit, end)
                known == SignatureAtMost(said.log, Min(said.commit, Min(Len(said.log), Max(end, s.verified))))
            IN  \E commit \in {0, known} :
                    /\ \/ end > s.verified \/ commit > s.commit \/ ~s.hears \/ Bug("truncates early")
                    /\ Becomes(n, Taken(s, Position(said.log, from), SubSeq(said.log, from + 1, end), commit))
                    /\ UNCHANGED crashes

Commit(n) ==
    LET s == node[n]
        Ack(p) == views[s.view].acks[p]
    IN  \E i \in 1..Len(s.log) : MayCommit(n, s, i, Ack) /\ Becomes(n, Committing(s, i)) /\ UNCHANGED crashes

(* A voter's answer says what it knows to be committed. *)
LearnCommitted(n) == \E i \in 1..Len(committed) :
    /\ IsUp(node[n]) /\ MayLearnCommitted(node[n], Position(committed, i))
    /\ Becomes(n, Committing(node[n], i)) /\ UNCHANGED crashes

LearnSettled(n) == \E i \in 1..Len(committed) :
    /\ IsUp(node[n]) /\ MayLearnSettled(node[n], Position(committed, i))
    /\ Becomes(n, Settling(node[n], Position(committed, i))) /\ UNCHANGED crashes

Retire(n) == MayRetire(n, node[n]) /\ Becomes(n, Retired(node[n])) /\ UNCHANGED crashes

InstallSnapshot(n) == HasSnapshots /\ \E i \in 1..Len(committed) :
    /\ IsUp(node[n]) /\ node[n].role # "leader" /\ i > node[n].commit /\ committed[i].k = "s"
    /\ Becomes(n, Installed(node[n], SubSeq(committed, 1, i))) /\ UNCHANGED crashes

-----------------------------------------------------------------------------
(* Disk, seal, power. *)

Sync(n) ==
    /\ IsUp(node[n]) /\ Len(node[n].disk) > 1
    /\ Becomes(n, Synced(node[n], 1)) /\ UNCHANGED crashes

Seal(n) ==
    /\ IsUp(node[n]) /\ Len(node[n].seals) > 1
    /\ Becomes(n, Sealed(node[n], 1)) /\ UNCHANGED crashes

Crash(n) ==
    /\ IsUp(node[n]) /\ crashes < CrashesMax
    /\ \E writes \in 0..(Len(node[n].disk) - 1), seals \in 0..(Len(node[n].seals) - 1) :
        node' = [node EXCEPT ![n] = Crashed(node[n], writes, seals)]
    /\ crashes' = crashes + 1 /\ UNCHANGED <<views, committed>>

Restart(n) ==
    /\ node[n].role = "down"
    /\ Becomes(n, Restarting(node[n])) /\ UNCHANGED crashes

Confirm(n) == IsUp(node[n]) /\ node[n].held /\ Becomes(n, Confirmed(node[n])) /\ UNCHANGED crashes

-----------------------------------------------------------------------------

Step(n) ==
    \/ Stand(n) \/ Grant(n) \/ Lead(n) \/ StepDown(n) \/ HearOfView(n)
    \/ Propose(n) \/ Receive(n) \/ Commit(n) \/ LearnCommitted(n) \/ LearnSettled(n) \/ Retire(n)
    \/ InstallSnapshot(n) \/ Sync(n) \/ Seal(n) \/ Crash(n) \/ Restart(n) \/ Confirm(n)

Next == \E n \in Nodes : Step(n)

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* What must hold. *)

Logs == {node[n].log : n \in Nodes} \cup {views[v].log : v \in DOMAIN views}
            \cup (IF SyncsAtOnce THEN {} ELSE {node[n].disk[1].log : n \in Nodes})

(* At most one leader in a view. *)
ElectionSafety == \A v \in DOMAIN views : Cardinality(views[v].by) <= 1

(* Two logs that hold the same position hold the same up to it. *)
LogMatching == \A a, b \in Logs :
    LET common == {i \in 1..Min(Len(a), Len(b)) : a[i].v = b[i].v}
    IN  common # {} => LET i == Largest(common) IN SubSeq(a, 1, i) = SubSeq(b, 1, i)

(* Views in a log never fall, and each begins after a signature. *)
ViewsAfterSignatures == \A log \in Logs : \A i \in 2..Len(log) :
    log[i - 1].v <= log[i].v /\ (log[i - 1].v < log[i].v => log[i - 1].k = "s")

(* A leader has all that was ever committed in earlier views. *)
LeaderCompleteness == \A v \in DOMAIN views : views[v].by # {} =>
    \A w \in 1..(v - 1) : IsPrefix(SubSeq(views[w].log, 1, views[w].commit), views[v].log)

(* What one node knows to be committed is what all know. *)
StateMachineSafety == \A n \in Nodes :
    /\ node[n].commit <= Len(node[n].log)
    /\ IsPrefix(SubSeq(node[n].log, 1, node[n].commit), committed)

(* What is committed ends with a signature. *)
CommittedSigned ==
    /\ committed = <<>> \/ Last(committed).k = "s"
    /\ \A n \in Nodes : node[n].commit > 0 => node[n].log[node[n].commit].k = "s"

(* What is committed is on the disks of a replication quorum. *)
QuorumHolds == committed # <<>> =>
    LET at == CommittedConfig(committed, Len(committed))
        Holder(n) == IsPrefix(committed, node[n].disk[1].log)
    IN  Cardinality({n \in committed[at].c.voters : Holder(n)}) >= committed[at].c.qr

(* Nobody ever sees what no correct node sends. *)
NeverHalts == \A n \in Nodes : node[n].role # "halted"

(* No crash makes a node look rolled back: its seal never names an entry   *)
(* that its disk may lack.                                                 *)
SealWithinDisk == \A n \in Nodes : \A i \in DOMAIN node[n].seals : \A j \in DOMAIN node[n].disk :
    node[n].seals[i].commit <= Len(node[n].disk[j].log)

(* Only what is on disk is acknowledged or counted. *)
DurableIsOnDisk == \A n \in Nodes : \A j \in DOMAIN node[n].disk :
    IsPrefix(SubSeq(node[n].log, 1, node[n].durable), node[n].disk[j].log)

(* Nobody needs a retired node: whoever holds all that is committed, and   *)
(* so may still lead, goes by configurations without it.                   *)
RetiredNotNeeded == \A r \in Nodes : node[r].role = "retired" =>
    \A n \in Nodes : IsUp(node[n]) /\ IsPrefix(committed, node[n].log) =>
        \A p \in ElectionConfigs(node[n]) \cup InForce(node[n]) : r \notin p.c.voters

(* An election can always be won, by nodes that have not retired: someone, *)
(* once the answers of the others told it what is committed, gets enough   *)
(* votes of nodes whose signature is no later than its own.                *)
NeverStuck == (\A n \in Nodes : node[n].role # "down") =>
    LET up == {n \in Nodes : IsUp(node[n])}
        Points(n) == {i \in {node[m].commit : m \in up} :
                        MayLearnCommitted(node[n], Position(committed, i)) \/ i = node[n].commit}
        Firsts == {Largest({0} \cup {p.at : p \in {q \in InForce(node[m]) : \A r \in InForce(node[m]) : q.at <= r.at}})
                        : m \in up}
        Informed(n) ==
            LET one == [node[n] EXCEPT !.commit = Largest(Points(n) \cup {@}), !.held = FALSE, !.role = "follower"]
                two == {i \in Firsts : i <= Len(committed) /\ MayLearnSettled(one, Position(committed, i))}
            IN  IF two = {} THEN one ELSE [one EXCEPT !.settled = Largest(two)]
        Willing(n) == {m \in up : NotAfter(LastSignature(node[m].log), LastSignature(node[n].log))}
    IN  \E n \in up : LET s == Informed(n) IN
            /\ MayStand(n, s)
            /\ \A p \in ElectionConfigs(s) : Cardinality(Willing(n) \cap p.c.voters) >= p.c.qe

(* A commit point moves only forward, but for a restart from the seal. *)
MonotonicCommit == [][
    /\ IsPrefix(committed, committed')
    /\ \A n \in Nodes : node'[n].commit >= node[n].commit \/ node'[n].role = "down"
    /\ \A n \in Nodes : node'[n].view >= node[n].view \/ node'[n].role = "down"
    /\ \A v \in DOMAIN views : IsPrefix(views[v].log, views'[v].log)]_vars
=============================================================================
