import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const brotli = promisify(brotliCompress);
const gzipped = promisify(gzip);

/** Below this a packet is sent either way. */
const worthwhileBytes = 1_400;

export type Encoding = 'br' | 'gzip';

/** What the caller takes, the best first. Null: plain. */
export function acceptedEncoding(header: string | undefined): Encoding | null {
  const offered = new Map(
    (header ?? '').split(',').map((part) => {
      const [name = '', ...parameters] = part.trim().toLowerCase().split(';');
      const quality = parameters.map((parameter) => /^\s*q=([\d.]+)$/.exec(parameter)?.[1]).find((found) => found !== undefined);
      return [name, quality === undefined ? 1 : Number(quality)] as const;
    }),
  );
  return (['br', 'gzip'] as const).find((name) => (offered.get(name) ?? 0) > 0) ?? null;
}

/** Null: not worth it. The work is done off the event loop, at levels that keep up with the network rather than beat every byte. */
export async function compress(body: string | Uint8Array, encoding: Encoding): Promise<Buffer | null> {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  if (bytes.length < worthwhileBytes) return null;
  return encoding === 'br'
    ? brotli(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } })
    : gzipped(bytes, { level: 4 });
}
