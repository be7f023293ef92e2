#!/bin/bash
# Holds every C and C++ file against .clang-format, those of L4Re's declarations too whose names
# have no suffix. The version is pinned, because each one formats a little differently.
# `scripts/check_format.sh --fix` formats the files in place.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

cd "$wvds_root"
mapfile -d '' -t files < <(git ls-files -z --cached --others --exclude-standard -- '*.h' '*.cc' '*.c' \
  'l4re/declarations/l4/*')
existing=()
for file in "${files[@]}"; do
  if [[ -f $file ]]; then existing+=("$file"); fi
done
((${#existing[@]} > 0)) || die 'no source file found'
if [[ ${1:-} == --fix ]]; then
  clang-format-19 -i -- "${existing[@]}"
else
  clang-format-19 --dry-run --Werror -- "${existing[@]}"
fi
say "${#existing[@]} files"
