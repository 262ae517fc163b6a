import { createReadStream, existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { checkValue, defaultLimits, jsonBytes, type JsonValue } from '@concord/core';

/** One JSON value found in the input, and where it came from. */
export interface InputDocument {
  readonly source: string;
  readonly value: JsonValue;
}

/** Something in the input that is no document, and why. */
export interface Skipped {
  readonly source: string;
  readonly reason: string;
}

export interface Input {
  readonly documents: readonly InputDocument[];
  readonly skipped: readonly Skipped[];
}

/** Reads JSON files (one document each), NDJSON files (one a line) and folders of both. */
export async function readInput(paths: readonly string[]): Promise<Input> {
  const documents: InputDocument[] = [];
  const skipped: Skipped[] = [];
  const take = (source: string, text: string): void => {
    const result = readDocument(text);
    if ('value' in result) documents.push({ source, value: result.value });
    else skipped.push({ source, reason: result.reason });
  };
  for (const path of paths) {
    for (const file of statSync(path).isDirectory() ? filesBelow(path) : [path]) {
      if (/\.(nd|l)json$|\.jsonl$/.test(file)) {
        let line = 0;
        for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
          line += 1;
          if (text.trim() !== '') take(`${file}:${line}`, text);
        }
      } else {
        take(file, readFileSync(file, 'utf8'));
      }
    }
  }
  return { documents, skipped };
}

/** The `package.json` of every package that `npm ci` has installed: real documents that nobody here wrote. */
export function installedPackages(root: string): Input {
  const files = filesBelow(join(root, 'node_modules'), (name) => name === 'package.json');
  const documents: InputDocument[] = [];
  const skipped: Skipped[] = [];
  for (const file of files) {
    const result = readDocument(readFileSync(file, 'utf8'));
    if (!('value' in result)) skipped.push({ source: file, reason: result.reason });
    else if (isPackage(result.value)) documents.push({ source: relative(root, file), value: result.value });
  }
  return { documents, skipped };
}

const isPackage = (value: JsonValue): boolean => typeof value === 'object' && value !== null && 'name' in value && 'version' in value;

function readDocument(text: string): { readonly value: JsonValue } | { readonly reason: string } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    return { reason: `not JSON: ${(error as Error).message}` };
  }
  const checked = checkValue(parsed);
  if (!checked.ok) return { reason: `${checked.error.code} at "${checked.error.path ?? ''}": ${checked.error.message}` };
  const bytes = jsonBytes(checked.value);
  if (bytes > defaultLimits.documentBytes) return { reason: `${bytes} bytes, more than the ${defaultLimits.documentBytes} a document may have` };
  return { value: checked.value };
}

function* filesBelow(folder: string, wanted = (name: string) => /\.(json|ndjson|jsonl|ljson)$/.test(name)): Generator<string> {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !basename(path).startsWith('.')) yield* filesBelow(path, wanted);
    else if (entry.isFile() && wanted(entry.name)) yield path;
  }
}
