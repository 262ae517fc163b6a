import { getOperationAST, getVariableValues, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { schema } from '@concord/schema';
import { prepareCoercion } from '../variables.js';

const push = 'mutation Push($replicaId: ID!, $edits: [EditInput!]!, $workspaceId: ID) { push(replicaId: $replicaId, edits: $edits, workspaceId: $workspaceId) { verdicts { __typename } } }';
const edit = { documentId: 'a', patchId: 'p', counter: 1, clock: { epoch: 1, base: 0 }, action: { patch: [{ op: 'inc', path: '/n', value: 1 }] } };
const of = (edits: unknown, rest: object = { replicaId: 'r' }) => ({ ...rest, edits });
const vector = [{ replicaId: 'r', counter: 1 }];

function coercionOf(text: string) {
  const document = parse(text);
  const operation = getOperationAST(document)!;
  const coercion = prepareCoercion(schema, document, operation);
  const byGraphQL = (variables: Record<string, unknown>) => getVariableValues(schema, operation.variableDefinitions ?? [], variables);
  return { coercion, byGraphQL };
}

describe('Variables that are coerced beforehand', () => {
  it.each([
    ['a patch', of([edit, edit])],
    ['a workspace', of([edit], { replicaId: 'r', workspaceId: 'w' })],
    ['a null for what may be null', of([edit], { replicaId: 'r', workspaceId: null })],
    ['an id that is a number', of([{ ...edit, documentId: 7 }])],
    ['a creation of the JSON value null', of([{ ...edit, action: { create: { title: 'T', value: null } } }])],
    ['a vector', of([{ ...edit, clock: { epoch: 1, vector } }])],
    ['a delete', of([{ ...edit, action: { delete: true } }])],
    ['no edits', of([])],
  ])('are what graphql-js makes of them: %s', (_name, variables) => {
    const { coercion, byGraphQL } = coercionOf(push);
    const expected = byGraphQL(variables);
    expect(expected.errors).toBeUndefined();
    const coerced = coercion?.(variables);
    expect(coerced?.variableValues).toEqual(expected.coerced);
    // What is executed lets them pass as they are.
    const operation = getOperationAST(coerced!.document)!;
    expect(getVariableValues(schema, operation.variableDefinitions ?? [], coerced!.variableValues).coerced).toEqual(expected.coerced);
  });

  it.each([
    ['a missing variable', of([edit], {})],
    ['a null that may not be', of([edit, null])],
    ['a field that does not exist', of([{ ...edit, more: 1 }])],
    ['a field that is missing', of([{ ...edit, clock: { base: 0 } }])],
    ['two actions in one', of([{ ...edit, action: { delete: true, restore: true } }])],
    ['an action that is null', of([{ ...edit, action: { patch: null } }])],
    ['no action', of([{ ...edit, action: {} }])],
    ['a counter that is none', of([{ ...edit, counter: -1 }])],
    ['a text for an integer', of([{ ...edit, clock: { epoch: '1', base: 0 } }])],
    ['a list for an object', of([[edit]])],
    ['a key called __proto__', of([JSON.parse(`{"__proto__": {}, ${JSON.stringify(edit).slice(1)}`)])],
    ['a text for a list', of('edits')],
  ])('are left to graphql-js, and so are its words: %s', (_name, variables) => {
    const { coercion, byGraphQL } = coercionOf(push);
    expect(byGraphQL(variables).errors).toBeDefined();
    expect(coercion?.(variables)).toBeNull();
  });

  it('are left to graphql-js where one edit stands for a list of one, which it allows', () => {
    const { coercion, byGraphQL } = coercionOf(push);
    expect(byGraphQL(of(edit)).errors).toBeUndefined();
    expect(coercion?.(of(edit))).toBeNull();
  });

  it('are not prepared where a variable has a default value', () => {
    expect(coercionOf('query Q($first: Int = 3) { documents(first: $first) { nodes { id } } }').coercion).toBeNull();
  });
});
