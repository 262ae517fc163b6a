import {
  createSourceEventStream,
  execute,
  getOperationAST,
  Kind,
  OperationTypeNode,
  subscribe,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLSchema,
} from 'graphql';
import { isAsyncIterable } from 'graphql-yoga';
import { canPush, type Pushing } from './feed/pushing.js';
import { NextFrames } from './frames.js';

/** A result together with its JSON, made once for all who are sent it. */
export interface SharedResult extends ExecutionResult {
  /** The whole result as JSON. Yoga asks for it by this name. */
  readonly stringify: () => string;
  /** The same in UTF-8. */
  readonly bytes: Buffer;
  /** The same as messages of a WebSocket. */
  readonly frames: NextFrames;
}

export const isShared = (result: object): result is SharedResult => 'stringify' in result;

/**
 * Subscribes as GraphQL does, but where many subscribers of the same operation are handed the same event, it is executed
 * and serialised for the first of them only. Results are those of plain execution.
 */
export type Subscribe = (args: ExecutionArgs) => Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult>;

/**
 * The only field whose events are shared, and the types under it: a change reads the same for everyone who may see it. A type
 * that is not listed here, or a directive, turns sharing off for the operation.
 */
const sharedField = 'changes';
const sharedTypes: ReadonlySet<string> = new Set(['FeedEvent', 'ChangeBatch', 'Change', 'Resync']);

/** Results by event: an event that nobody holds any more takes its results along. */
type Results = WeakMap<object, SharedResult>;

export function createSharingSubscribe(schema: GraphQLSchema): Subscribe {
  // A document is parsed once for each text, so it stands for its text.
  const known = new WeakMap<DocumentNode, Map<string, Results | null>>();

  function resultsOf({ document, operationName }: ExecutionArgs): Results | null {
    const name = operationName ?? '';
    let operations = known.get(document);
    if (operations === undefined) known.set(document, (operations = new Map<string, Results | null>()));
    let results = operations.get(name);
    if (results === undefined) operations.set(name, (results = readsTheSameForAll(schema, document, operationName) ? new WeakMap() : null));
    return results;
  }

  return async (args) => {
    const results = resultsOf(args);
    if (results === null) return (await subscribe(args)) as AsyncIterableIterator<ExecutionResult> | ExecutionResult;
    const source = await createSourceEventStream(args);
    return isAsyncIterable(source) ? new SharedResults(source[Symbol.asyncIterator](), args, results) : source;
  };
}

/** Results that may be taken without a promise for each: those that are shared, from a source that pushes. */
export class SharedResults implements AsyncIterableIterator<ExecutionResult>, Pushing<SharedResult> {
  constructor(
    private readonly source: AsyncIterator<unknown>,
    private readonly args: ExecutionArgs,
    private readonly results: Results,
  ) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<ExecutionResult>> {
    return this.source.next().then(async (event) => (event.done === true ? { done: true, value: undefined } : { done: false, value: await resultOf(event.value, this.args, this.results) }));
  }

  async return(): Promise<IteratorResult<ExecutionResult>> {
    await this.source.return?.();
    return { done: true, value: undefined };
  }

  pushTo(take: (result: SharedResult) => boolean, room?: () => Promise<void> | undefined): void {
    if (!canPush(this.source)) return;
    this.source.pushTo((event) => {
      const result = resultOf(event, this.args, this.results);
      return isShared(result) && take(result);
    }, room);
  }
}

function resultOf(event: unknown, args: ExecutionArgs, results: Results): ExecutionResult | Promise<ExecutionResult> {
  if (typeof event !== 'object' || event === null) return execute({ ...args, rootValue: event });
  const made = results.get(event);
  if (made !== undefined) return made;
  const result = execute({ ...args, rootValue: event });
  // With an error the context of the one who caused it matters; what waits for something is not a mere reading of the event.
  if (result instanceof Promise || result.errors !== undefined) return result;
  const text = JSON.stringify(result);
  const bytes = Buffer.from(text);
  const shared: SharedResult = { ...result, stringify: () => text, bytes, frames: new NextFrames(bytes) };
  results.set(event, shared);
  return shared;
}

/** Whether the result depends on nothing but the event: variables and directives do not reach below the arguments of the field. */
function readsTheSameForAll(schema: GraphQLSchema, document: DocumentNode, operationName: string | null | undefined): boolean {
  const subscription = schema.getSubscriptionType();
  if (document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION).length !== 1) return false;
  if (getOperationAST(document, operationName)?.operation !== OperationTypeNode.SUBSCRIPTION) return false;
  let same = true;
  const typeInfo = new TypeInfo(schema);
  visit(
    document,
    visitWithTypeInfo(typeInfo, {
      Directive() {
        same = false;
      },
      Field({ name, arguments: given }) {
        const parent = typeInfo.getParentType();
        if (parent === subscription ? name.value !== sharedField : !sharedTypes.has(parent?.name ?? '') || given?.length) same = false;
      },
    }),
  );
  return same;
}
