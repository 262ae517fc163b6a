import { readFileSync, statSync } from 'node:fs';
import type { Server as HttpsServer } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { Logger } from 'pino';
import type { Config } from './config.js';

/** Files of a certificate chain and of its private key. */
type TlsFiles = NonNullable<Config['tls']>;

export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** A renewal is used within so long. */
const defaultEveryMs = 10_000;

/** @throws Error that names the variable and the file, and says what to do. */
export function readTls({ certFile, keyFile }: TlsFiles): TlsMaterial {
  const material = { cert: readPem('TLS_CERT', certFile), key: readPem('TLS_KEY', keyFile) };
  try {
    createSecureContext(material);
  } catch (error) {
    throw new Error(`TLS_CERT and TLS_KEY: ${certFile} and ${keyFile} are not a certificate and its key (${reasonOf(error)}). Give PEM files that belong together.`, { cause: error });
  }
  return material;
}

/**
 * Reads the files again when they have changed: new connections get the new certificate, open ones go on. Files that cannot be used
 * (half of a renewal, say) leave the old ones in use, are told in the log once, and are looked at again. They are looked at by time
 * and size, not watched, because mounted and linked files are replaced in ways that watching does not see. Returns the way to stop.
 */
export function renewTls(server: Pick<HttpsServer, 'setSecureContext'>, files: TlsFiles, { log, everyMs = defaultEveryMs }: { readonly log: Logger; readonly everyMs?: number }): () => void {
  let used = stampOf(files);
  let complainedOf = '';
  const timer = setInterval(() => {
    const found = stampOf(files);
    if (found === used) return;
    try {
      server.setSecureContext(readTls(files));
      used = found;
      log.info({ certFile: files.certFile }, 'The certificate was read again; new connections use it.');
    } catch (error) {
      if (complainedOf !== found) log.error({ err: error }, 'The new certificate or key cannot be used; the old ones stay in use.');
      complainedOf = found;
    }
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

const stampOf = ({ certFile, keyFile }: TlsFiles): string =>
  [certFile, keyFile]
    .map((file) => {
      const stat = statSync(file, { throwIfNoEntry: false });
      return stat === undefined ? 'absent' : `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
    })
    .join();

function readPem(variable: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Error(`${variable}: ${file} cannot be read (${reasonOf(error)}). Give the path of a PEM file that this user may read.`, { cause: error });
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
