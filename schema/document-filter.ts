import { ConcordError, conditionOperators, parseDocumentId, parsePointer, type Condition, type ConditionOperator, type DocumentId, type JsonValue, type Pointer } from '@concord/core';
import type { ArgBuilder } from '@pothos/core';
import { builder } from './builder.js';
import type { DocumentFilter, DocumentOrder } from './read-port.js';
import { jsonArgument } from './scalars.js';

const operatorDescriptions: Record<ConditionOperator, string> = {
  EQUALS: 'The same JSON value; key order does not matter.',
  NOT_EQUALS: 'Another value, or none.',
  LESS: 'A number below a number, or a string before a string (by UTF-8 bytes).',
  LESS_OR_EQUAL: 'As LESS, or equal.',
  GREATER: 'A number above a number, or a string after a string.',
  GREATER_OR_EQUAL: 'As GREATER, or equal.',
  STARTS_WITH: 'A string that begins with the given string.',
  CONTAINS: 'A string that contains the given string, or an array that has the given value as an item.',
  EXISTS: 'There is a value at the path, `null` included. Takes no value.',
  ABSENT: 'There is no value at the path. Takes no value.',
};

const OperatorEnum = builder.enumType('ConditionOperator', {
  description: 'How a value in a document is compared.',
  values: Object.fromEntries(conditionOperators.map((name) => [name, { value: name, description: operatorDescriptions[name] }])) as {
    [Name in ConditionOperator]: { value: Name; description: string };
  },
});

const ConditionInput = builder.inputType('ConditionInput', {
  description: 'A test of the value at a path, for example `{path: "/price", operator: LESS, value: 10}`.',
  fields: (t) => ({
    path: t.field({ type: 'Pointer', required: true, description: 'Place in the document.' }),
    operator: t.field({ type: OperatorEnum, required: false, description: 'Default: EQUALS.' }),
    value: t.field({ type: 'JSON', required: false, description: 'What to compare with. Leaving it out is only allowed with EXISTS and ABSENT; `null` compares with null.' }),
  }),
});

const OrderFieldEnum = builder.enumType('DocumentOrderField', {
  description: 'What documents are ordered by.',
  values: {
    ID: { description: 'By id.' },
    TITLE: { description: 'By title, by UTF-8 bytes.' },
    CREATED_AT: { description: 'By the moment of creation.' },
    UPDATED_AT: { description: 'By the moment of the newest change.' },
    VALUE: { description: 'By the value at `path`: numbers first, then strings, then the rest; missing ones last.' },
  } as const satisfies Record<DocumentOrder['field'], { description: string }>,
});

export const DocumentOrderInput = builder.inputType('DocumentOrderInput', {
  description: 'Order of a list of documents.',
  fields: (t) => ({
    field: t.field({ type: OrderFieldEnum, required: true, description: 'What to order by.' }),
    path: t.field({ type: 'Pointer', required: false, description: 'With VALUE: the place in the document.' }),
    descending: t.boolean({ required: false, description: 'Default: false.' }),
  }),
});

/** The arguments that select documents, the same for lists, snapshots and subscriptions. */
export function filterArguments(t: { readonly arg: ArgBuilder<typeof builder.$inferSchemaTypes> }) {
  return {
    collection: t.arg.string({ required: false, description: 'Only this collection.' }),
    ids: t.arg.idList({ required: false, description: 'Only these documents, 1000 at most.' }),
    where: t.arg({ type: [ConditionInput], required: false, description: 'Only documents whose value satisfies all of these, 100 at most.' }),
  };
}

interface FilterArguments {
  readonly collection?: string | null | undefined;
  readonly ids?: readonly string[] | null | undefined;
  readonly where?: readonly {
    readonly path: string;
    readonly operator?: ConditionOperator | null | undefined;
    readonly value?: JsonValue | null | undefined;
  }[] | null | undefined;
}

const mostConditions = 100;

export function documentFilter({ collection, ids, where }: FilterArguments): DocumentFilter {
  if (ids && ids.length > 1000) {
    throw new ConcordError('LIMIT_EXCEEDED', `ids names ${ids.length} documents; at most 1000 are allowed.`, { path: '/ids', limit: 1000, actual: ids.length });
  }
  if (where && where.length > mostConditions) {
    throw new ConcordError('LIMIT_EXCEEDED', `where has ${where.length} conditions; at most ${mostConditions} are allowed.`, { path: '/where', limit: mostConditions, actual: where.length });
  }
  if (typeof collection === 'string') jsonArgument(collection, '/collection');
  return {
    ...(collection === null || collection === undefined ? {} : { collection }),
    ...(ids === null || ids === undefined ? {} : { ids: ids.map(documentId) }),
    ...(where === null || where === undefined ? {} : { where: where.map(condition) }),
  };
}

function documentId(id: string, index: number): DocumentId {
  const parsed = parseDocumentId(id);
  if (!parsed.ok) throw ConcordError.from({ ...parsed.error, path: `/ids/${index}` });
  return parsed.value;
}

/** `place`: of the text among the arguments, as an error tells it. */
function pointer(text: string, place: string): Pointer {
  const parsed = parsePointer(text);
  if (!parsed.ok) throw ConcordError.from({ ...parsed.error, path: place });
  return parsed.value;
}

function condition(input: NonNullable<FilterArguments['where']>[number], index: number): Condition {
  const operator = input.operator ?? 'EQUALS';
  const path = pointer(input.path, `/where/${index}/path`);
  const takesValue = operator !== 'EXISTS' && operator !== 'ABSENT';
  if (takesValue && input.value === undefined) {
    throw new ConcordError('INPUT_INVALID', `The condition /where/${index} compares with ${operator} but has no value.`, { path: `/where/${index}/value` });
  }
  return { path, operator, value: takesValue ? jsonArgument(input.value, `/where/${index}/value`) : null };
}

export function documentOrder(
  input: { readonly field: DocumentOrder['field']; readonly path?: string | null | undefined; readonly descending?: boolean | null | undefined } | null | undefined,
): DocumentOrder {
  if (!input) return { field: 'ID', descending: false };
  const descending = input.descending ?? false;
  if (input.field !== 'VALUE') return { field: input.field, descending };
  return { field: 'VALUE', path: pointer(input.path ?? '', '/orderBy/path'), descending };
}
