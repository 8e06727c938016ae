--------------------------------- MODULE Log ---------------------------------
(***************************************************************************)
(* Logs and the configurations in them: Sources/Consensus/Log/LogIndex and *)
(* Model/Configuration.                                                    *)
(*                                                                         *)
(* An entry is [v, k, c]: the view of the leader that wrote it; its kind,  *)
(* "d" for data, "s" for a signature, "c" for a configuration; and the     *)
(* configuration (NoConfig for the other kinds).  A position is            *)
(* <<view, seqno>>; <<0, 0>> stands before the first entry.                *)
(***************************************************************************)
EXTENDS Integers, Sequences, FiniteSets

CONSTANT NoConfig

Max(a, b) == IF a >= b THEN a ELSE b
Min(a, b) == IF a <= b THEN a ELSE b
Largest(S) == CHOOSE x \in S : \A y \in S : y <= x
IsPrefix(a, b) == Len(a) <= Len(b) /\ SubSeq(b, 1, Len(a)) = a

(* Voters count, learners only receive; qr of the voters commit, qe elect; *)
(* `settled` is the newest configuration that the writer knew to be        *)
(* committed, 0 for none.                                                  *)
Config(voters, learners, qr, qe, settled) ==
    [voters |-> voters, learners |-> learners, qr |-> qr, qe |-> qe, settled |-> settled]
IsSafe(c) ==
    LET n == Cardinality(c.voters)
    IN  c.qr \in 1..n /\ c.qe \in 1..n /\ c.qr + c.qe > n /\ 2 * c.qe > n
Majority(voters, learners) ==
    LET half == Cardinality(voters) \div 2 + 1 IN Config(voters, learners, half, half, 0)
Names(c) == c.voters \cup c.learners

Data(v) == [v |-> v, k |-> "d", c |-> NoConfig]
Signature(v) == [v |-> v, k |-> "s", c |-> NoConfig]
Membership(v, c) == [v |-> v, k |-> "c", c |-> c]

ViewAt(log, i) == IF i = 0 THEN 0 ELSE log[i].v
Position(log, i) == <<ViewAt(log, i), i>>
Holds(log, p) == p[2] <= Len(log) /\ ViewAt(log, p[2]) = p[1]
(* The order in which elections compare logs: by view, then by seqno. *)
NotAfter(p, q) == p[1] < q[1] \/ (p[1] = q[1] /\ p[2] <= q[2])

RECURSIVE SignatureAtMost(_, _)
SignatureAtMost(log, i) ==
    IF i = 0 THEN 0 ELSE IF log[i].k = "s" THEN i ELSE SignatureAtMost(log, i - 1)
LastSignature(log) == Position(log, SignatureAtMost(log, Len(log)))

(***************************************************************************)
(* Configurations with their places.  `seed` is the configuration that a   *)
(* founder goes by before it is in the log, at place 0.                    *)
(***************************************************************************)
Placed(log, seed, end) ==
    {[at |-> i, c |-> log[i].c] : i \in {j \in 1..Min(end, Len(log)) : log[j].k = "c"}}
        \cup (IF seed = NoConfig THEN {} ELSE {[at |-> 0, c |-> seed]})

(* Those that must each agree: the newest one known to be committed, and   *)
(* all after it.  What an entry calls settled counts as committed.         *)
Active(log, seed, commit, end) ==
    LET all == Placed(log, seed, end)
        known == Largest({commit} \cup {p.c.settled : p \in all})
        first == Largest({0} \cup {p.at : p \in Placed(log, seed, known)})
    IN  {p \in all : p.at >= first}

(* Those that may still matter to someone: from the one that the committed *)
(* log calls settled.                                                      *)
Remembered(log, seed, commit) ==
    LET settled == Largest({0} \cup {p.c.settled : p \in Placed(log, seed, commit)})
    IN  {p \in Placed(log, seed, Len(log)) : p.at >= settled}

(* The newest configuration at or before `commit`, 0 for none. *)
CommittedConfig(log, commit) == Largest({0} \cup {p.at : p \in Placed(log, NoConfig, commit)})
=============================================================================
