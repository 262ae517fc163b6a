import { parseArguments, readCommandLine } from '../server/arguments.js';

const usage = `Usage: npm run example

Runs examples/first-app.ts, the first app of the README: makes a note offline, in notes.db in the current folder, and syncs it with a
server that runs. Settings come from the environment:
  CONCORD_TOKEN   a token of the server, of an OWNER or EDITOR
  CONCORD_URL     its GraphQL endpoint (http://localhost:8080/graphql)

Options:
  --help          this text

Exit status: 0 the note is on the server, 1 it is not, 2 wrong arguments.
`;

const told = readCommandLine(usage, (args) => parseArguments({ args }).values);
if ('status' in told) process.exitCode = told.status;
else await import('./first-app.js');
