import { hostileCases } from './hostile-cases.js';

/** `node --import tsx bench/hostile-load.ts <index> <url> <token or -> <seconds> <loops>`, forked: loads one server of this machine, and tells what came of it. */
const [index = '', url = '', token = '-', seconds = '1', loops = '8'] = process.argv.slice(2);
const hostile = hostileCases[Number(index)];
if (hostile === undefined || !/^http:\/\/(127\.0\.0\.1|localhost):\d+\//.test(url)) throw new Error('give a case and a server on this machine');
process.on('disconnect', () => process.exit(0));

const outcomes: Record<string, number> = {};
const told = (outcome: string): void => {
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
};
process.send?.('ready');
const until = performance.now() + Number(seconds) * 1_000;
await Promise.all(Array.from({ length: Number(loops) }, () => hostile.run({ url, token: token === '-' ? null : token, until }, told)));
process.send?.(outcomes);
process.exit(0);
