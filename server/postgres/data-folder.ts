import { access, constants, mkdir, stat } from 'node:fs/promises';
import path from 'node:path';

/**
 * Makes the folder, with those above it, where it is not there yet.
 * @throws Error that names the folder, why it cannot be made or written in, and what to do.
 */
export async function openDataFolder(folder: string): Promise<void> {
  try {
    await makeFolder(folder);
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new Error(
      `CONCORD_DATA: the folder ${folder} cannot be used: ${reasonOf(error)}. Give one that this user may make or write in, or set DATABASE_URL to a PostgreSQL that runs already.`,
      { cause: error },
    );
  }
}

/** Step by step: `mkdir` with `recursive` never returns for a folder that cannot be made below one that is there, as in /proc. */
async function makeFolder(folder: string, parentIsThere = false): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const parent = path.dirname(folder);
    if (codeOf(error) === 'EEXIST') {
      if ((await stat(folder)).isDirectory()) return;
    } else if (codeOf(error) === 'ENOENT' && parent !== folder && !parentIsThere) {
      await makeFolder(parent);
      return makeFolder(folder, true);
    }
    throw error;
  }
}

function reasonOf(error: unknown): string {
  switch (codeOf(error)) {
    case 'EEXIST':
    case 'ENOTDIR':
      return 'there is a file of that name on the way';
    case 'EACCES':
    case 'EPERM':
      return 'this user may not write there';
    case 'EROFS':
      return 'the file system is read-only';
    case 'ENOENT':
      return 'no folder can be made there';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
