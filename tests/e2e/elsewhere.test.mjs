// What one tab does is on screen in the others (W4-6): messages while they are sent, runs from their first word, ends. In Chromium,
// tabs of one profile with the same chat.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { launchBrowser } from './support/browser.mjs';
import { Lab } from './support/lab.mjs';
import { startServer } from './support/server.mjs';
import { openTabs } from './support/tabs.mjs';
import { until } from './support/until.mjs';

/** Stands still in its middle until it is told to go on. */
const HELD = { events: 40, eventsPerSecond: 0, holdAt: 20 };
/** Stands still where the other one has ended. */
const LONGER = { events: 60, eventsPerSecond: 0, holdAt: 50 };
const QUICK = { events: 10, eventsPerSecond: 0 };
const WS = { baseUrl: '', protocol: 'ws-chat', transports: ['fetch'] };
const BICHAT = { baseUrl: '/bi-chat' };

let server;
let control;
let browser;
let shared;
/** Tabs of `shared` that a test has given back. */
const idle = [];
before(async () => {
  // Each tab a process of its own: one that crashes takes no other with it.
  [server, browser] = await Promise.all([startServer(), launchBrowser(['--disable-features=ProcessPerSiteUpToMainFrameThreshold'])]);
  ({ control } = server);
  shared = await browser.newContext();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const openTab = async (context) => {
  const tab = await context.newPage();
  await tab.goto(`${server.app}/tests/elsewhere.html`);
  await tab.waitForFunction(() => window.tab);
  return tab;
};

/** The tabs of one chat. */
class Chat {
  sessionId = randomUUID();
  tabs = [];

  constructor(context, options) {
    this.context = context;
    this.options = options;
  }

  async open(more = {}) {
    const tab = (this.context === shared && idle.pop()) || await openTab(this.context);
    await tab.evaluate((args) => window.tab.open(args), { options: this.options, sessionId: this.sessionId, ...more });
    // What it was told by the server when it came is on screen.
    await until(() => tab.evaluate(() => window.tab.isReady), 'the tab to be ready');
    this.tabs.push(tab);
    return tab;
  }

  remove(tab) {
    this.tabs.splice(this.tabs.indexOf(tab), 1);
  }

  /** Its process is gone, without a last word. */
  async crash(tab) {
    this.remove(tab);
    const session = await this.context.newCDPSession(tab);
    const gone = new Promise((resolve) => { tab.once('crash', resolve); });
    session.send('Page.crash').catch(() => {});
    await gone;
  }

  recipe(recipe) {
    return control.recipe({ sessionId: this.sessionId, ...recipe });
  }

  async requests(path) {
    return (await control.requests(this.sessionId)).filter((request) => request.path === path).length;
  }
}

const use = async (context, options, fn) => {
  const chat = new Chat(context, options);
  await fn(chat, context);
  for (const tab of chat.tabs) assert.deepEqual(await tab.evaluate(() => window.tab.close()), [[], []]);
  return chat.tabs;
};

const play = (name, options, fn) => test(name, async () => { idle.push(...await use(shared, options, fn)); });

/** With what happens to all tabs of a context, or is kept for them. */
const playAlone = (name, options, fn) => test(name, async () => {
  const context = await browser.newContext();
  try {
    await use(context, options, fn);
  } finally {
    await context.close();
  }
});

const send = (tab, text, options) => tab.evaluate(([what, how]) => window.tab.send(what, how), [text, options]);
const items = (tab) => tab.evaluate(() => window.tab.items());
const view = (tab) => tab.evaluate(() => window.tab.view());
const outbox = (tab) => tab.evaluate(() => window.tab.outbox());
const lines = (tab) => tab.evaluate(() => window.tab.lines());
const shows = (tab, expected) => until(async () => {
  const shown = await lines(tab);
  return shown === expected || (process.env.TELL && console.log(shown), false);
}, `${expected} on screen`).catch(async (cause) => { throw new Error(`${expected}; on screen: ${await lines(tab)}`, { cause }); });
const becomes = (tab, status) => until(async () => (await view(tab)).status === status, `the view to be ${status}`);
const tells = (tab, least) => until(async () => (await view(tab)).text.length >= least, `${least} units of text`);
/** What `from` has said by now has been heard by `to`. */
const heard = async (from, to) => {
  const name = randomUUID();
  await to.evaluate((of) => { window[of] = new Promise((resolve) => { new BroadcastChannel(of).onmessage = resolve; }); }, name);
  await from.evaluate((of) => new BroadcastChannel(of).postMessage(''), name);
  await to.evaluate(async (of) => { await window[of]; }, name);
};

describe('what one tab does', { concurrency: 3 }, () => {
  play('is on screen in another from the first moment to the stored message, over one connection (W4-6)', WS, async (chat) => {
    await chat.recipe(HELD);
    const [a, b] = [await chat.open(), await chat.open()];
    const requestId = await send(a, 'hello');
    await shows(b, 'hello sent, answer');
    await tells(b, 1);
    const [atA, atB] = [await view(a), await view(b)];
    assert.equal(atB.runId, atA.runId);
    await until(async () => (await view(b)).text === (await view(a)).text, 'the same text');
    assert.deepEqual((await items(b)).map(({ key }) => key), [`user:${requestId}`, `assistant:${requestId}`]);
    assert.deepEqual(await outbox(b), []);
    assert.deepEqual(await b.evaluate(() => window.tab.press()), ['invalid-state', 'invalid-state']);
    await control.now('goOn', { sessionId: chat.sessionId });
    const { text } = await control.truth(undefined, chat.sessionId);
    for (const tab of [a, b]) {
      await shows(tab, 'stored, stored');
      assert.deepEqual((await items(tab)).map(({ key, says }) => [key, says]), [[`user:${requestId}`, 'hello'], [`assistant:${requestId}`, text]]);
    }
    await Promise.all([heard(a, b), heard(b, a)]);
    const counts = await Promise.all(['messages', 'chat-events', 'chat-history'].map((path) => chat.requests(path)));
    assert.deepEqual(counts, [1, 1, 4], 'and each has read its pages twice: when it came, and at the end');
  });

  playAlone('waits on both screens while the network is away, and goes out on both', WS, async (chat, context) => {
    await chat.recipe(QUICK);
    const [a, b] = [await chat.open(), await chat.open()];
    await context.setOffline(true);
    const first = await send(a, 'hello');
    await shows(b, 'hello pending');
    const second = await send(b, 'and mine');
    await shows(a, 'hello pending, answer, and mine pending');
    await shows(b, 'hello pending, and mine pending, answer');
    assert.deepEqual([await outbox(a), await outbox(b)], [['hello pending'], ['and mine pending']]);
    await context.setOffline(false);
    for (const tab of [a, b]) {
      await until(async () => (await items(tab)).every(({ isStored, send: sent }) => isStored && sent === null), 'all to be stored');
      const keys = (await items(tab)).map(({ key }) => key);
      assert.deepEqual([keys.length, new Set(keys).size, keys.includes(`user:${first}`), keys.includes(`user:${second}`)], [4, 4, true, true]);
    }
    assert.equal((await control.counters(chat.sessionId)).runsStarted, 2);
  });

  playAlone('and has not sent is gone when it crashes, and what its server has goes on', WS, async (chat) => {
    await chat.recipe(HELD);
    const [a, b] = [await chat.open(), await chat.open()];
    await send(a, 'hello');
    await tells(b, 1);
    await control.faults({ sessionId: chat.sessionId, path: 'messages' }, [{ status: { code: 503, retryAfter: 600 } }], { loop: true });
    await send(a, 'never');
    await shows(b, 'hello sent, answer, never pending');
    await b.evaluate(() => { window.tab.mayGo = true; });
    await chat.crash(a);
    await shows(b, 'hello sent, answer');
    await control.now('goOn', { sessionId: chat.sessionId });
    await shows(b, 'stored, stored');
    assert.equal((await view(b)).text, (await control.truth(undefined, chat.sessionId)).text);
    assert.equal((await control.counters(chat.sessionId)).runsStarted, 1);
  });

  playAlone('and has kept is sent by the one that takes it up, and stands there once', { ...WS, persist: 'indexeddb' }, async (chat) => {
    await chat.recipe(QUICK);
    await control.faults({ sessionId: chat.sessionId, path: 'messages' }, [{ status: { code: 503, retryAfter: 600 } }], { loop: true });
    const a = await chat.open();
    const requestId = await send(a, 'hello');
    await until(async () => await chat.requests('messages') === 1, 'it to be refused');
    const b = await chat.open();
    await shows(b, 'hello pending');
    assert.deepEqual(await outbox(b), []);
    await control.clearFaults();
    await b.evaluate(() => { window.tab.mayGo = true; });
    chat.remove(a);
    await a.close();
    await shows(b, 'stored, stored');
    assert.equal((await items(b))[0].key, `user:${requestId}`);
    assert.equal((await control.counters(chat.sessionId)).runsStarted, 1);
  });

  for (const [name, options, path, connections] of [
    ['bichat', BICHAT, 'events', 1],
    // That of who has sent began before its run had a name.
    ['chunks', { baseUrl: '/v1', protocol: 'chunks' }, 'chunks-stream', 2],
    // The response to the send is the stream.
    ['ui-message', { baseUrl: '/api/chat', protocol: 'ui-message' }, 'ui-stream', 0],
  ]) {
    play(`is followed by a view that is there, over what connection there is [${name}]`, options, async (chat) => {
      await chat.recipe(HELD);
      const [a, b] = [await chat.open({ load: true }), await chat.open({ load: true })];
      const asked = await chat.requests(path);
      await send(a, 'hello');
      await tells(b, 1);
      await shows(b, 'hello sent, answer');
      await control.now('goOn', { sessionId: chat.sessionId });
      for (const tab of [a, b]) {
        await becomes(tab, 'completed');
        assert.equal((await view(tab)).text, (await control.truth(undefined, chat.sessionId)).text);
      }
      assert.equal(await chat.requests(path) - asked, connections);
    });
  }

  play('leaves a view alone that has a run of its own, until that has ended', BICHAT, async (chat) => {
    const [a, b] = [await chat.open({ has: ['run'] }), await chat.open({ has: ['run'] })];
    await chat.recipe(HELD);
    await send(b, 'mine');
    await tells(b, 1);
    const mine = (await view(b)).runId;
    await until(async () => (await view(a)).runId === mine, 'the other to follow');
    await chat.recipe(LONGER);
    await send(a, 'another');
    await until(async () => ![null, mine].includes((await view(a)).runId), 'the other to have its own');
    await heard(a, b);
    assert.equal((await view(b)).runId, mine);
    await control.now('goOn', { sessionId: chat.sessionId, holdAt: LONGER.holdAt });
    await until(async () => (await view(b)).runId === (await view(a)).runId, 'it to follow the other\'s');
    await control.now('goOn', { sessionId: chat.sessionId });
    for (const tab of [a, b]) await becomes(tab, 'completed');
  });

  play('brings pages up to date where nobody follows the run', WS, async (chat) => {
    await chat.recipe(HELD);
    const [a, b] = [await chat.open(), await chat.open({ has: ['messages'] })];
    const requestId = await send(a, 'hello');
    await shows(b, 'hello sent');
    await tells(a, 1);
    await control.now('goOn', { sessionId: chat.sessionId });
    await shows(b, 'stored, stored');
    assert.equal((await items(b))[0].key, `user:${requestId}`);
    assert.equal((await items(b))[1].says, (await control.truth(undefined, chat.sessionId)).text);
  });

  play('or what any other page of the origin says that is none of ours, does no harm', WS, async (chat, context) => {
    await chat.recipe(QUICK);
    const b = await chat.open();
    await b.evaluate(() => { window.tab.mayGo = true; });
    const stranger = await context.newPage();
    await stranger.goto(`${server.app}/tests/bare.html`);
    await stranger.evaluate((sessionId) => {
      const channel = new BroadcastChannel('steadystream/1/news|ws-chat||');
      const whole = {
        v: 1, from: 'nobody', stream: sessionId, kind: 'message', requestId: 'q', runId: null, status: 'pending', attempts: 0, createdAt: 0,
        body: '{"message":"boo","error":null}',
      };
      const wrong = [
        null, 'ask', 7, {}, { ...whole, v: 2 }, { ...whole, kind: 'toString' }, { ...whole, stream: 'x'.repeat(1000) }, { ...whole, status: 'odd' },
        { ...whole, body: '{' }, { ...whole, body: '{"message":7}' }, { ...whole, body: 'x'.repeat(1 << 17) },
        { ...whole, body: '{"message":"boo","error":{"code":"http-status","detail":{"toString":1,"valueOf":1}}}' },
        { ...whole, kind: 'run', runId: null, requestId: null }, { ...whole, kind: 'over', isEnd: 'yes' }, { ...whole, kind: 'gone' },
        { ...whole, kind: 'bye' }, { ...whole, kind: 'ask' },
      ];
      for (const message of wrong) channel.postMessage(message);
      // Of our shape, and with nobody behind it.
      for (let n = 0; n < 300; n += 1) channel.postMessage({ ...whole, requestId: `q${n}`, body: JSON.stringify({ message: `boo ${n}`, error: null }) });
    }, chat.sessionId);
    await stranger.close();
    const requestId = await send(b, 'hello');
    await until(async () => (await lines(b)) === 'stored, stored', 'the answer');
    assert.equal((await items(b))[0].key, `user:${requestId}`);
  });
});

describe('a run that began on another device', () => {
  play('is followed by a view that is there, once the index has it, and brings pages up to date', BICHAT, async (chat) => {
    // Which shares nothing, and hears of no tab.
    const c = await chat.open({ has: ['messages', 'sidebar'], load: true, options: { ...BICHAT, shareAcrossTabs: false } });
    const a = await chat.open({ has: ['run', 'sidebar'] });
    const b = await chat.open({ has: ['run', 'sidebar'] });
    const { runId } = await chat.recipe({ ...HELD, start: true });
    for (const tab of [a, b]) {
      await tells(tab, 1);
      assert.equal((await view(tab)).runId, runId);
    }
    assert.equal(await chat.requests('events'), 1);
    await until(() => c.evaluate((id) => window.tab.sidebar.status(id) === 'streaming', chat.sessionId), 'the index to have it');
    assert.equal(await c.evaluate(() => window.tab.loads), 1);
    await control.now('goOn', { sessionId: chat.sessionId });
    for (const tab of [a, b]) await becomes(tab, 'completed');
    await until(() => c.evaluate(() => window.tab.loads === 2), 'its pages to be read again');
    // What is over is over, whatever the index says.
    const asked = await chat.requests('status');
    await control.activeRuns({ rows: [{ sessionId: chat.sessionId, runId, status: 'streaming' }] });
    await until(() => a.evaluate((id) => window.tab.sidebar.status(id) === 'streaming', chat.sessionId), 'the index to say so');
    await a.evaluate(() => new Promise(requestAnimationFrame));
    assert.deepEqual([(await view(a)).status, await chat.requests('events'), await chat.requests('status')], ['completed', 1, asked]);
  });

  play('while a view had its own is followed after that, and one that is not there is not', BICHAT, async (chat) => {
    const a = await chat.open({ has: ['run', 'sidebar'] });
    const index = (rows) => control.activeRuns({ reach: 'feeds', rows: rows.map((runId) => ({ sessionId: chat.sessionId, runId, status: 'streaming' })) });
    await index(['nowhere']);
    await until(async () => await chat.requests('status') === 2, 'the server to be asked');
    await chat.recipe(HELD);
    await send(a, 'mine');
    await tells(a, 1);
    const mine = (await view(a)).runId;
    const { runId } = await chat.recipe({ ...LONGER, start: true });
    await until(() => a.evaluate(([id, other]) => window.tab.sidebar.getSnapshot().runs.some((row) => row.sessionId === id && row.runId === other),
      [chat.sessionId, runId]), 'the index to have it');
    assert.equal((await view(a)).runId, mine);
    await control.now('goOn', { sessionId: chat.sessionId, holdAt: LONGER.holdAt });
    await until(async () => (await view(a)).runId === runId, 'it to follow the other');
    await control.now('goOn', { sessionId: chat.sessionId });
    await becomes(a, 'completed');
    // What is over is over, whatever the index says.
    const asked = await chat.requests('status');
    await index([mine]);
    await until(() => a.evaluate((id) => window.tab.sidebar.status(id) === 'streaming', chat.sessionId), 'the index to say so');
    await a.evaluate(() => new Promise(requestAnimationFrame));
    assert.deepEqual([(await view(a)).runId, await chat.requests('status')], [runId, asked]);
  });
});

test('a tab that is left is kept by the browser, and tells again what it sends when it is back', async (t) => {
  const url = `${server.app}/tests/bare.html`;
  const sessionId = randomUUID();
  await control.faults({ sessionId }, [{ status: { code: 503, retryAfter: 600 } }], { loop: true });
  // Playwright's browsers keep no page.
  const own = await openTabs(url);
  t.after(() => own.close());
  await new Lab(own.other, {}).load(url);
  const begin = (tab, does) => tab.evaluate(([id, what]) => {
    const client = lab.client({ options: { shareAcrossTabs: true } });
    if (what === 'send') client.send(id, 'hello');
    window.messages = client.messages(id, { load: () => ({ items: [], next: null }) });
    messages.subscribe(() => {});
    addEventListener('pageshow', ({ persisted }) => { window.wasKept = persisted; });
  }, [sessionId, does]);
  await begin(own.other, 'look');
  await begin(own.tab, 'send');
  const shows = (count) => until(() => own.other.evaluate((most) => messages.getSnapshot().items.length === most, count), `${count} to be shown`);
  await shows(1);
  await own.tab.leave(`${server.app}/tests/machinery.js`);
  await shows(0);
  await own.tab.back();
  await shows(1);
  assert.equal(await own.tab.evaluate(() => window.wasKept), true);
});
