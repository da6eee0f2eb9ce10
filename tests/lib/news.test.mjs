// What tabs tell each other: whatever becomes of them, each that lives knows what the others that live are sending, and of nobody else.
// SEED=17 plays one schedule, RUNS=20000 so many.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VERSION } from '../../pkg/lib/tabs/channel.js';
import { News, nameOf } from '../../pkg/lib/tabs/news.js';
import { Chance } from '../e2e/support/schedule.mjs';
import { Browser } from './fake-browser.mjs';

const RUNS = Number(process.env.RUNS ?? 300);
const SEEDS = process.env.SEED ? [Number(process.env.SEED)] : Array.from({ length: RUNS }, (_, i) => i + 1);
const CHANNEL = `steadystream/${VERSION}/news|scope`;

const ERROR = { code: 'http-status', retryable: true, status: 503 };
const message = (requestId, more = {}) => Object.freeze({
  requestId, sessionId: 's', message: { content: requestId }, status: 'pending', runId: null, error: null, attempts: 0, createdAt: 7, ...more,
});
const plain = ({ requestId, sessionId, message: says, status, runId, error, attempts, createdAt }) => (
  { requestId, sessionId, message: says, status, runId, error: error?.code ?? null, attempts, createdAt });

/** A page with news, and what it does and has heard. */
class Page {
  sent = new Map();
  runs = new Map();
  heard = { runs: [], ends: [], sends: [], changes: 0 };
  isAway = false;
  #browser;

  constructor(browser, name) {
    this.#browser = browser;
    this.tab = browser.add(name);
    this.tab.listeners = new Map();
  }

  static async open(browser, name = 'page') {
    const page = new Page(browser, name);
    await page.act(() => {
      page.news = News.create('scope', {
        runs: () => [...page.runs.values()],
        onSend: (sessionId) => page.heard.sends.push(sessionId),
        onRun: (run) => page.heard.runs.push(nameOf(run)),
        onEnd: (run) => page.heard.ends.push(nameOf(run)),
      });
      page.news.subscribe(() => { page.heard.changes += 1; });
      page.news.join();
    });
    return page;
  }

  act(fn) {
    return this.#browser.run(this.tab, fn);
  }

  /** Sends, or says what has become of it; `null`: it is gone. */
  send(requestId, shown) {
    if (shown) this.sent.set(requestId, shown);
    else this.sent.delete(requestId);
    return this.act(() => this.news.tellMessages([...this.sent.values()]));
  }

  begin(run) {
    this.runs.set(nameOf(run), run);
    return this.act(() => this.news.tellRun(run));
  }

  end(run, isEnd = true) {
    this.runs.delete(nameOf(run));
    return this.act(() => this.news.tellEnd(run, isEnd));
  }

  signal(name) {
    this.isAway = name === 'pagehide';
    return this.act(() => this.tab.listeners.get(name)?.({}));
  }

  close() {
    return this.act(() => this.news.close());
  }

  shows(sessionId = 's') {
    return this.news.messages(sessionId).map(plain);
  }
}

const play = async (seed, fn) => {
  const browser = new Browser(new Chance(seed));
  browser.install();
  globalThis.addEventListener = (name, listener) => browser.current.listeners.set(name, listener);
  globalThis.removeEventListener = (name) => browser.current.listeners.delete(name);
  try {
    await fn(browser);
  } finally {
    browser.uninstall();
    delete globalThis.addEventListener;
    delete globalThis.removeEventListener;
  }
};

const situation = (promise, fn) => test(promise, async () => {
  for (const seed of [1, 2, 3]) {
    await play(seed, async (browser) => {
      const [a, b] = [await Page.open(browser, 'a'), await Page.open(browser, 'b')];
      await browser.pass(50);
      await fn({ browser, a, b, pass: () => browser.pass(200) });
    });
  }
});

const run = (runId, requestId = `q-${runId}`) => ({ sessionId: 's', runId, requestId });

test('whatever becomes of tabs, each knows what those are sending that live, and nothing is left', async () => {
  const ids = ['q1', 'q2', 'q3', 'q4'];
  const failures = [];
  for (const seed of SEEDS) {
    try {
      await play(seed, async (browser) => {
        const { chance } = browser;
        browser.mostLatency = chance.pick([0.5, 3, 30]);
        browser.isOrdered = chance.is(30);
        const pages = [await Page.open(browser, 'p0')];
        const living = () => pages.filter(({ tab }) => !tab.isDead);
        for (let steps = chance.between(5, 40); steps > 0; steps -= 1) {
          const page = chance.pick(living().filter(({ tab }) => !tab.isHung).concat(pages[0].tab.isDead ? [] : pages[0]));
          const id = chance.pick(ids) + page.tab.name;
          const what = chance.pick(['send', 'send', 'gone', 'join', 'die', 'close', 'sleep', 'wake', 'hang', 'run', 'over']);
          if (what === 'send') {
            const status = chance.pick(['pending', 'sent', 'confirmed', 'failed']);
            const shown = message(id, { status, error: status === 'failed' ? ERROR : null, attempts: chance.between(0, 3) });
            await page.send(id, shown);
          } else if (what === 'gone') await page.send(id, null);
          else if (what === 'join' && pages.length < 6) pages.push(await Page.open(browser, `p${pages.length}`));
          else if (what === 'die' && page !== pages[0]) page.tab.die();
          else if (what === 'close' && page !== pages[0]) {
            await page.close();
            page.tab.isClosed = true;
            page.sent.clear();
            page.isAway = true;
          } else if (what === 'sleep') await page.signal('pagehide');
          else if (what === 'wake' && !page.tab.isClosed) await page.signal('pageshow');
          else if (what === 'hang') page.tab.hang(chance.between(1, 500));
          else if (what === 'run' && !page.tab.isClosed) await page.begin(run(id));
          else if (what === 'over') await page.end(run(id), chance.is(50));
          await browser.pass(chance.pick([0, 1, 5, 100]));
        }
        await browser.pass(3000);
        for (const page of living().filter(({ isAway }) => !isAway)) {
          const others = living().filter((other) => other !== page && !other.isAway);
          const expected = others.flatMap((other) => [...other.sent.values()].map(plain));
          const sort = (list) => list.map((each) => JSON.stringify(each)).sort();
          assert.deepEqual(sort(page.shows()), sort(expected), page.tab.name);
          const going = others.flatMap((other) => [...other.runs.keys()]);
          for (const { runId } of page.news.runs('s')) assert.ok(going.includes(runId), `${runId} goes on nowhere`);
        }
        for (const page of living()) await page.close();
        await browser.pass(200);
        assert.ok(browser.locks.isIdle, 'a lock is left');
        assert.deepEqual(living().map(({ tab }) => [tab.channels.size, tab.listeners.size]), living().map(() => [0, 0]));
      });
    } catch (error) {
      if (process.env.SEED) throw error;
      failures.push(`SEED=${seed}: ${error.message.split('\n').slice(0, 12).join(' ')}`);
    }
  }
  assert.deepEqual(failures.slice(0, 5), [], `${failures.length} of ${SEEDS.length} schedules`);
});

situation('a message is told with all that is shown of it, and each change of it', async ({ a, b, pass }) => {
  await a.send('q', message('q', { status: 'failed', error: Object.assign(new Error(), ERROR), attempts: 2 }));
  await pass();
  const [shown] = b.news.messages('s');
  assert.deepEqual(plain(shown), { ...plain(message('q')), status: 'failed', error: 'http-status', attempts: 2 });
  assert.deepEqual([shown.error.name, shown.error.status, Object.isFrozen(shown)], ['SteadyStreamError', 503, true]);
  assert.throws(shown.retry, { code: 'invalid-state' });
  assert.throws(shown.discard, { code: 'invalid-state' });
  await a.send('q', message('q', { status: 'sent', runId: 'r' }));
  await pass();
  assert.deepEqual([b.shows()[0].status, b.shows()[0].runId, b.heard.sends], ['sent', 'r', ['s']]);
  assert.deepEqual([b.shows('t'), a.shows()], [[], []]);
  await a.send('q', null);
  await pass();
  assert.deepEqual(b.shows(), []);
});

situation('what has not changed is not told again', async ({ browser, a, pass }) => {
  const told = [];
  await a.send('q1', message('q1'));
  await pass();
  browser.spy = (tab, { kind, requestId }) => told.push(`${kind} ${requestId}`);
  await a.send('q2', message('q2'));
  await a.signal('pageshow');
  await pass();
  assert.deepEqual(told, ['message q2']);
});

situation('tabs are as many as are waited for', async ({ browser, b, pass }) => {
  const crowd = browser.add('a crowd');
  for (let n = 0; n < 150; n += 1) {
    await browser.run(crowd, () => {
      navigator.locks.request(`steadystream.tab/${VERSION}/scope/x${n}`, {}, () => new Promise(() => {}));
      new BroadcastChannel(CHANNEL).postMessage({ v: VERSION, kind: 'run', from: `x${n}`, stream: 's', runId: `r${n}`, requestId: null });
    });
    await pass();
  }
  assert.deepEqual([[...browser.locks.waiting.values()].flat().length, b.news.runs('s').length], [200, 100]);
});

situation('a tab that comes later is told what there is, and that is no news', async ({ browser, a, b, pass }) => {
  await a.send('q', message('q'));
  await b.begin(run('r'));
  await pass();
  const c = await Page.open(browser, 'c');
  await pass();
  assert.deepEqual([c.shows().map(({ requestId }) => requestId), c.heard.runs, c.heard.sends], [['q'], ['r'], []]);
  assert.deepEqual(a.heard.runs, ['r']);
});

situation('of one that dies or leaves nothing is left, and of one that comes back all is there again', async ({ browser, a, b, pass }) => {
  await a.send('q', message('q'));
  await a.begin(run('r'));
  await pass();
  assert.deepEqual([b.shows().length, b.news.runs('s').length], [1, 1]);
  await a.signal('pagehide');
  await pass();
  assert.deepEqual([b.shows(), b.news.runs('s'), browser.locks.isIdle, a.tab.channels.size], [[], [], true, 0]);
  await a.send('q', message('q', { attempts: 1 }));
  await b.send('mine', message('mine'));
  await a.signal('pageshow');
  await pass();
  assert.deepEqual([b.shows().map(({ attempts }) => attempts), a.shows().length, b.news.runs('s').length], [[1], 1, 1]);
  a.tab.die();
  await pass();
  assert.deepEqual([b.shows(), b.news.runs('s')], [[], []]);
});

situation('one that comes back does not wait for those that hang', async ({ browser, a, b, pass }) => {
  const c = await Page.open(browser, 'c');
  await a.send('q', message('q'));
  await pass();
  b.tab.hang(60_000);
  await a.signal('pagehide');
  await pass();
  await a.signal('pageshow');
  await pass();
  assert.equal(c.shows().length, 1);
});

situation('what the history has is not shown again, whoever tells of it', async ({ browser, a, b, pass }) => {
  await a.send('q', message('q', { status: 'sent' }));
  await pass();
  await b.act(() => b.news.resolve('q'));
  await a.send('q', message('q', { status: 'confirmed' }));
  await pass();
  assert.deepEqual(b.shows(), []);
  a.tab.die();
  await pass();
  const c = await Page.open(browser, 'c');
  await c.send('q', message('q', { status: 'confirmed' }));
  await pass();
  assert.deepEqual([b.shows(), b.heard.sends], [[], ['s']]);
});

situation('one that another tab has taken up is that tab\'s, whatever the first one says', async ({ browser, a, b, pass }) => {
  const c = await Page.open(browser, 'c');
  await a.send('q', message('q'));
  await pass();
  await b.send('q', message('q', { attempts: 1 }));
  await pass();
  await a.send('q', null);
  await pass();
  assert.deepEqual(c.shows().map(({ attempts }) => attempts), [1]);
});

situation('a run is told once, and its end to all', async ({ browser, a, b, pass }) => {
  await a.begin(run('r'));
  await pass();
  await b.begin(run('r'));
  await a.begin(run(null, 'q'));
  await pass();
  assert.deepEqual([a.heard.runs, b.heard.runs], [[], ['r', 'q']]);
  await a.end(run('other'), false);
  const c = await Page.open(browser, 'c');
  await c.end(run('r'), false);
  await pass();
  assert.deepEqual(b.news.runs('s').map(nameOf), ['r', 'q'], 'as long as it has one that told of it');
  await b.end(run('r'), true);
  await pass();
  assert.deepEqual([a.heard.ends, b.news.runs('s').map(nameOf)], [['r'], ['r', 'q']]);
  await a.end(run(null, 'q'), false);
  await a.end(run('r'));
  await pass();
  assert.deepEqual([b.heard.ends, b.news.runs('s')], [['r'], []]);
});

situation('who has nothing to tell holds no lock, and who is told nothing waits for none', async ({ browser, a, b, pass }) => {
  assert.ok(browser.locks.isIdle);
  await a.send('q', message('q'));
  await pass();
  assert.equal(browser.locks.held.size, 1);
  await b.close();
  await pass();
  assert.equal([...browser.locks.waiting.values()].flat().length, 0);
  await b.send('mine', message('mine'));
  await pass();
  assert.deepEqual([a.shows(), b.tab.channels.size], [[], 0], 'nor does one that is closed say anything');
});

test('where locks are refused nothing is told, and nothing piles up', () => play(1, async (browser) => {
  browser.locks.isRefused = true;
  const [a, b] = [await Page.open(browser, 'a'), await Page.open(browser, 'b')];
  await a.send('q', message('q'));
  await browser.pass(100);
  await a.send('q2', message('q2'));
  await browser.pass(100);
  assert.deepEqual([b.shows(), a.tab.channels.size], [[], 0]);
}));

situation('what is too large is not told, and of many the last', async ({ browser, a, b, pass }) => {
  const told = [];
  browser.spy = (tab, { kind, requestId }) => told.push(`${kind} ${requestId}`);
  await a.send('large', message('large', { message: 'x'.repeat(1 << 16) }));
  for (let n = 0; n < 150; n += 1) a.sent.set(`q${n}`, message(`q${n}`));
  await a.send('last', message('last'));
  await pass();
  const last = [...Array.from({ length: 99 }, (_, n) => `q${n + 51}`), 'last'];
  assert.deepEqual([b.shows().map(({ requestId }) => requestId), told], [last, ['gone large', ...last.map((id) => `message ${id}`)]]);
});

situation('nonsense changes nothing, and a message of ours that no tab stands behind is gone at once', async ({ browser, b, pass }) => {
  const stranger = browser.add('a foreign page');
  const channel = await browser.run(stranger, () => new BroadcastChannel(CHANNEL));
  const post = (data) => browser.run(stranger, () => channel.postMessage(data));
  const body = '{"message":"boo","error":null}';
  const whole = {
    v: VERSION, from: 'x', stream: 's', kind: 'message', requestId: 'q', runId: null, status: 'pending', attempts: 0, createdAt: 0, body,
  };
  const values = [undefined, null, 7, -1, 1.5, '', 'odd', {}, [], true, 'x'.repeat(1 << 17), { toString: 1 }];
  for (const name of Object.keys(whole)) {
    for (const value of values) {
      const isFine = {
        from: ['', 'odd'], stream: ['', 'odd'], requestId: ['', 'odd'], runId: [null, '', 'odd'], attempts: [7], createdAt: [7],
      }[name]?.includes(value);
      if (!isFine) await post({ ...whole, [name]: value });
    }
  }
  for (const text of ['7', 'null', '[]', '{}', '{"message":null}', '{"message":[1]}', JSON.stringify({ message: 'x'.repeat(1 << 16), error: null }), '{"message":"a","error":{"detail":{"toString":1,"valueOf":1}}}']) {
    await post({ ...whole, body: text });
  }
  for (const kind of ['run', 'over', 'gone']) {
    await post({ ...whole, kind, requestId: undefined });
    await post({ ...whole, kind, runId: 7, isEnd: true });
  }
  await post({ ...whole, kind: 'over', isEnd: 'yes' });
  await post({ ...whole, kind: 'run', runId: null, requestId: null });
  await pass();
  assert.deepEqual([b.heard.runs, b.heard.ends, b.heard.sends], [[], [], []]);
  for (let n = 0; n < 1000; n += 1) await post({ ...whole, from: `x${n}`, requestId: `q${n}` });
  await pass();
  assert.deepEqual([b.shows(), browser.locks.isIdle], [[], true]);
});
