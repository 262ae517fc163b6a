#!/usr/bin/env bash
# just-diff 6.0.2 (Node 20): its jsonPatchPathConverter, which turns array paths into JSON pointers.
#
# Expected: keys escaped as RFC 6901 says, ~ as ~0 and / as ~1.
# Seen: keys are joined as they are. A key with a slash then names another place, which may exist: the patch is valid and alters
# the wrong member.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund just-diff@6.0.2 > /dev/null
cat > try.mjs <<'JS'
import { diff, jsonPatchPathConverter } from 'just-diff';
const before = { 'a/b': 1, a: { b: 1 } };
console.log(JSON.stringify(diff(before, { 'a/b': 2, a: { b: 1 } }, jsonPatchPathConverter)));
console.log(JSON.stringify(diff({ 'c~d': 1 }, { 'c~d': 2 }, jsonPatchPathConverter)));
JS
seen=$(node try.mjs)
expected=$(cat <<'SEEN'
[{"op":"replace","path":"/a/b","value":2}]
[{"op":"replace","path":"/c~d","value":2}]
SEEN
)
printf '%s\n' "$seen"
if [ "$seen" != "$expected" ]; then
  printf 'This has changed. Before it was:\n%s\n' "$expected" >&2
  exit 1
fi
