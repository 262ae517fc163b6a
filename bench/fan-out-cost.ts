import { profileOf, shares, type Part } from './cpu-shares.js';
import { cpuSeconds } from './processes.js';
import { loadSystem, type Endpoint } from './system.js';
import { fullSizes, until } from './workload.js';

const id = 'fan-out';

export interface FanOutCost {
  /** Of the server, in microseconds of CPU, the commits included. */
  readonly perDelivery: number;
  readonly shares: ReadonlyMap<Part, number>;
}

/** What a delivery of W3 costs the server, measured for so many seconds and then profiled for as many. */
export async function measureFanOut(endpoint: Endpoint, profileFile: string, seconds: number): Promise<FanOutCost> {
  const concord = await loadSystem('concord');
  const { subscribers, editsPerSecond } = fullSizes;
  await concord.seed(endpoint, [id]);
  const writer = await concord.writer(endpoint, id);
  let delivered = 0;
  const readers: { close(): void }[] = [];
  for (let index = 0; index < subscribers; index++) readers.push(await concord.subscribe!(endpoint, id, (count) => void (delivered += count)));
  let edits = 0;
  const edit = async (): Promise<void> => {
    const start = performance.now();
    const acknowledgements: Promise<void>[] = [];
    for (let n = 0; n < seconds * editsPerSecond; n++) {
      const wait = start + (n * 1000) / editsPerSecond - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      acknowledgements.push(writer.edit({ kind: 'views', n: ++edits }));
    }
    await Promise.all(acknowledgements);
    await until(() => delivered === edits * subscribers, 'that every subscriber gets every change');
  };
  await edit();
  const [cpuBefore, deliveredBefore] = [cpuSeconds(endpoint.serverPid), delivered];
  await edit();
  const perDelivery = ((cpuSeconds(endpoint.serverPid) - cpuBefore) * 1e6) / (delivered - deliveredBefore);
  const profile = await profileOf(endpoint.serverPid, profileFile, edit);
  for (const reader of readers) reader.close();
  await writer.close();
  return { perDelivery, shares: shares(profile) };
}
