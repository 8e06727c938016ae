------------------------------- MODULE Models --------------------------------
(* The small worlds in which TLC looks at every state; models/*.cfg choose. *)
EXTENDS Entente, TLC

CONSTANTS n1, n2, n3, n4, n5

Three == {n1, n2, n3}
Four == {n1, n2, n3, n4}

FoundersOne == Majority({n1}, {})
FoundersTwo == Majority({n1, n2}, {})
FoundersThree == Majority(Three, {})
FoundersTwoOfFour == Config(Four, {}, 2, 3, 0)
FoundersAllOfThree == Config(Three, {}, 3, 2, 0)
(* Elections need not meet: one of the two conditions is missing. *)
FoundersUnsafe == Config(Four, {}, 3, 2, 0)

NoPlans == {}
(* One of two is replaced. *)
PlansReplace == {Majority({n2, n3}, {})}
(* Sets that share nobody, and a set that shares one. *)
PlansMove == {Majority({n2, n3}, {}), Majority({n3}, {})}
(* A learner first, then a voter. *)
PlansLearn == {Majority({n1, n2}, {n3}), Majority({n1, n2, n3}, {})}
(* n1 leaves; the same set again settles it. *)
PlansLeave == {Majority({n2}, {})}

SymmetryThree == Permutations(Three)
SymmetryFour == Permutations(Four)

(* One candidate in each view, and no view left out: for long histories. *)
OneByOne == \A v \in 2..ViewMax :
    /\ Cardinality(views[v].asks) <= 1
    /\ v > 2 /\ views[v].asks # {} => views[v - 1].asks # {}

-----------------------------------------------------------------------------
(***************************************************************************)
(* Progress, where elections have ended (ViewMax): when all that can       *)
(* arrive has arrived and all that may be committed is, then everything    *)
(* that the leader has signed is committed, and everyone whom its log      *)
(* names knows, unless the leader has rightly left.  Each such step raises *)
(* a bounded number, so fairness leads to such a state; said as a rule for *)
(* states it costs no temporal checking.                                   *)
(***************************************************************************)
CanHear(n) == IsUp(node[n]) /\ \E v \in Max(node[n].view, 1)..ViewMax :
    LET said == views[v]
    IN  /\ said.by \ {n} # {} /\ (v = node[n].view => node[n].role # "leader")
        /\ \/ v > node[n].view \/ ~node[n].hears \/ Len(said.log) > node[n].verified
           \/ said.commit > node[n].commit
CanCommit(n) ==
    LET Ack(p) == views[node[n].view].acks[p]
    IN  node[n].role = "leader" /\ \E i \in 1..Len(node[n].log) : MayCommit(n, node[n], i, Ack)
IsQuiet == \A n \in Nodes :
    /\ node[n].role # "down" /\ ~node[n].held /\ Len(node[n].disk) = 1 /\ Len(node[n].seals) = 1
    /\ ~CanHear(n) /\ ~CanCommit(n)

IsLed == \E n \in Nodes : node[n].role = "leader" /\ node[n].view = ViewMax
AllKnow ==
    LET log == views[ViewMax].log
        newest == log[Largest({p.at : p \in Placed(log, NoConfig, Len(log))})].c
        signed == SignatureAtMost(log, Len(log))
    IN  signed > 0 /\ ViewAt(log, signed) = ViewMax =>
            \A n \in Names(newest) : node[n].commit >= signed \/ node[n].role = "retired"

Progress == IsLed /\ IsQuiet => AllKnow
=============================================================================
