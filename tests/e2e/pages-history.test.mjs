// A chat's past in Chromium, page by page: 100,000 messages up and down again, in bounded memory, without a jump (W4-7).

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { launchBrowser, stopWatchingNetwork } from './support/browser.mjs';
import { startServer } from './support/server.mjs';

const MESSAGES = 100_000;
const LIMIT = 1000;
const MOST = 2000;
const HOLDS = 40 << 20;

let server;
let browser;
before(async () => {
  [server, browser] = await Promise.all([startServer(), launchBrowser()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const openPast = async ({ messages, limit = LIMIT, maxItems = MOST, notify = 'frame' }) => {
  const sessionId = randomUUID();
  await server.control.history({ sessionId, messages });
  const page = await browser.newPage();
  await page.goto(`${server.app}/tests/history.html`);
  await stopWatchingNetwork(page);
  await page.waitForFunction(() => window.PastView);
  await page.evaluate(async ([id, options]) => {
    window.view = new PastView(id, options);
    await view.untilShown();
    view.scroller.scrollTop = view.scroller.scrollHeight;
    view.keep();
  }, [sessionId, { limit, maxItems, notify }]);
  return { page, sessionId };
};

/** Bytes of the page's heap once what nobody holds is gone. */
const heapOf = async (page) => {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return usedSize;
};

describe('a past', () => {
  test('100,000 messages to the top and back, through cuts and refusals: bounded, no key twice, not a pixel of a jump (W4-7)', async (t) => {
    // Not in step with the frames, of which it would take a thousand.
    const { page, sessionId } = await openPast({ messages: MESSAGES, notify: 'sync' });
    const scope = { path: 'chat-history', sessionId };
    const rough = [{ status: { code: 503 } }, {}, {}, { cut: { afterBytes: 2000, how: 'rst' } }, {}, {}, {}, { status: { code: 503, retryAfter: 0 } }, {}, {}];
    await server.control.faults(scope, rough, { loop: true });
    const began = await heapOf(page);
    const heaps = [];
    for (const direction of ['older', 'newer']) {
      await page.evaluate((to) => view.travel(to), direction);
      heaps.push(await heapOf(page));
    }
    await server.control.clearFaults();
    const { notes, rows } = await page.evaluate(() => ({ notes: view.notes, rows: view.rows }));
    assert.deepEqual(notes.jumps, []);
    assert.equal(notes.doubled, 0);
    assert.ok(notes.most <= MOST, `${notes.most} items`);
    assert.ok(notes.changes >= 2 * (MESSAGES / LIMIT - MOST / LIMIT), `only ${notes.changes} changes were looked at`);
    assert.deepEqual([rows.at(-1), rows.length], [`h-${MESSAGES - 1}`, MOST]);
    const requests = (await server.control.requests(sessionId)).filter(({ path }) => path === 'chat-history');
    const refused = requests.filter(({ status }) => status === 503).length;
    assert.ok(refused > 20, `${refused} refusals`);
    for (const heap of heaps) assert.ok(heap - began < HOLDS / 8, `${heap - began} bytes more than one page`);
    t.diagnostic(`heap: ${[began, ...heaps].map((bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`).join(', ')}; ${requests.length} requests, ${refused} refused;`
      + ` ${notes.changes} changes, ${notes.jumps.length} jumps; at most ${notes.most} items`);
    await page.close();
  });

  test('what is near an end is loaded in time, and what changes its height above the reader moves nothing', async () => {
    const { page } = await openPast({ messages: 2000, limit: 50, maxItems: 200 });
    await page.evaluate(() => view.keep(1));
    const first = () => page.evaluate(() => view.rows[0]);
    const oldest = await first();
    await page.evaluate(() => { view.scroller.scrollTop = 0; });
    await page.waitForFunction((key) => view.rows[0] !== key, oldest);
    const moved = await page.evaluate(async () => {
      // Nothing comes meanwhile: whoever shows it in this frame would look before the frame is what its reader sees.
      view.keep();
      while (view.pages.getSnapshot().status !== 'idle') await view.pages.loadOlder();
      await view.untilShown();
      const shown = view.topmost();
      const { top } = shown.getBoundingClientRect();
      const { scrollTop } = view.scroller;
      view.scroller.firstElementChild.style.height = '300px';
      await new Promise((resolve) => { requestAnimationFrame(() => setTimeout(resolve)); });
      return [shown.getBoundingClientRect().top - top, view.scroller.scrollTop > scrollTop, view.scroller.style.overflowAnchor];
    });
    assert.deepEqual(moved, [0, true, 'none']);
    // The end of a list that is not full: more is loaded until it is.
    assert.deepEqual(await page.evaluate(() => {
      view.keeper.close();
      return view.scroller.style.overflowAnchor;
    }), '');
    assert.deepEqual(await page.evaluate(() => view.notes.jumps), []);
    await page.close();
  });

  test('a token that has run out is asked for again, and a refusal for good is an error that the next call tries again', async () => {
    const { page, sessionId } = await openPast({ messages: 200, limit: 50 });
    await server.control.faults({ path: 'chat-history', sessionId }, [{ status: { code: 401 } }, {}, { status: { code: 403 } }]);
    const seen = await page.evaluate(async () => {
      const told = [];
      for (let n = 0; n < 3; n += 1) {
        told.push(await view.pages.loadOlder());
        const { status, error, items } = view.pages.getSnapshot();
        told.push([status, error?.status ?? null, items.length]);
      }
      return told;
    });
    assert.deepEqual(seen, [true, ['idle', null, 100], false, ['error', 403, 100], true, ['idle', null, 150]]);
    await page.close();
  });

  test('an answer on its way and the message that it becomes are one item, with one key (W4-6)', async () => {
    const { page, sessionId } = await openPast({ messages: 20, limit: 10 });
    await server.control.recipe({ sessionId, events: 40, eventsPerSecond: 0 });
    const seen = await page.evaluate(async (id) => {
      const keys = new Set();
      let doubled = 0;
      view.pages.subscribe(({ items }) => {
        for (const { key, run } of items) if (run) keys.add(key);
        doubled += items.length - new Set(items.map(({ key }) => key)).size;
      }, { notify: 'sync' });
      const stream = view.client.send(id, 'What now?');
      const { text, status } = await stream.finished;
      const item = await new Promise((resolve) => {
        view.pages.subscribe(({ items }) => {
          const mine = items.find(({ run }) => run === stream);
          if (mine?.value?.status === 'complete') resolve(mine);
        });
      });
      const last = view.pages.getSnapshot().items.at(-1);
      return { keys: [...keys], doubled, status, isSame: item.value.content === text, isFinal: item.id !== item.value.pending_message_id, isLast: last === item };
    }, sessionId);
    assert.deepEqual({ ...seen, keys: seen.keys.length }, { keys: 1, doubled: 0, status: 'completed', isSame: true, isFinal: true, isLast: true });
    await page.close();
  });
});

test('the demo: older messages come without a jump, and the list of chats grows', async () => {
  await server.control.history({ sessions: 120, messages: 300 });
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(`${server.app}/?via=ws-chat.websocket-fetch-rest`);
  await stopWatchingNetwork(page);
  const earlier = page.getByTestId('earlier');
  await earlier.first().waitFor();
  const count = await earlier.count();
  await page.evaluate(() => { document.getElementById('chats').scrollTop = 1e6; });
  await page.waitForFunction((least) => document.querySelectorAll('[data-testid=earlier]').length > least, count);
  await page.locator('[data-session-id=past-110]').click();
  await page.locator('#past [data-key=h-299]').waitFor();
  const oldest = () => page.evaluate(() => document.querySelector('#past > *').dataset.key);
  const before = await oldest();
  // A row in sight, and where it is in each frame until the older ones are there.
  const moves = await page.evaluate(async (key) => {
    const scroller = document.getElementById('scroller');
    scroller.scrollTop = 40;
    const { top } = scroller.getBoundingClientRect();
    const row = [...document.querySelectorAll('#past > *')].find((one) => one.getBoundingClientRect().bottom > top);
    const place = row.getBoundingClientRect().top;
    const moved = new Set();
    for (let more = 3; more > 0;) {
      await new Promise((resolve) => { requestAnimationFrame(() => setTimeout(resolve)); });
      moved.add(row.getBoundingClientRect().top - place);
      if (document.querySelector('#past > *').dataset.key !== key) more -= 1;
    }
    return [...moved];
  }, before);
  // Heights are fractions of a pixel here, and a scroll position is not.
  assert.ok(moves.every((by) => Math.abs(by) < 1), `moved by ${moves}`);
  assert.notEqual(await oldest(), before);
  assert.deepEqual(errors, []);
  await page.close();
});
