#!/usr/bin/env bash
# Builds the enclave programs twice from the committed sources, in two folders of different names, and compares them byte by
# byte. Prints what a code manifest entry and a proposal need: version, revision, recipe, digests. Exit code 1 if they differ.
#
#   scripts/reproduce.sh [--keep FOLDER]     FOLDER gets the programs; they are what this recipe makes anywhere
set -euo pipefail
cd "$(dirname "$0")/.."
keep=
if [ "${1:-}" = --keep ]; then keep=$(realpath -m "${2:?--keep needs a folder}"); shift 2; fi
[ $# -eq 0 ] || { echo "usage: $0 [--keep FOLDER]" >&2; exit 2; }
swift=${SWIFT:-swift}
programs=(entente-manager entente-worker entente-node)
revision=$(git rev-parse HEAD)
git diff --quiet HEAD -- || echo "note: changes that are not committed are left out" >&2
work=$(mktemp -d "${TMPDIR:-/tmp}/entente-reproduce-XXXXXX")
trap 'rm -rf "$work"' EXIT

# The recipe: nothing of where it is built may stand in what is built.
build() {
    local tree=$1 program
    mkdir -p "$tree"
    git archive "$revision" | tar -x -C "$tree"
    [ ! -f Package.resolved ] || cp Package.resolved "$tree/"
    for program in "${programs[@]}"; do
        (cd "$tree" && env -u CC -u CXX LC_ALL=C TZ=UTC SOURCE_DATE_EPOCH=0 "$swift" build -c release --scratch-path "$tree/.build" \
            --product "$program" \
            -Xswiftc -file-prefix-map -Xswiftc "$tree=/entente" -Xswiftc -file-compilation-dir -Xswiftc /entente \
            -Xcc "-ffile-prefix-map=$tree=/entente" -Xcc -ffile-compilation-dir=/entente \
            -Xcxx "-ffile-prefix-map=$tree=/entente" -Xcxx -ffile-compilation-dir=/entente \
            -Xlinker --build-id=sha1) > "$tree/$program.log" 2>&1 ||
            { tail -20 "$tree/$program.log" >&2; echo "$program could not be built in $tree" >&2; exit 1; }
    done
}

one="$work/one" other="$work/another/folder/of/another/depth"
echo "building twice at revision $revision; this takes a while" >&2
build "$one"
build "$other"

code=0
printf 'revision  %s\ncompiler  %s\nrecipe    scripts/reproduce.sh\n' "$revision" "$("$swift" --version 2>/dev/null | head -1)"
for program in "${programs[@]}"; do
    first="$one/.build/release/$program" second="$other/.build/release/$program"
    if cmp -s "$first" "$second"; then
        printf '%-16s %s  the same twice\n' "$program" "$(sha256sum < "$first" | cut -d' ' -f1)"
    else
        printf '%-16s differs: %s and %s\n' "$program" "$(sha256sum < "$first" | cut -c1-16)" "$(sha256sum < "$second" | cut -c1-16)"
        code=1
    fi
done
if [ -n "$keep" ]; then
    mkdir -p "$keep"
    for program in "${programs[@]}"; do cp "$one/.build/release/$program" "$keep/"; done
    [ $code -eq 0 ] || cp -r "$other/.build/release/entente-manager" "$keep/entente-manager.second"
fi
exit $code
