import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './harness.js';

describe('A running server', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  it('is alive and ready', async () => {
    const alive = await fetch(new URL('/health', server.url));
    expect(alive.status).toBe(200);
    const ready = await fetch(new URL('/ready', server.url));
    expect(ready.status).toBe(200);
    expect(await ready.json()).toEqual({ ready: true, reason: 'OK' });
  });

  it('answers who the caller is', async () => {
    expect(await server.graphql('{ viewer { id workspaces { id role } } }', {}, server.adminToken)).toEqual({
      status: 200,
      data: { viewer: { id: 'owner', workspaces: [{ id: 'main', role: 'OWNER' }] } },
      errors: [],
    });
  });
});
