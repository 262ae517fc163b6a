import { ConcordError, parseDocumentId, parseWorkspaceId, type Failure } from '@concord/core';
import { conditionsOf, shown } from './condition.js';
import type { ReplicaFilter, ReplicaOptions } from './options.js';

/** What is wrong with a value, or undefined. */
type Check = (value: unknown, path: string) => readonly Failure[];

const nothing: readonly Failure[] = [];
const fault = (path: string, message: string): readonly Failure[] => [{ code: 'INPUT_INVALID', message, path }];

/** `what` ends the sentence "x must be …". */
const must =
  (what: string, holds: (value: unknown) => boolean): Check =>
  (value, path) =>
    holds(value) ? nothing : fault(path, `${path.slice(1).replaceAll('/', '.')} must be ${what}; got ${shown(value)}`);

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isFunction = (value: unknown): boolean => typeof value === 'function';
const isMs = (value: unknown): value is number => typeof value === 'number' && value > 0;
const object = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);

const isHttp = (value: unknown): boolean => {
  const address = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  return address?.protocol === 'http:' || address?.protocol === 'https:';
};

/** Each member by its check; members that are required have one that refuses undefined. */
function members<T>(checks: { readonly [Name in keyof Required<T>]: { readonly required: boolean; readonly check: Check } }): Check {
  return (value, path) => {
    if (!object(value)) return fault(path, `${path === '' ? 'The options' : path.slice(1)} must be an object; got ${shown(value)}`);
    const known = checks as Readonly<Record<string, { readonly required: boolean; readonly check: Check }>>;
    const unknown = Object.keys(value).filter((name) => !Object.hasOwn(known, name));
    return [
      ...unknown.flatMap((name) => fault(`${path}/${name}`, `There is no option ${shown(name)}; ${Object.keys(known).join(', ')} are`)),
      ...Object.entries(known).flatMap(([name, { required, check }]) => (value[name] === undefined && !required ? nothing : check(value[name], `${path}/${name}`))),
    ];
  };
}
const required = (check: Check) => ({ required: true, check });
const optional = (check: Check) => ({ required: false, check });

const ids: Check = (value, path) => {
  if (!Array.isArray(value) || value.length > 1000) return fault(path, `${path.slice(1)} must be an array of at most 1,000 ids of documents`);
  return value.flatMap((id: unknown, index) => {
    const parsed = parseDocumentId(id);
    return parsed.ok ? nothing : [{ ...parsed.error, path: `${path}/${index}` }];
  });
};

const where: Check = (value, path) => {
  try {
    conditionsOf(value, path);
    return nothing;
  } catch (error) {
    if (!(error instanceof ConcordError)) throw error;
    return [{ ...error.details, code: error.code, message: error.message }];
  }
};

const workspaceId: Check = (value, path) => {
  const parsed = parseWorkspaceId(value);
  return parsed.ok ? nothing : [{ ...parsed.error, path }];
};

const name = must('a text of 1 to 256 characters', (value) => isText(value) && value.length <= 256);
const count = must('a whole number from 0', (value) => Number.isSafeInteger(value) && (value as number) >= 0);
const retry: Check = (value, path) => {
  const faults = members<NonNullable<ReplicaOptions['retry']>>({
    firstMs: required(must('a number of milliseconds above 0', isMs)),
    longestMs: required(must('a number of milliseconds above 0', isMs)),
  })(value, path);
  const { firstMs, longestMs } = (value ?? {}) as Partial<Record<string, number>>;
  return faults.length > 0 || firstMs! <= longestMs! ? faults : fault(`${path}/longestMs`, `retry.longestMs must not be less than retry.firstMs, ${firstMs}; got ${longestMs}`);
};

const token = must('a token (a text) or a function that gives one', (value) => isText(value) || isFunction(value));

const options = members<ReplicaOptions>({
  url: required(must('the http(s) address of the GraphQL endpoint, like http://127.0.0.1:8080/graphql', isHttp)),
  token: required(token),
  database: required(must('the path of a file, like notes.db; :memory: keeps nothing', isText)),
  workspaceId: optional(workspaceId),
  filter: optional(members<ReplicaFilter>({ collection: optional(name), ids: optional(ids), where: optional(where) })),
  durability: optional(must("'normal' or 'full'", (value) => value === 'normal' || value === 'full')),
  online: optional(must('true or false', (value) => typeof value === 'boolean')),
  squashFrom: optional(count),
  now: optional(must('a function', isFunction)),
  random: optional(must('a function', isFunction)),
  newId: optional(must('a function', isFunction)),
  newReplicaId: optional(must('a function', isFunction)),
  timers: optional(must('an object with set and clear', (value) => object(value) && isFunction(value['set']) && isFunction(value['clear']))),
  WebSocket: optional(must('a class like WebSocket', isFunction)),
  retry: optional(retry),
  answerTimeoutMs: optional(must('a number of milliseconds above 0', isMs)),
});

/** Looks at all options before anything is opened. @throws ConcordError that tells everything that is wrong; its path is that of the first. */
export const checkOptions = (given: unknown): void => refuse(options(given, ''));

/** @throws ConcordError INPUT_INVALID. */
export const checkToken = (given: unknown): void => refuse(token(given, '/token'));

function refuse([first, ...others]: readonly Failure[]): void {
  if (first === undefined) return;
  const messages = [first, ...others].map(({ message }) => message.replace(/\.$/, ''));
  throw ConcordError.from({ ...first, message: `${messages.join('. ')}.` });
}
