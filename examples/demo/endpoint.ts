/** A bare GraphQL caller over HTTP. Throws with the server's own words when the answer has errors. */
export function endpoint(url: string, token: string) {
  return async <Data>(query: string, variables: Readonly<Record<string, unknown>> = {}): Promise<Data> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { readonly data?: Data; readonly errors?: readonly { readonly message: string }[] };
    if (errors?.[0] !== undefined || data === undefined || data === null) throw new Error(errors?.[0]?.message ?? `The server answered with HTTP ${response.status}.`);
    return data;
  };
}
