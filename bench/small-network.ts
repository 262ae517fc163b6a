import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/** Told to the command as it runs inside. */
const marker = 'CONCORD_BENCH_SMALL_NETWORK';

/** What the kernel takes for a socket at most, in each direction. */
export const mostKernelBytes = 16 * 1024;
/** As on Ethernet: the loopback's usual 64 KiB do not go well with windows smaller than that. */
const loopbackMtu = 1500;

/** Bytes for sending and for receiving that the kernel takes for a socket: least, to begin with, most. */
const kernelBytes = `4096 8192 ${mostKernelBytes}`;
const settings = {
  tcp_wmem: kernelBytes,
  tcp_rmem: kernelBytes,
  // One that paces what it sends takes such windows for a slow line.
  tcp_congestion_control: 'reno',
};
const setUp = [`ip link set lo mtu ${loopbackMtu} up`, ...Object.entries(settings).map(([name, value]) => `echo '${value}' >/proc/sys/net/ipv4/${name}`)].join(' && ');

export const isInSmallNetwork = (): boolean => process.env[marker] !== undefined;

/** What such a network needs, for those who do not have it. */
export const smallNetworkNeeds = `It runs in a Linux network namespace of its own, in which the kernel takes ${mostKernelBytes / 1024} KiB for a socket instead of some MB. That needs Linux, unshare
(util-linux), ip (iproute2), and root or the right to make user namespaces (kernel.unprivileged_userns_clone, user.max_user_namespaces);
most containers have neither.`;

/**
 * Runs this very command once more where the kernel's buffers are small, and returns its exit status; or a text that says why there can be
 * no such network. What listens on TCP outside is not reached from there, Unix sockets are. Signals that are to end this process are for the one inside.
 */
export async function runInSmallNetwork(environment: Readonly<Record<string, string>>): Promise<number | string> {
  const unshare = process.getuid?.() === 0 ? ['--net'] : ['--user', '--map-root-user', '--net'];
  const tried = spawnSync('unshare', [...unshare, 'sh', '-c', setUp], { encoding: 'utf8' });
  if (tried.status !== 0) return (tried.error?.message ?? tried.stderr).trim();
  const run = spawn('unshare', [...unshare, 'sh', '-c', `${setUp} && exec "$@"`, 'sh', process.execPath, ...process.execArgv, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, ...environment, [marker]: '1' },
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => run.kill(signal));
  const [status] = (await once(run, 'exit')) as [number | null];
  return status ?? 1;
}
