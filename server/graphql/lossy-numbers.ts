import { ConcordError, lookForLossyNumber, lossyNumberMessage, type LossyNumber } from '@concord/core';
import { paced, type Turns } from '../rate-limit/turns.js';

export const lossyNumber = ({ token, path }: LossyNumber): ConcordError =>
  new ConcordError('VALUE_INVALID', `${path}: ${lossyNumberMessage(token)}.`, { path });

/** What is wrong with the numbers of a JSON text; null: nothing. With turns in between where it is large. */
export async function lossyNumberRefusal(json: Buffer, turns: Turns): Promise<ConcordError | null> {
  const pause = paced(turns);
  for (const found of lookForLossyNumber(json)) {
    if (found !== null) return lossyNumber(found);
    const waits = pause();
    if (waits !== undefined) await waits;
  }
  return null;
}

/** @throws ConcordError VALUE_INVALID for a whole number that JSON.parse has rounded. */
export async function refuseLossyNumbers(json: Buffer, turns: Turns): Promise<void> {
  const refusal = await lossyNumberRefusal(json, turns);
  if (refusal !== null) throw refusal;
}
