import SchemaBuilder from '@pothos/core';
import type { Counter, Cursor, JsonValue, Position, Revision } from '@concord/core';
import type { ChangeRow } from './change-row.js';
import type { Context } from './context.js';

/** The one Pothos builder; every file of this room adds its types to it. */
export const builder = new SchemaBuilder<{
  Context: Context;
  DefaultFieldNullability: false;
  Scalars: {
    JSON: { Input: JsonValue; Output: JsonValue };
    DateTime: { Input: Date; Output: Date };
    Revision: { Input: Revision; Output: Revision };
    Position: { Input: Position; Output: Position };
    Counter: { Input: Counter; Output: Counter };
    Cursor: { Input: Cursor; Output: Cursor };
    Pointer: { Input: string; Output: string };
    ChangeRow: { Input: never; Output: ChangeRow };
  };
}>({
  defaultFieldNullability: false,
});

builder.queryType({ description: 'Reads. Everything is read in one workspace with the rights of the caller.' });
builder.mutationType({ description: 'Writes. Each returns a typed outcome; a refusal is a value with a stable code, not an exception.' });
builder.subscriptionType({ description: 'Pushes, over graphql-ws or over Server-Sent Events.' });
