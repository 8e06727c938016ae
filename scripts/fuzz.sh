#!/usr/bin/env bash
# Coverage-guided fuzzing of every decoder that faces the outside: scripts/fuzz.sh [TARGET...]. Each runs for
# FUZZ_SECONDS (20); FUZZ_ARGS goes to libFuzzer. What is found stays in .build-fuzz/findings/TARGET, what reached new
# code in .build-fuzz/corpus/TARGET. Exit code 1 when something was found.
set -euo pipefail
cd "$(dirname "$0")/.."
swift=${SWIFT:-swift}
scratch=${FUZZ_SCRATCH:-.build-fuzz}
seconds=${FUZZ_SECONDS:-20}
# The library path of the compiler has libFuzzer, without a main, for each architecture.
resources=$("$swift" -print-target-info | sed -n 's/.*"runtimeResourcePath" *: *"\(.*\)".*/\1/p')
archive=$(find -L "$resources/clang/lib/linux" "$resources/../clang" -name "libclang_rt.fuzzer_no_main-$(uname -m).a" 2>/dev/null | head -1)
[ -n "$archive" ] || { echo "no libFuzzer beside $swift" >&2; exit 2; }
export ENTENTE_FUZZ=$archive
# A trap shall end the program at once, not open a debugger.
export SWIFT_BACKTRACE=enable=no

echo "== build with address sanitizer and coverage"
nice "$swift" build -c release --sanitize address --scratch-path "$scratch" --product entente-fuzz \
    -Xswiftc -sanitize-coverage=edge,inline-8bit-counters,pc-table,trace-cmp 2>&1 |
    grep --line-buffered -vE '^\[[0-9]+/[0-9]+\] (Compiling|Write|Emitting|Wrapping)|Cannot export local symbol' || true
program="$scratch/release/entente-fuzz"
[ -x "$program" ] || exit 2

declare -A limits
while read -r name limit; do limits[$name]=$limit; done < <("$program" list)
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <("$program" list | cut -d' ' -f1)

printf '%-22s %12s %9s %9s %8s  %s\n' target executions exec/s coverage corpus findings
status=0
for target in "${targets[@]}"; do
    [ -n "${limits[$target]:-}" ] || { echo "no target $target" >&2; exit 2; }
    corpus="$scratch/corpus/$target"
    findings="$scratch/findings/$target"
    mkdir -p "$corpus" "$findings"
    folders=("$corpus")
    for seeds in "Fuzz/Corpus/$target" "Fuzz/Regressions/$target"; do [ -d "$seeds" ] && folders+=("$seeds"); done
    log="$findings/log.txt"
    code=0
    nice "$program" "$target" -max_total_time="$seconds" -max_len="${limits[$target]}" -rss_limit_mb=2048 \
        -malloc_limit_mb=512 -timeout=5 -detect_leaks=0 -print_final_stats=1 -artifact_prefix="$findings/" \
        ${FUZZ_ARGS:-} "${folders[@]}" >"$log" 2>&1 || code=$?
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    speed=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
    coverage=$(grep -oE 'cov: [0-9]+' "$log" | tail -1 | cut -d' ' -f2)
    found=$(find "$findings" -type f ! -name log.txt | wc -l)
    printf '%-22s %12s %9s %9s %8s  %s\n' "$target" "${executions:-?}" "${speed:-?}" "${coverage:-0}" \
        "$(find "$corpus" -type f | wc -l)" "$found"
    if [ "$code" -ne 0 ] || [ "$found" -gt 0 ]; then
        status=1
        grep -E 'Fatal error|ERROR:|SUMMARY:' "$log" | head -4 | sed 's/^/    /'
        for input in $(find "$findings" -type f ! -name log.txt | head -5); do
            echo "    reproduce: SWIFT_BACKTRACE=enable=no $program $target $input"
        done
        echo "    log: $log"
    fi
done
exit $status
