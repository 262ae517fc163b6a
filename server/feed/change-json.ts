import type { ChangeRecord } from '@concord/schema';

const texts = new WeakMap<ChangeRecord, string>();

/**
 * A change as JSON with the fields of the GraphQL type `Change`, made once and shared by all its subscribers: the record in a
 * batch is the same object for each of them.
 */
export function changeJson(record: ChangeRecord): string {
  let text = texts.get(record);
  if (text === undefined) {
    const { workspaceId: _, principalId, ...rest } = record;
    text = JSON.stringify({ ...rest, author: principalId });
    texts.set(record, text);
  }
  return text;
}
