#!/usr/bin/env bash
# rfc6902 5.4.0 (Node 20): createTests, which makes guards for a patch that createPatch made.
#
# Expected: guards that hold on the document that the patch was made on, whatever its steps.
# Seen: every path is looked up in the document before the patch. Where an earlier step inserts or removes an item, the later path names
# another item, or none: the guard then has the value undefined, which JSON drops, so what is sent is no valid operation.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund rfc6902@5.4.0 > /dev/null
cat > try.mjs <<'JS'
import { createPatch, createTests } from 'rfc6902';
const before = { a: [3, 2] };
const patch = createPatch(before, { a: [2, 3] });
console.log(JSON.stringify(patch));
console.log(JSON.stringify(createTests(before, patch)));
JS
seen=$(node try.mjs)
expected=$(cat <<'SEEN'
[{"op":"add","path":"/a/0","value":2},{"op":"remove","path":"/a/2"}]
[{"op":"test","path":"/a/2"}]
SEEN
)
printf '%s\n' "$seen"
if [ "$seen" != "$expected" ]; then
  printf 'This has changed. Before it was:\n%s\n' "$expected" >&2
  exit 1
fi
