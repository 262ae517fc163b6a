#!/usr/bin/env bash
# fast-json-patch 3.1.1 (Node 20): compare of two roots of which one is an object with the keys 0, 1, … and the other an array.
#
# Expected: a patch that leads from one to the other, so a replacement of the root; that is what it gives one level deeper.
# Seen: at the root the two kinds are not told apart; the patch edits inside, and its result is still an object.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund fast-json-patch@3.1.1 > /dev/null
cat > try.mjs <<'JS'
import fastJsonPatch from 'fast-json-patch';
const { compare, applyPatch } = fastJsonPatch;
const patch = compare({ 0: { a: 1 } }, [{ a: 2 }]);
console.log(JSON.stringify(patch), JSON.stringify(applyPatch({ 0: { a: 1 } }, patch).newDocument));
console.log(JSON.stringify(compare({ x: { 0: 1 } }, { x: [2] })));
JS
seen=$(node try.mjs)
expected=$(cat <<'SEEN'
[{"op":"replace","path":"/0/a","value":2}] {"0":{"a":2}}
[{"op":"replace","path":"/x","value":[2]}]
SEEN
)
printf '%s\n' "$seen"
if [ "$seen" != "$expected" ]; then
  printf 'This has changed. Before it was:\n%s\n' "$expected" >&2
  exit 1
fi
