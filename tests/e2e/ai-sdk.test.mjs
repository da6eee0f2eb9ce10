// `useChat` over our transport, in Chromium, against a server of the AI SDK's own helpers: whatever happens to connection and page,
// the message is the one that the server's own copy of the SDK made, and each question is sent once.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { serveApp } from './support/app-server.mjs';
import { startAiServer } from './support/ai-server.mjs';
import { launchBrowser } from './support/browser.mjs';
import { BROWSER_NOISE } from './support/lab.mjs';
import { until } from './support/until.mjs';

let browser;
let site;
before(async () => {
  [browser, site] = await Promise.all([launchBrowser(), serveApp(fileURLToPath(new URL('pages/use-chat.js', import.meta.url)))]);
});
after(async () => {
  await browser?.close();
  site?.stop();
});

const plain = (value) => JSON.parse(JSON.stringify(value));

describe('useChat', () => {
  let server;
  let context;
  let page;
  let id;
  let errors;
  beforeEach(async () => {
    server = await startAiServer({ paceMs: 10 });
    server.lingerMs = 50;
    context = await browser.newContext();
    page = await context.newPage();
    id = randomUUID();
    errors = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => { if (message.type() === 'error' && !BROWSER_NOISE.test(message.text())) errors.push(message.text()); });
  });
  afterEach(async () => {
    await context.close();
    await server.stop();
    assert.deepEqual(errors, []);
  });

  const open = async (flags = '', { api } = server) => {
    await page.goto(`${site.origin}/?chat=${id}&api=${encodeURIComponent(api)}${flags}`);
    await page.waitForFunction(() => globalThis.app?.now);
  };
  const now = async () => plain(await page.evaluate(() => app.now));
  const ask = () => page.evaluate(() => app.ask('why?'));
  const show = (isShown) => page.evaluate((shown) => { app.show(shown); }, isShown);
  const textOf = (state) => state?.messages.at(-1)?.parts.findLast(({ type }) => type === 'text')?.text ?? '';
  /** It has begun to say something that only the answer says. */
  const begun = () => until(async () => textOf(await now()).startsWith('You asked'), 'text of the answer');
  const ready = () => until(async () => {
    const state = await now();
    return ['ready', 'error'].includes(state?.status) && state.messages.at(-1)?.role === 'assistant' && state;
  }, 'the answer', 20_000);
  const requests = (method, ending = '') => server.requests.filter((one) => one.method === method && one.path.endsWith(ending)).length;
  const assertWhole = async ({ status, messages, error }) => {
    assert.deepEqual([status, error ?? null, messages.length], ['ready', null, 2]);
    const { id: messageId, parts, metadata } = plain(await server.message(id));
    assert.deepEqual(messages[1].parts, parts);
    assert.deepEqual([messages[1].id, messages[1].metadata], [messageId, metadata]);
    assert.equal(await page.textContent('#answer'), parts.map(({ text = '' }) => text).join(''));
    assert.equal(requests('POST', '/api/chat'), 1);
  };

  test('through cuts', async () => {
    await open();
    server.cut(0, 90, 700, 1500, 4000);
    await ask();
    await assertWhole(await ready());
    assert.equal(requests('GET'), 5);
    assert.deepEqual(await page.evaluate(() => app.ends), ['end']);
  });

  test('reloaded in the middle', async () => {
    await open('&resume');
    await until(() => requests('GET') === 1, 'the first resume, which finds nothing');
    await ask();
    await begun();
    server.gate.close();
    server.cut(600);
    await page.reload();
    await page.waitForFunction(() => globalThis.app?.now);
    server.gate.open();
    await assertWhole(await ready());
    assert.deepEqual([requests('GET'), requests('POST', '/stop')], [3, 0]);
  });

  test("reloaded in the middle, with persist: 'session' and a server that gives ids: from the cursor on", async () => {
    await server.stop();
    server = await startAiServer({ paceMs: 10, ids: true });
    server.lingerMs = 50;
    await open('&resume&persist');
    await until(() => requests('GET') === 1, 'the first resume, which finds nothing');
    await ask();
    for (let n = 0; n < 3; n += 1) {
      await until(async () => textOf(await now()).length > 30 * n + 10, 'more of the answer');
      server.gate.close();
      const before = textOf(await now());
      await page.reload();
      await page.waitForFunction(() => globalThis.app?.now);
      await until(async () => textOf(await now()).startsWith(before), 'what was there');
      server.gate.open();
    }
    await assertWhole(await ready());
    const cursors = server.requests.filter(({ method }) => method === 'GET').map(({ cursor }) => Number(cursor));
    assert.ok(cursors.every((cursor, i) => i === 0 || cursor > cursors[i - 1]), cursors.join());
    assert.deepEqual([cursors.length, requests('POST', '/stop')], [4, 0]);
    assert.equal(await page.evaluate(() => Object.keys(sessionStorage).filter((key) => key.startsWith('steadystream')).length), 0);
  });

  test('reloaded in the middle, and mounted twice', async () => {
    await open('&resume&strict');
    await ask();
    await begun();
    server.gate.close();
    const before = requests('GET');
    await page.reload();
    await page.waitForFunction(() => globalThis.app?.now);
    server.gate.open();
    await assertWhole(await ready());
    assert.deepEqual([requests('GET') - before, requests('POST', '/stop')], [1, 0]);
  });

  test('in a chat that is made outside: unmounted, it goes on, and mounted again it is there', async () => {
    await open('&outer');
    await ask();
    await begun();
    server.gate.close();
    await show(false);
    await show(true);
    server.gate.open();
    await assertWhole(await ready());
    assert.deepEqual([requests('GET'), requests('POST', '/stop')], [0, 0]);
  });

  test("with onAbort: 'detach': unmounted and mounted again, without another request", async () => {
    await open('&detach');
    await ask();
    await begun();
    server.gate.close();
    await show(false);
    await page.waitForFunction(() => !document.querySelector('#answer'));
    await show(true);
    server.gate.open();
    await assertWhole(await ready());
    assert.deepEqual([requests('GET'), requests('POST', '/stop')], [0, 0]);
  });

  test('stopped: what has come stays, and a resume brings no more', async () => {
    await open();
    await ask();
    await begun();
    server.gate.close();
    await page.evaluate(() => app.stop());
    const stopped = await ready();
    assert.deepEqual([stopped.status, await page.evaluate(() => app.ends)], ['ready', ['abort']]);
    await until(() => requests('POST', '/stop') === 1, 'the stop');
    await show(false);
    await show(true);
    const again = await ready();
    server.gate.open();
    const whole = textOf({ messages: [plain(await server.message(id))] });
    assert.ok(textOf(again).startsWith(textOf(stopped)) && textOf(again).length < whole.length);
    assert.deepEqual([requests('GET'), requests('POST', '/api/chat')], [0, 1]);
  });

  test('unmounted: useChat stops what it has made', async () => {
    await open();
    await ask();
    await begun();
    server.gate.close();
    await show(false);
    await until(() => requests('POST', '/stop') === 1, 'the stop');
  });

  test('refused: a typed error', async () => {
    await open('', { api: `${server.origin}/nowhere` });
    await ask();
    const state = await until(async () => {
      const { status, error } = await now();
      return status === 'error' && error;
    }, 'the error');
    assert.equal(state.code, 'http-status');
    assert.deepEqual(await page.evaluate(() => app.ends), ['error']);
  });
});

test("the server's own error, with the text before it", async () => {
  const server = await startAiServer({
    paceMs: 1,
    answer: () => [{ type: 'start' }, { type: 'text-start', id: '0' }, { type: 'text-delta', id: '0', delta: 'Hel' }, { type: 'error', errorText: 'no model' }],
  });
  const page = await browser.newPage();
  await page.goto(`${site.origin}/?chat=${randomUUID()}&api=${encodeURIComponent(server.api)}`);
  await page.waitForFunction(() => globalThis.app?.now);
  await page.evaluate(() => app.ask('why?'));
  const { error, messages } = await until(async () => {
    const state = await page.evaluate(() => app.now);
    return state.status === 'error' && state;
  }, 'the error');
  assert.equal(error.message, 'no model');
  assert.equal(messages.at(-1).parts.at(-1).text, 'Hel');
  assert.equal(server.requests.filter(({ method }) => method === 'POST').length, 1);
  await page.close();
  await server.stop();
});
