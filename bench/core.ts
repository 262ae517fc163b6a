import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  apply,
  canonicalJson,
  defaultLimits,
  diff,
  normalize,
  normalizeAndApply,
  parsePatch,
  toWire,
  type JsonValue,
  type NormalPatch,
  type Operation,
  type Patch,
  type WirePatch,
} from '@concord/core';
import { duration, race, report } from './measure.js';
import { peer } from './peers.js';

/**
 * `node --conditions=@concord/source --import tsx bench/core.ts [trace.json.gz …]`
 *
 * apply and diff beside rfc6902 and immutable-json-patch, then each recorded keystroke history given (the form of
 * github.com/josephg/editing-traces: `{startContent, endContent, txns: [{patches: [[position, deleted, inserted]]}]}`).
 */
const print = (text: string) => process.stdout.write(`${text}\n`);

interface Rfc6902 {
  applyPatch(document: unknown, patch: WirePatch): (Error | null)[];
  createPatch(before: unknown, after: unknown): WirePatch;
}
interface ImmutableJsonPatch {
  readonly immutableJSONPatch: (document: unknown, patch: WirePatch) => unknown;
}
/** Results go here, so that the compiler cannot leave the work out. */
let sink: unknown;

const rfc6902 = await peer<Rfc6902>('rfc6902');
const { immutableJSONPatch } = await peer<ImmutableJsonPatch>('immutable-json-patch');

function must<T>(result: { ok: true; value: T } | { ok: false; error: { code: string; message: string } }): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`);
  return result.value;
}

function article(index: number) {
  return {
    id: `article-${index}`,
    title: 'A document of some six hundred bytes',
    tags: ['draft', 'news', 'second'],
    author: { name: 'Ada', email: 'ada@example.org', roles: { editor: true, admin: false } },
    counters: { likes: 12 + index, views: 1044 },
    body: 'The quick brown fox jumps over the lazy dog. '.repeat(6),
    blocks: [{ kind: 'text', text: 'first' }, { kind: 'image', src: '/a.png', width: 640 }, { kind: 'text', text: 'second' }],
  };
}

const threeSteps = (at: string): WirePatch => [
  { op: 'replace', path: `${at}/author/name`, value: 'Grace' },
  { op: 'add', path: `${at}/tags/1`, value: 'added' },
  { op: 'remove', path: `${at}/tags/2` },
];

function raceApply(title: string, document: JsonValue, wire: WirePatch) {
  const patch: Patch = must(parsePatch(wire));
  const normal: NormalPatch = must(normalize(document, patch));
  const mutable: unknown = structuredClone(document);
  print(
    report(
      title,
      race([
        { name: 'concord, parsed', run: (times) => { for (let n = 0; n < times; n++) sink = apply(document, patch); } },
        { name: 'concord, normal form', run: (times) => { for (let n = 0; n < times; n++) sink = apply(document, normal); } },
        { name: 'concord, normalizeAndApply', run: (times) => { for (let n = 0; n < times; n++) sink = normalizeAndApply(document, patch); } },
        { name: 'concord, parsePatch and apply', run: (times) => { for (let n = 0; n < times; n++) sink = apply(document, must(parsePatch(wire))); } },
        { name: 'rfc6902 (mutates, not atomic)', run: (times) => { for (let n = 0; n < times; n++) sink = rfc6902.applyPatch(mutable, wire); } },
        { name: 'immutable-json-patch', run: (times) => { for (let n = 0; n < times; n++) sink = immutableJSONPatch(document, wire); } },
      ]),
      'patches',
    ),
  );
}

function benchApply() {
  raceApply('apply: 3 operations on a document of 600 B', article(1), threeSteps(''));
  const large = { articles: Array.from({ length: 1700 }, (_, index) => article(index)) };
  const size = `${(JSON.stringify(large).length / 1e6).toFixed(2)} MB`;
  raceApply(`apply: 3 operations on a document of ${size}`, large, threeSteps('/articles/900'));
}

function benchDiff() {
  const before = { articles: Array.from({ length: 1700 }, (_, index) => article(index)) };
  const edited = (named: boolean) => {
    const after = structuredClone(before);
    after.articles[20]!.author.name = 'Grace';
    after.articles.splice(800, 0, article(5000));
    after.articles.splice(1600, 1);
    if (named) return { before: before as JsonValue, after: after as JsonValue };
    const strip = (documents: readonly object[]) => documents.map((document) => ({ ...document, id: undefined, name: (document as { id: string }).id }));
    const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as JsonValue;
    return { before: plain({ articles: strip(before.articles) }), after: plain({ articles: strip(after.articles) }) };
  };
  for (const named of [true, false]) {
    const pair = edited(named);
    const patch = diff(pair.before, pair.after);
    if (canonicalJson(must(apply(pair.before, patch))) !== canonicalJson(pair.after)) throw new Error('diff does not lead to the document');
    const bytes = JSON.stringify(toWire(patch)).length;
    const measured = race([{ name: 'concord', run: (times) => { for (let n = 0; n < times; n++) sink = diff(pair.before, pair.after); } }], { rounds: 3 });
    print(report(`diff: 3 edits in 1 MB, list items ${named ? 'with' : 'without'} ids: ${patch.length} operations, ${bytes} B of patch`, measured, 'diffs'));
  }
}

interface Trace {
  readonly startContent: string;
  readonly endContent: string;
  readonly txns: readonly { readonly patches: readonly (readonly [number, number, string])[] }[];
}

/** Traces count code points, operations UTF-16 units: converted once a character outside of the BMP has appeared. */
function traceEdits(trace: Trace): Operation[] {
  const astral = /[\ud800-\udfff]/;
  const edits: Operation[] = [];
  let text = trace.startContent;
  let plain = !astral.test(text);
  for (const { patches } of trace.txns) {
    for (const [position, deleted, inserted] of patches) {
      if (plain && astral.test(inserted)) plain = false;
      let pos = position;
      let len = deleted;
      if (!plain) {
        const points = Array.from(text);
        pos = points.slice(0, position).join('').length;
        len = points.slice(position, position + deleted).join('').length;
      }
      if (len > 0) edits.push({ op: 'str_del', path: ['text'], pos, len });
      if (inserted !== '') edits.push({ op: 'str_ins', path: ['text'], pos, str: inserted });
      text = text.slice(0, pos) + inserted + text.slice(pos + len);
    }
  }
  if (text !== trace.endContent) throw new Error('the trace does not lead to its own end');
  return edits;
}

function benchTrace(file: string) {
  const bytes = readFileSync(file);
  const trace = JSON.parse((file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')) as Trace;
  const edits = traceEdits(trace);
  // A trace is no document of ours: it may be larger than one may be.
  const limits = { ...defaultLimits, documentBytes: Infinity };
  const replay = (patches: readonly NormalPatch[]) => {
    let document: JsonValue = { text: trace.startContent };
    for (const patch of patches) document = must(apply(document, patch, limits));
    if ((document as { text: string }).text !== trace.endContent) throw new Error('the replayed text differs from the end of the trace');
  };
  const single = edits.map((edit) => [edit]);
  const squashed: Operation[][] = [];
  for (let start = 0; start < edits.length; start += 1000) squashed.push(edits.slice(start, start + 1000));
  const slicing = () => {
    let text = trace.startContent;
    for (const edit of edits) {
      if (edit.op === 'str_ins') text = text.slice(0, edit.pos) + edit.str + text.slice(edit.pos);
      else if (edit.op === 'str_del') text = text.slice(0, edit.pos) + text.slice(edit.pos + edit.len);
    }
    if (text !== trace.endContent) throw new Error('slicing differs from the end of the trace');
  };
  const results = [
    { name: 'concord, 1 edit a patch', run: () => replay(single) },
    { name: 'concord, 1000 edits a patch', run: () => replay(squashed) },
    { name: 'String.slice and nothing around it', run: slicing },
  ].map(({ name, run }) => {
    let bestMs = Infinity;
    for (let round = 0; round < 3; round++) {
      const start = performance.now();
      run();
      bestMs = Math.min(bestMs, performance.now() - start);
    }
    return { name, perSecond: (edits.length * 1000) / bestMs };
  });
  print(report(`${basename(file)}: ${edits.length} edits to ${trace.endContent.length} characters; final text equal`, results, 'edits'));
}

const started = performance.now();
benchApply();
benchDiff();
for (const file of process.argv.slice(2)) benchTrace(file);
if (sink === undefined) throw new Error('nothing was measured');
print(`Node ${process.version}, ${duration((performance.now() - started) / 1000)}`);
