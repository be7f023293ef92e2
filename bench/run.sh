#!/bin/bash
# Measures everything, five runs, and puts the result into docs/performance.md. Takes a quarter of an hour; the machine
# should do nothing else meanwhile. Arguments go to wvds_bench.

set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
bench=$root/build/release/bench/wvds_bench
out=$root/build/bench

[[ -x $bench ]] || {
  echo "$bench is not built: cmake --preset release && cmake --build --preset release --target wvds_bench" >&2
  exit 1
}
mkdir -p "$out"
"$bench" --benchmark_repetitions=5 --benchmark_enable_random_interleaving=true \
  --benchmark_out="$out/figures.json" --benchmark_out_format=json --summary="$out/fips.md" "$@"
"$bench" --fips=off --benchmark_repetitions=2 --benchmark_enable_random_interleaving=true \
  --benchmark_filter='^(ping|aes|mldsa|mlkem)' --summary="$out/default.md" "$@"
{ cat "$out/fips.md" && echo && cat "$out/default.md"; } >"$out/tables.md"
python3 "$root/scripts/plot_performance.py" "$out/figures.json" "$out/tables.md"
