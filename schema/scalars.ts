import { GraphQLError, Kind, type ValueNode } from 'graphql';
import { ConcordError, checkValue, isHeld, lossyNumberMessage, parsePointer, type Counter, type Cursor, type JsonValue, type Position, type Revision } from '@concord/core';
import { builder } from './builder.js';

/** A literal written inside a GraphQL operation, as JSON. Variables inside it are resolved by graphql-js beforehand. */
function literalToJson(node: ValueNode, variables: Record<string, unknown> | null | undefined): unknown {
  switch (node.kind) {
    case Kind.NULL:
      return null;
    case Kind.STRING:
    case Kind.BOOLEAN:
    case Kind.ENUM:
      return node.value;
    case Kind.INT:
    case Kind.FLOAT:
      if (!isHeld(node.value)) throw new GraphQLError(`T${lossyNumberMessage(node.value).slice(1)}.`, { nodes: node, extensions: { code: 'VALUE_INVALID' } });
      return Number(node.value);
    case Kind.LIST:
      return node.values.map((item) => literalToJson(item, variables));
    case Kind.OBJECT: {
      const object: Record<string, unknown> = {};
      for (const field of node.fields) {
        Object.defineProperty(object, field.name.value, {
          value: literalToJson(field.value, variables),
          enumerable: true,
          configurable: true,
          writable: true,
        });
      }
      return object;
    }
    case Kind.VARIABLE:
      return variables?.[node.name.value] ?? null;
  }
}

const invalid = (message: string, extra: Record<string, unknown> = {}): GraphQLError =>
  new GraphQLError(message, { extensions: { code: 'INPUT_INVALID', ...extra } });

builder.scalarType('JSON', {
  description:
    'Any JSON value. Numbers are IEEE doubles and -0 is 0; U+0000, lone surrogates and the key `__proto__` are refused. `null` is a value and differs from leaving the argument out.',
  serialize: (value) => value,
  parseValue: (value) => value as JsonValue,
  parseLiteral: (node, variables) => literalToJson(node, variables) as JsonValue,
});

builder.scalarType('DateTime', {
  description: 'A moment, ISO 8601 in UTC with milliseconds. For people: no order or conflict is decided by it.',
  serialize: (value) => value.toISOString() as unknown as Date,
  parseValue: (value) => {
    const date = typeof value === 'string' ? new Date(value) : new Date(Number.NaN);
    if (Number.isNaN(date.getTime())) throw invalid(`Expected a date like 2026-01-31T12:00:00.000Z, got ${JSON.stringify(value)}.`);
    return date;
  },
});

function safeInteger<T extends number>(name: string) {
  return (value: unknown): T => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
      throw invalid(`Expected a ${name}: a whole number from 0 to 9007199254740991, got ${JSON.stringify(value)}.`);
    }
    return value as T;
  };
}

builder.scalarType('Revision', {
  description: 'How many changes a document has had. A whole number up to 2^53-1.',
  serialize: (value) => value,
  parseValue: safeInteger<Revision>('revision'),
});

builder.scalarType('Position', {
  description: 'Place in the feed of a workspace: +1 a change, without holes. A whole number up to 2^53-1.',
  serialize: (value) => value,
  parseValue: safeInteger<Position>('position'),
});

builder.scalarType('Counter', {
  description: 'Number of an edit among those of one replica on one document: 1, 2, 3 … without gaps. A whole number up to 2^53-1.',
  serialize: (value) => value,
  parseValue: safeInteger<Counter>('counter'),
});

builder.scalarType('Cursor', {
  description: 'Opaque place in the feed. Store it as it is and give it back as `after`; it is exclusive.',
  serialize: (value) => value,
  parseValue: (value) => {
    if (typeof value !== 'string' || value.length > 64) throw invalid(`Expected a cursor as the server handed it out, got ${JSON.stringify(value)}.`);
    return value as Cursor;
  },
});

builder.scalarType('Pointer', {
  description: 'RFC 6901 JSON pointer: `""` is the whole document, `"/tags/0"` the first tag; `~1` stands for `/`, `~0` for `~`.',
  serialize: (value) => value,
  parseValue: (value) => {
    const parsed = typeof value === 'string' ? parsePointer(value) : undefined;
    if (typeof value !== 'string' || !parsed?.ok) {
      throw new GraphQLError(parsed && !parsed.ok ? parsed.error.message : `Expected a JSON pointer like "/tags/0", got ${JSON.stringify(value)}.`, {
        extensions: { code: 'POINTER_INVALID' },
      });
    }
    return value;
  },
});

/** A JSON argument as core holds it, or an error that names the place; `place` is the argument's own, as a JSON pointer. */
export function jsonArgument(value: unknown, place: string): JsonValue {
  const checked = checkValue(value);
  if (checked.ok) return checked.value;
  const path = `${place}${checked.error.path ?? ''}`;
  throw ConcordError.from({ ...checked.error, path, message: `${path}: ${checked.error.message}` });
}
