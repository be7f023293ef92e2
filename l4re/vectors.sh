#!/bin/bash
# Copies the test vectors to a folder under names that boot modules can have: acvp/X.json becomes acvp.X.vectors.json.

set -euo pipefail
vectors=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../tests/vectors" && pwd)
[[ $# == 1 && -d $1 ]] || {
  echo "usage: l4re/vectors.sh FOLDER" >&2
  exit 2
}
for file in "$vectors"/*/*.json; do
  folder=$(basename "$(dirname "$file")")
  cp "$file" "$1/$folder.$(basename "$file" .json).vectors.json"
done
