import { readFileSync, readdirSync } from 'node:fs';
import { buildSchema, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { errorCodes } from '@concord/core';

const root = new URL('../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const schema = buildSchema(read('schema/schema.graphql'));

const pagesOf = (folder: string): string[] => readdirSync(new URL(folder, root)).filter((name) => name.endsWith('.md')).map((name) => `${folder}${name}`);
const pages = ['README.md', ...pagesOf('docs/'), ...pagesOf('docs/recipes/')];
const examples = pages.flatMap((page) =>
  [...read(page).matchAll(/```graphql\n([\s\S]*?)```/g)].map((match, index) => ({ name: `${page}, example ${index + 1}`, text: match[1] ?? '' })),
);

describe('the documentation', () => {
  it('has GraphQL examples', () => {
    expect(examples.length).toBeGreaterThan(4);
  });

  it.each(examples)('shows only operations that the schema accepts: $name', ({ text }) => {
    expect(validate(schema, parse(text)).map((error) => error.message)).toEqual([]);
  });

  it('has a section for every error code, and for no other', () => {
    const sections = [...read('docs/ERRORS.md').matchAll(/^### ([A-Z_]+)$/gm)].map((match) => match[1]);
    expect(sections.sort()).toEqual(Object.keys(errorCodes).sort());
  });

  it('links only to files that exist', () => {
    for (const page of pages) {
      for (const [, target = ''] of read(page).matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
        expect(() => readFileSync(new URL(target, new URL(page, root))), `${page} links to ${target}`).not.toThrow(/ENOENT/);
      }
    }
  });
});
