/**
 * Writes fixtures/transform.json from the cases told in core/test/transform-cases.ts. Read the difference before committing
 * it: the file says what people will see.
 *
 *     npm run fixtures
 */
import { writeFileSync } from 'node:fs';
import { transformCases } from '../test/transform-cases.js';
import { workOut } from '../test/transform-fixture.js';

const records = transformCases.map(workOut);
const line = (record: object): string =>
  `  {\n${Object.entries(record)
    .map(([name, value]) => `    ${JSON.stringify(name)}: ${JSON.stringify(value)}`)
    .join(',\n')}\n  }`;
writeFileSync(new URL('../../fixtures/transform.json', import.meta.url), `[\n${records.map(line).join(',\n')}\n]\n`);
process.stdout.write(`fixtures/transform.json: ${records.length} cases\n`);
