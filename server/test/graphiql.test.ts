import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../config.js';
import { startTestServer, type TestServer } from './harness.js';

const executablePath = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => existsSync(path));

describe('GraphiQL and introspection', () => {
  it('are off in production unless asked for', () => {
    const read = (environment: Record<string, string>) => {
      const { graphiql, introspection } = readConfig({ TRUST_PROXY: '1', ...environment });
      return { graphiql, introspection };
    };
    expect(read({})).toEqual({ graphiql: true, introspection: true });
    expect(read({ NODE_ENV: 'production' })).toEqual({ graphiql: false, introspection: false });
    expect(read({ NODE_ENV: 'production', GRAPHIQL: '1' })).toEqual({ graphiql: true, introspection: true });
    expect(read({ NODE_ENV: 'production', INTROSPECTION: '1' })).toEqual({ graphiql: false, introspection: true });
    expect(read({ INTROSPECTION: '0' })).toEqual({ graphiql: true, introspection: false });
  });

  it('answers nothing of the schema when introspection is off, whoever asks, and goes on answering __typename', async () => {
    const server = await startTestServer({ config: { introspection: false, graphiql: false } });
    for (const query of ['{ __schema { queryType { name } } }', '{ __type(name: "Query") { name } }', '{ viewer { id } ... { __schema { description } } }']) {
      expect((await server.graphql(query)).errors[0]).toMatchObject({ message: expect.stringContaining('INTROSPECTION=1') as string, extensions: { code: 'FORBIDDEN' } });
    }
    expect((await server.graphql('{ __typename viewer { __typename } }')).errors).toEqual([]);
    await server.close();
  });
});

describe.runIf(executablePath !== undefined)('The GraphiQL page', () => {
  let server: TestServer;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  beforeAll(async () => {
    server = await startTestServer();
    browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'] });
    context = await browser.newContext();
    page = await open();
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  async function open(): Promise<Page> {
    const opened = await context.newPage();
    await opened.goto(server.url);
    await opened.locator('.graphiql-tab').first().waitFor({ timeout: 30_000 });
    await opened.locator('.graphiql-query-editor .view-lines').waitFor({ timeout: 30_000 });
    return opened;
  }
  const tabs = (of: Page) => of.locator('.graphiql-tab').allInnerTexts();
  const answer = async (of: Page, text: string) => {
    await of.locator('.graphiql-execute-button').click();
    await of.locator('.result-window', { hasText: text }).waitFor({ timeout: 20_000 });
  };
  const chooses = (of: Page, name: string) => of.locator('.graphiql-tab', { hasText: name }).click();
  async function typesToken(of: Page, token: string): Promise<void> {
    await of.locator('.graphiql-editor-tool .view-lines:visible').click();
    await of.keyboard.press('Control+A');
    // The editor closes the text and the object by itself.
    await of.keyboard.insertText(`{"Authorization": "Bearer ${token}`);
    // GraphiQL stores what is typed half a second later.
    await of.waitForFunction((secret) => Object.values(sessionStorage).some((text) => String(text).includes(secret)), token.split('.')[1] ?? '');
  }

  it('uses a token that was typed once in every tab of its editor', async () => {
    expect(await tabs(page)).toEqual(['Who', 'Create', 'Patch', 'Watch', 'Find', 'Push']);
    await typesToken(page, server.token);
    await answer(page, '"name": "editor of the tests"');
    await chooses(page, 'Create');
    await answer(page, '"revision": 1');
  }, 60_000);

  it('opens no other tab when it is loaded again, and still has the token', async () => {
    await page.reload();
    await page.locator('.graphiql-tab').first().waitFor();
    expect(await tabs(page)).toEqual(['Who', 'Create', 'Patch', 'Watch', 'Find', 'Push']);
    await chooses(page, 'Find');
    // The editor of a page that was just loaded comes after its tabs: what is run before is the operation of another one.
    await page.locator('.graphiql-query-editor', { hasText: 'Find' }).waitFor();
    // A click while the page still loads the schema does nothing: a person clicks again.
    const found = page.locator('.result-window', { hasText: '"id": "groceries"' });
    await expect.poll(async () => {
      if (!(await found.isVisible())) await page.locator('.graphiql-execute-button').click();
      return await found.isVisible();
    }, { timeout: 40_000, interval: 1_000 }).toBe(true);
  }, 60_000);

  it('keeps the token where only this tab of the browser can read it', async () => {
    const secret = server.token.split('.')[1] ?? '';
    expect(await page.evaluate(() => JSON.stringify(Object.entries(localStorage)))).not.toContain(secret);
    const other = await open();
    expect(await other.evaluate(() => JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)]))).not.toContain(secret);
    expect(await tabs(other)).toEqual(['Who', 'Create', 'Patch', 'Watch', 'Find', 'Push']);
    await chooses(other, 'Who');
    await answer(other, 'UNAUTHENTICATED');
    await other.close();
  }, 60_000);

  it('forgets a token that an older version has kept', async () => {
    const fresh = await browser.newContext();
    const old = await fresh.newPage();
    await old.addInitScript(() => {
      localStorage.setItem('graphiql:headers', '{"Authorization":"Bearer kept-for-ever"}');
      localStorage.setItem('graphiql:tabState', JSON.stringify({ activeTabIndex: 0, tabs: [{ id: 'a', hash: null, title: 'Who', query: 'query Who { viewer { id } }', variables: null, headers: '{"Authorization":"Bearer kept-for-ever"}', operationName: 'Who', response: null }] }));
    });
    await old.goto(server.url);
    await old.locator('.graphiql-tab').first().waitFor({ timeout: 30_000 });
    expect(await old.evaluate(() => JSON.stringify(Object.entries(localStorage)))).not.toContain('kept-for-ever');
    expect(await tabs(old)).toEqual(['Who']);
    await fresh.close();
  }, 60_000);

  it('says in a sentence that the server is away', async () => {
    await chooses(page, 'Find');
    await server.stop();
    await answer(page, 'The server does not answer at');
    await chooses(page, 'Watch');
    await answer(page, 'The server does not answer at');
  }, 60_000);
});
