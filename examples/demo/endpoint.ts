/** The address in CONCORD_URL is wrong, or nobody answers there: the message says which, and what to do. */
export class WrongAddress extends Error {}

const orUnset = 'unset it: the demo then starts a server of its own.';

/** @throws WrongAddress when it is none. */
export function checkAddress(url: string): void {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return;
  throw new WrongAddress(`CONCORD_URL is ${JSON.stringify(url)}, which is no address of a server. Give one like http://localhost:8080/graphql, or ${orUnset}`);
}

/** A bare GraphQL caller over HTTP. Throws WrongAddress, or the server's own words when the answer has errors. */
export function endpoint(url: string, token: string) {
  return async <Data>(query: string, variables: Readonly<Record<string, unknown>> = {}): Promise<Data> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables }),
    }).catch((error: unknown) => {
      throw new WrongAddress(`The server of CONCORD_URL cannot be reached at ${url} (${causeOf(error)}). Start it with npm start, correct CONCORD_URL, or ${orUnset}`);
    });
    const answer: unknown = await response.json().catch(() => null);
    if (typeof answer !== 'object' || answer === null || !('data' in answer || 'errors' in answer)) {
      throw new WrongAddress(`What answers at ${url} (CONCORD_URL) is no GraphQL endpoint of Concord (HTTP ${response.status}). Give its address, which ends in /graphql, or ${orUnset}`);
    }
    const { data, errors } = answer as { readonly data?: Data; readonly errors?: readonly { readonly message: string }[] };
    if (errors?.[0] !== undefined || data === undefined || data === null) throw new Error(errors?.[0]?.message ?? `The server answered with HTTP ${response.status}.`);
    return data;
  };
}

function causeOf(error: unknown): string {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  if (!(cause instanceof Error)) return String(error);
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}
