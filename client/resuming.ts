import { Kind, OperationTypeNode, type DocumentNode, type FieldNode, type OperationDefinitionNode, type SelectionNode, type SelectionSetNode } from 'graphql';

/** How a subscription goes on behind what it has seen: `variable` takes the cursor that the result has under `key`. */
export interface Resuming {
  readonly variable: string;
  readonly key: string;
}

/** Subscriptions that take a cursor, with the type whose `cursor` is the next one; null: the field's own. */
const cursorOf: Readonly<Record<string, string | null>> = { changes: 'ChangeBatch', conflicts: null };
const ownVariable = 'concordAfter';

/**
 * The operation in a form that can go on without a gap. Where it has no variable for the cursor, or does not ask for the next one, both
 * are added to it; other operations come back as they are.
 */
export function resumable(
  document: DocumentNode,
  given: Readonly<Record<string, unknown>>,
): { readonly document: DocumentNode; readonly variables: Record<string, unknown>; readonly resuming: Resuming | undefined } {
  const variables = { ...given };
  const operation = document.definitions.find((definition): definition is OperationDefinitionNode => definition.kind === Kind.OPERATION_DEFINITION);
  const field = operation?.selectionSet.selections[0];
  if (operation?.operation !== OperationTypeNode.SUBSCRIPTION || field?.kind !== Kind.FIELD || !Object.hasOwn(cursorOf, field.name.value)) {
    return { document, variables, resuming: undefined };
  }
  const key = field.alias?.value ?? field.name.value;
  const after = field.arguments?.find(({ name }) => name.value === 'after')?.value;
  const asked = asksForCursor(document, field.selectionSet);
  if (after?.kind === Kind.VARIABLE && asked) return { document, variables, resuming: { variable: after.name.value, key } };

  const variable = after?.kind === Kind.VARIABLE ? after.name.value : ownVariable;
  if (after?.kind === Kind.STRING) variables[variable] = after.value;
  const altered = alteredOperation(operation, field, { variable, declared: after?.kind === Kind.VARIABLE, asked });
  return {
    document: { ...document, definitions: document.definitions.map((definition) => (definition === operation ? altered : definition)), __meta__: undefined } as DocumentNode,
    variables,
    resuming: { variable, key },
  };
}

function alteredOperation(
  operation: OperationDefinitionNode,
  field: FieldNode,
  { variable, declared, asked }: { readonly variable: string; readonly declared: boolean; readonly asked: boolean },
): OperationDefinitionNode {
  const name = (value: string) => ({ kind: Kind.NAME, value }) as const;
  const reference = { kind: Kind.VARIABLE, name: name(variable) } as const;
  const cursor: SelectionNode = { kind: Kind.FIELD, name: name('cursor') };
  const type = cursorOf[field.name.value] ?? null;
  const selection: SelectionNode =
    type === null
      ? cursor
      : { kind: Kind.INLINE_FRAGMENT, typeCondition: { kind: Kind.NAMED_TYPE, name: name(type) }, selectionSet: { kind: Kind.SELECTION_SET, selections: [cursor] } };
  const selections = field.selectionSet?.selections ?? [];
  return {
    ...operation,
    variableDefinitions: [
      ...(operation.variableDefinitions ?? []),
      ...(declared ? [] : [{ kind: Kind.VARIABLE_DEFINITION, variable: reference, type: { kind: Kind.NAMED_TYPE, name: name('Cursor') } } as const]),
    ],
    selectionSet: {
      ...operation.selectionSet,
      selections: [
        {
          ...field,
          arguments: [...(field.arguments ?? []).filter((argument) => argument.name.value !== 'after'), { kind: Kind.ARGUMENT, name: name('after'), value: reference }],
          selectionSet: { kind: Kind.SELECTION_SET, selections: asked ? selections : [...selections, selection] },
        },
        ...operation.selectionSet.selections.slice(1),
      ],
    },
  };
}

/** Whether `cursor` is selected under its own name, also by a fragment. */
function asksForCursor(document: DocumentNode, selectionSet: SelectionSetNode | undefined): boolean {
  return (selectionSet?.selections ?? []).some((selection) => {
    switch (selection.kind) {
      case Kind.FIELD:
        return (selection.alias ?? selection.name).value === 'cursor';
      case Kind.INLINE_FRAGMENT:
        return asksForCursor(document, selection.selectionSet);
      case Kind.FRAGMENT_SPREAD: {
        const fragment = document.definitions.find((definition) => definition.kind === Kind.FRAGMENT_DEFINITION && definition.name.value === selection.name.value);
        return fragment?.kind === Kind.FRAGMENT_DEFINITION && asksForCursor(document, fragment.selectionSet);
      }
    }
  });
}
