#!/usr/bin/env bash
# json-joy 17.67.0 and jsondiffpatch 0.7.7 (Node 20): what a difference says of a new member whose name every object inherits.
#
# Expected: {} to {"constructor": 1} gives one operation that adds the member, as for any other name; JSON knows no inherited members.
# Seen: no operation at all. Both ask whether the old object has the name with a test that the prototype answers too. The member is lost
# without an error. Names of data that meet this: constructor, toString, valueOf.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund json-joy@17.67.0 tslib@2.8.1 jsondiffpatch@0.7.7 > /dev/null
cat > try.mjs <<'JS'
import { JsonPatchDiff } from 'json-joy/lib/json-patch-diff/JsonPatchDiff.js';
import { diff } from 'jsondiffpatch';
import { format } from 'jsondiffpatch/formatters/jsonpatch';
for (const name of ['author', 'constructor', 'toString']) {
  const after = { [name]: 1 };
  console.log(name, 'json-joy', JSON.stringify(new JsonPatchDiff().diff('', {}, after)), 'jsondiffpatch', JSON.stringify(format(diff({}, after))));
}
JS
seen=$(node try.mjs)
expected=$(cat <<'SEEN'
author json-joy [{"op":"add","path":"/author","value":1}] jsondiffpatch [{"op":"add","path":"/author","value":1}]
constructor json-joy [] jsondiffpatch []
toString json-joy [] jsondiffpatch []
SEEN
)
printf '%s\n' "$seen"
if [ "$seen" != "$expected" ]; then
  printf 'This has changed. Before it was:\n%s\n' "$expected" >&2
  exit 1
fi
