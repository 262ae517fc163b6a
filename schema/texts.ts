import {
  defaultFieldResolver,
  GraphQLID,
  GraphQLString,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  type GraphQLArgument,
  type GraphQLFieldResolver,
  type GraphQLInputType,
  type GraphQLSchema,
} from 'graphql';
import { EditInput } from './edit.js';
import { jsonArgument } from './scalars.js';

type Check = (value: unknown, place: string) => void;

/** What may be wrong with a text; whole surrogate pairs are found too and pass the closer look. */
const suspect = /[\0\ud800-\udfff]/;

/**
 * The same schema, whose fields refuse ids and texts that neither the database nor another program can hold (U+0000, a lone surrogate)
 * with `VALUE_INVALID` and their place among the arguments, before a resolver sees them. The built-in scalars are graphql-js's own and
 * shared with whoever else uses it, so they stay as they are. Edits are left out: each gets a verdict of its own.
 */
export function checkingTexts(schema: GraphQLSchema): GraphQLSchema {
  const made = new Map<GraphQLInputType, Check | null>();
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      const checks = checksOf(field.args, made);
      if (checks.length === 0) continue;
      if (field.subscribe === undefined) field.resolve = checking(field.resolve ?? defaultFieldResolver, checks);
      else field.subscribe = checking(field.subscribe, checks);
    }
  }
  return schema;
}

type Named = readonly (readonly [name: string, check: Check])[];

const checksOf = (named: readonly Pick<GraphQLArgument, 'name' | 'type'>[], made: Map<GraphQLInputType, Check | null>): Named =>
  named.flatMap(({ name, type }) => {
    const check = checkOf(type, made);
    return check === null ? [] : [[name, check] as const];
  });

function checking(resolve: GraphQLFieldResolver<unknown, unknown>, checks: Named): GraphQLFieldResolver<unknown, unknown> {
  return (source, args: Readonly<Record<string, unknown>>, context, info) => {
    checkAll(args, '', checks);
    return resolve(source, args, context, info);
  };
}

function checkAll(values: Readonly<Record<string, unknown>>, place: string, checks: Named): void {
  for (const [name, check] of checks) {
    const value = values[name];
    if (value !== null && value !== undefined) check(value, `${place}/${name}`);
  }
}

/** Null: nothing in it is looked at. */
function checkOf(type: GraphQLInputType, made: Map<GraphQLInputType, Check | null>): Check | null {
  if (isNonNullType(type)) return checkOf(type.ofType, made);
  if (type === GraphQLID || type === GraphQLString) return checkText;
  const known = made.get(type);
  if (known !== undefined) return known;
  // A type may contain itself.
  made.set(type, (value, place) => made.get(type)?.(value, place));
  const check = newCheck(type, made);
  made.set(type, check);
  return check;
}

function newCheck(type: GraphQLInputType, made: Map<GraphQLInputType, Check | null>): Check | null {
  if (isListType(type)) {
    const item = checkOf(type.ofType, made);
    if (item === null) return null;
    return (values, place) => (values as readonly unknown[]).forEach((value, index) => value !== null && item(value, `${place}/${index}`));
  }
  if (!isInputObjectType(type) || type.name === EditInput.name) return null;
  const checks = checksOf(Object.values(type.getFields()), made);
  return checks.length === 0 ? null : (value, place) => checkAll(value as Readonly<Record<string, unknown>>, place, checks);
}

const checkText: Check = (value, place) => {
  if (suspect.test(value as string)) jsonArgument(value, place);
};
