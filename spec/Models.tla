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
SymmetryRest == Permutations({n2, n3})

-----------------------------------------------------------------------------
(***************************************************************************)
(* Progress, in a world where elections end (ViewMax) and what can be      *)
(* done is done at last: all that the leader of the last view has signed   *)
(* is committed, and everyone whom its log names knows, unless the leader  *)
(* has rightly left.                                                       *)
(***************************************************************************)
FairSpec == Spec /\ \A n \in Nodes :
    WF_vars(Receive(n)) /\ WF_vars(Commit(n)) /\ WF_vars(Sync(n)) /\ WF_vars(Seal(n))

IsLed == \E n \in Nodes : node[n].role = "leader" /\ node[n].view = ViewMax
AllKnow ==
    LET log == views[ViewMax].log
        newest == log[Largest({p.at : p \in Placed(log, NoConfig, Len(log))})].c
    IN  \A n \in Names(newest) : node[n].commit >= SignatureAtMost(log, Len(log)) \/ node[n].role = "retired"
HasLeft == \E n \in views[ViewMax].by : node[n].role = "retired"

Progress == IsLed ~> (AllKnow \/ HasLeft)
=============================================================================
