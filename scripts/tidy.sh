#!/usr/bin/env bash
# Rules that the formatter does not know: words that mean unfinished work, and files too long to read.
set -euo pipefail
cd "$(dirname "$0")/.."
status=0
if grep -rnE '\bTODO\b|\bFIXME\b|fatalError\("not|unimplemented' --include='*.swift' --include='*.py' --include='*.sh' Sources Tests Benchmarks Fuzz 2>/dev/null; then
    echo "tidy: the lines above speak of unfinished work" >&2
    status=1
fi
while read -r lines file; do
    if [ "$file" != total ] && [ "$lines" -gt 600 ]; then
        echo "tidy: $file has $lines lines; 600 is the most" >&2
        status=1
    fi
done < <(find Sources Fuzz -name '*.swift' -print0 | xargs -0 wc -l)
exit $status
