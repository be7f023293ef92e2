#!/bin/bash
# Checks the shell scripts: syntax always, and with shellcheck where it is installed.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

cd "$wvds_root"
mapfile -d '' -t candidates < <(git ls-files -z --cached --others --exclude-standard)
scripts=()
for file in "${candidates[@]}"; do
  [[ -f $file ]] || continue
  if [[ $file == *.sh ]] || head -c 64 -- "$file" | grep -aqE '^#!.*/(ba|da)?sh( |$)'; then scripts+=("$file"); fi
done
((${#scripts[@]} > 0)) || die 'no shell script found'
bad=0
for file in "${scripts[@]}"; do bash -n -- "$file" || bad=1; done
if command -v shellcheck >/dev/null; then
  shellcheck -x -- "${scripts[@]}" || bad=1
else
  say 'shellcheck is not installed: syntax only'
fi
say "${#scripts[@]} scripts"
exit "$bad"
