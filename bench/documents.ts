import type { JsonValue } from '@concord/core';

export type JsonObject = { readonly [key: string]: JsonValue };

/** The document every system starts from under this id: of about 600 B, of 1 kB where the id begins with `kb-`, the shared one of W2 with `hot-`. */
export function documentOf(id: string): JsonObject {
  if (id.startsWith('hot-')) return { title: 'A document that everybody edits', items: [], counts: {} };
  const base = {
    title: `A document named ${id}`,
    views: 0,
    tags: ['draft', 'news', 'second'],
    author: { name: 'Ada', email: 'ada@example.org', editor: true },
    body: 'The quick brown fox jumps over the lazy dog. '.repeat(8),
  };
  return id.startsWith('kb-') ? { ...base, body: base.body.repeat(2).padEnd(830, '.') } : base;
}

/** One edit, the same for every system: the field `views` becomes `n`. */
export interface SetViews {
  readonly kind: 'views';
  readonly n: number;
}

/** One edit of the shared document: the writer's own count becomes `n`, and an item is put in or taken out at a random place. */
export interface HotEdit {
  readonly kind: 'hot';
  readonly writer: string;
  readonly n: number;
  /** 0 to 1. */
  readonly place: number;
}

export type Edit = SetViews | HotEdit;

/** Where a hot edit acts in a list of this length, which it keeps near 32 items. */
export function itemStep({ place, writer, n }: HotEdit, length: number): { readonly add: string; readonly at: number } | { readonly remove: number } {
  return length < 32 ? { add: `${writer}-${n}`, at: Math.floor(place * (length + 1)) } : { remove: Math.floor(place * length) };
}

/** An edit as an RFC 6902 patch of the document as its writer sees it. */
export function patchOf(edit: Edit, document: JsonObject): readonly { readonly op: 'add' | 'remove' | 'replace'; readonly path: string; readonly value?: JsonValue }[] {
  if (edit.kind === 'views') return [{ op: 'replace', path: '/views', value: edit.n }];
  const step = itemStep(edit, (document['items'] as readonly JsonValue[]).length);
  return [
    { op: 'add', path: `/counts/${edit.writer}`, value: edit.n },
    'add' in step ? { op: 'add', path: `/items/${step.at}`, value: step.add } : { op: 'remove', path: `/items/${step.remove}` },
  ];
}

/** The document after an edit, for systems that keep whole documents. */
export function edited(edit: Edit, document: JsonObject): JsonObject {
  if (edit.kind === 'views') return { ...document, views: edit.n };
  const items = [...(document['items'] as readonly JsonValue[])];
  const step = itemStep(edit, items.length);
  if ('add' in step) items.splice(step.at, 0, step.add);
  else items.splice(step.remove, 1);
  return { ...document, items, counts: { ...(document['counts'] as JsonObject), [edit.writer]: edit.n } };
}
