// The demo as its user meets it: ask, watch, break the connection, stop, retry, reload. Leaves screenshots in .out/.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { after, before, describe, test } from 'node:test';
import { launchBrowser, stopWatchingNetwork } from './support/browser.mjs';
import { BROWSER_NOISE } from './support/lab.mjs';
import { startServer } from './support/server.mjs';

const OUT = fileURLToPath(new URL('.out/', import.meta.url));
/** Anything above is text that jumped. */
const MOST_LAYOUT_SHIFT = 0.01;

let browser;
const contexts = {};
/** One for all demos of a scheme; their servers have ports of their own, and so the pages connections of their own. */
const contextFor = (colorScheme) =>
  contexts[colorScheme] ??= browser.newContext({
    colorScheme, viewport: { width: 1280, height: 800 }, permissions: ['clipboard-read', 'clipboard-write'],
  });

before(async () => {
  browser = await launchBrowser();
  await mkdir(OUT, { recursive: true });
});
after(() => browser?.close());

class Demo {
  /**
   * Lends the demo to `use`: in a page and on a server of its own, since its faults hit everybody. `via`: a ladder's id.
   * `proxied`: through the proxy, as `make demo` serves it.
   */
  static async with({ colorScheme = 'light', recipe, via, proxied = false }, use) {
    const server = await startServer();
    try {
      await server.control.recipe(recipe);
      const url = `${proxied ? server.proxy : server.app}/${via ? `?via=${via}` : ''}`;
      const demo = await Demo.#open(server, url, colorScheme);
      await use(demo);
      await demo.#check();
    } finally {
      await server.stop();
    }
  }

  static async #open(server, url, colorScheme) {
    const demo = new Demo();
    demo.control = server.control;
    demo.page = await (await contextFor(colorScheme)).newPage();
    demo.errors = [];
    demo.page.on('pageerror', (error) => demo.errors.push(String(error)));
    demo.page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type()) && !BROWSER_NOISE.test(message.text())) demo.errors.push(message.text());
    });
    await demo.page.addInitScript(() => {
      window.shifts = [];
      new PerformanceObserver((list) => {
        for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) window.shifts.push(value);
      }).observe({ type: 'layout-shift', buffered: true });
    });
    await demo.page.goto(url);
    await stopWatchingNetwork(demo.page);
    return demo;
  }

  get(id) {
    return this.page.getByTestId(id);
  }

  get answer() {
    return this.page.locator('[data-testid=message][data-role=assistant]').last();
  }

  async ask(question) {
    await this.get('message-box').fill(question);
    await this.get('message-box').press('Enter');
  }

  snapshot() {
    return this.page.evaluate(() => demo.snapshot);
  }

  /** Waits in the page until its snapshot fulfils `predicate`, which sees nothing of this module but `limit`; gives it. */
  async until(predicate, { limit, timeoutMs = 30_000 } = {}) {
    // As source text: the demo's own policy forbids to evaluate a string.
    const holds = `(snapshot) => snapshot && (${predicate})(snapshot, ${JSON.stringify(limit)}) ? snapshot : null`;
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const found = await this.page.evaluate(`(${holds})(demo.snapshot)`);
      if (found) return found;
      if (performance.now() > deadline) {
        const { status, connection } = await this.snapshot() ?? {};
        throw new Error(`waited ${timeoutMs} ms for ${predicate}; the run is ${status}, its connection ${JSON.stringify(connection)}`);
      }
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
  }

  hasStreamed(units) {
    return this.until(({ text }, least) => text.length >= least, { limit: units });
  }

  /** The answer on the screen is the one that the server wrote, by the demo's own comparison and by ours. */
  async assertWhole() {
    await this.control.now('goOn');
    const { runId, sessionId, text, parts } = await this.until(({ status }) => status === 'completed');
    const isUi = (await this.control.runs(sessionId))[0]?.protocol === 'ui-message';
    const truth = await this.control.truth(isUi ? undefined : runId, sessionId);
    assert.equal(text, truth.text);
    if (!isUi) assert.deepEqual(parts, truth.parts);
    await this.page.waitForFunction(() => [...document.querySelectorAll('[data-role=assistant]')].at(-1).dataset.proof === 'identical');
  }

  async #check() {
    const shift = await this.page.evaluate(() => window.shifts.reduce((sum, value) => sum + value, 0));
    assert.deepEqual(this.errors, [], 'nothing to read in the console');
    assert.ok(shift <= MOST_LAYOUT_SHIFT, `the layout shifted by ${shift}`);
    await this.page.close();
  }
}

/** At a pace that somebody could watch. */
const ANSWER = { seed: 7, events: 120, eventsPerSecond: 60 };
/** These wait for `assertWhole`: whatever happens to them, happens in their middle. */
const HELD = { ...ANSWER, events: 220, holdAt: 180 };
const LONG = { ...ANSWER, events: 900, eventsPerSecond: 160, holdAt: 800 };
const FAILING = { ...ANSWER, events: 60, ending: 'error', error: 'internal error' };

describe('the demo', { concurrency: 4 }, () => {
  test('an answer streams with its reasoning and tools, and is whole', () => Demo.with({ recipe: HELD }, async (demo) => {
    await demo.ask('Why did the numbers change?');
    await demo.get('stop').waitFor();
    assert.equal(await demo.get('composer').getAttribute('data-state'), 'live');
    await demo.hasStreamed(40);
    assert.equal(await demo.get('badge').getAttribute('data-state'), 'open');
    await demo.assertWhole();
    assert.ok(await demo.get('reasoning').count() > 0);
    assert.ok(await demo.get('tool-call').count() > 0);
    const blocks = (await demo.snapshot()).blocks.length;
    assert.equal(await demo.get('text-block').count(), blocks);
    await demo.get('send').waitFor();
    assert.equal(await demo.get('composer').getAttribute('data-state'), 'idle');
    assert.equal(await demo.get('error-banner').isVisible(), false);
  }));

  for (const transport of ['fetch', 'eventsource']) {
    const via = `bichat.${transport}`;
    test(`cut now, cut every second, restart: the text stays, and what follows is whole [${transport}]`, () => Demo.with({ recipe: LONG, via }, async (demo) => {
      await demo.ask('Why did the numbers change?');
      const before = await demo.hasStreamed(60);
      await demo.get('fault-cut').click();
      await demo.page.waitForFunction(() => demo.drops >= 1);
      assert.ok((await demo.snapshot()).text.startsWith(before.text), 'what was there stays');
      await demo.until(({ connection }) => connection.state === 'open');
      await demo.get('fault-cut-every').click();
      await demo.page.waitForFunction(() => demo.drops >= 3);
      await demo.get('fault-clear').click();
      await demo.get('fault-restart').click();
      await demo.assertWhole();
      assert.equal((await demo.control.counters()).runsStarted, 1);
      assert.equal((await demo.snapshot()).connection.transport, transport);
    }));
  }

  for (const via of ['ui-message.fetch', 'envelope.fetch', 'envelope.eventsource']) {
    test(`an answer that is cut, and whose page is reloaded, is whole [${via}]`, () => Demo.with({ recipe: HELD, via }, async (demo) => {
      await demo.ask('Why did the numbers change?');
      await demo.hasStreamed(60);
      await demo.get('fault-cut').click();
      await demo.page.waitForFunction(() => demo.drops >= 1);
      const { text } = await demo.hasStreamed(200);
      // What is kept paints first.
      await demo.page.addInitScript(() => {
        requestAnimationFrame(function look() {
          if (!window.demo?.snapshot) requestAnimationFrame(look);
          else window.firstText = window.demo.snapshot.text;
        });
      });
      await demo.page.reload();
      await demo.page.waitForFunction(() => window.firstText !== undefined);
      const first = await demo.page.evaluate(() => window.firstText);
      assert.ok(first.startsWith(text), `${first.length} of ${text.length} units`);
      await demo.assertWhole();
      assert.ok(await demo.get('reasoning').count() > 0);
      assert.ok(await demo.get('tool-call').count() > 0);
      assert.equal((await demo.control.counters()).runsStarted, 1);
    }));
  }

  test('Stop stops at the server, and the line says so', () => Demo.with({ recipe: LONG }, async (demo) => {
    await demo.ask('A long answer, please');
    await demo.hasStreamed(60);
    await demo.get('stop').click();
    const { status, runId, text } = await demo.until((snapshot) => snapshot.status === 'cancelled');
    assert.equal(status, 'cancelled');
    assert.ok((await demo.control.truth(runId)).text.startsWith(text));
    const { requests, runsStarted } = await demo.control.counters();
    assert.deepEqual({ stop: requests.stop, events: requests.events, runsStarted }, { stop: 1, events: 1, runsStarted: 1 });
    assert.equal(await demo.get('run-state').last().getAttribute('data-mood'), 'calm');
    await demo.get('send').waitFor();
  }));

  test('a message that is sent while offline waits, and goes out when the network is back', () => Demo.with({ recipe: ANSWER }, async (demo) => {
    // The page's own: the others of its context are online.
    const session = await demo.page.context().newCDPSession(demo.page);
    const setOffline = (offline) => session.send('Network.emulateNetworkConditions', { offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
    await session.send('Network.enable');
    await setOffline(true);
    await demo.ask('Are you there?');
    const question = demo.page.locator('[data-testid=message][data-role=user]').last();
    await demo.page.locator('[data-testid=message][data-role=user][data-send=pending]').waitFor();
    await demo.until(({ connection }) => connection.state === 'offline');
    await demo.page.waitForFunction(() => document.querySelector('[data-testid=activity]').textContent.includes('Your message goes out when the network is back'));
    await demo.page.screenshot({ path: `${OUT}demo-unsent.png` });
    assert.equal((await demo.control.counters()).requests.stream, 0);
    await setOffline(false);
    await demo.assertWhole();
    assert.equal(await question.getAttribute('data-send'), 'confirmed');
    assert.equal((await demo.control.counters()).runsStarted, 1);
  }));

  test('a failed run shows its banner, and Retry brings another answer', () => Demo.with({ recipe: FAILING }, async (demo) => {
    await demo.ask('Try this');
    const failed = await demo.until(({ status }) => status === 'failed');
    assert.notEqual(failed.text, '', 'partial text survives');
    assert.equal(await demo.get('error-banner').getAttribute('data-code'), 'server-error');
    await demo.control.recipe({ ...ANSWER, ending: 'done' });
    await demo.get('retry').click();
    await demo.assertWhole();
    assert.equal(await demo.get('error-banner').isVisible(), false);
    assert.equal((await demo.control.counters()).runsStarted, 2);
  }));

  test('a reload in the middle loses nothing', () => Demo.with({ recipe: HELD }, async (demo) => {
    await demo.ask('Why did the numbers change?');
    await demo.hasStreamed(60);
    await demo.page.reload();
    await demo.assertWhole();
    const { runsStarted, requests } = await demo.control.counters();
    assert.deepEqual({ runsStarted, stop: requests.stop }, { runsStarted: 1, stop: 0 });
  }));

  test('a chat that is left goes on, and the sidebar tells when its answer is there', () => Demo.with({ recipe: HELD }, async (demo) => {
    await demo.ask('Why did the numbers change?');
    await demo.hasStreamed(40);
    await demo.get('new-chat').click();
    await demo.page.locator('[data-testid=session][data-mark=live]').waitFor();
    await demo.control.now('goOn');
    await demo.page.locator('[data-testid=session][data-mark=news]').click();
    await demo.assertWhole();
  }));

  test('what runs in a chat by another device is in the sidebar, and so is its end', () => Demo.with({ recipe: ANSWER }, async (demo) => {
    await demo.ask('How do tides work?');
    await demo.assertWhole();
    const sessionId = await demo.page.evaluate(() => globalThis.demo.sessionId);
    await demo.get('new-chat').click();
    const row = (mark) => demo.page.locator(`[data-session-id="${sessionId}"][data-mark=${mark}]`);
    await row('none').waitFor();
    await demo.control.recipe({ sessionId, ...HELD, start: true });
    await row('live').waitFor();
    await demo.control.now('goOn', { sessionId });
    await row('news').click();
    await row('none').waitFor();
  }));

  test('the transport is chosen by protocol and ladder, and a reload keeps the choice and the answer', () => Demo.with({ recipe: HELD }, async (demo) => {
    const ladder = demo.get('ladder-ws-chat.websocket-fetch-rest');
    assert.ok(await demo.get('ladder-bichat.fetch').isChecked());
    await demo.get('protocol-bichat').focus();
    await demo.page.keyboard.press('ArrowRight');
    assert.ok(await demo.get('protocol-ws-chat').isChecked());
    assert.ok(await ladder.isChecked());
    assert.equal(await demo.get('ladder-bichat.fetch').isVisible(), false);
    await demo.ask('Why did the numbers change?');
    await demo.hasStreamed(60);
    assert.equal(await demo.get('badge').getAttribute('data-transport'), 'websocket');
    assert.equal(await demo.get('badge').innerText(), 'Connected\nWebSocket');
    await demo.page.reload();
    assert.ok(await ladder.isChecked());
    await demo.assertWhole();
    assert.equal((await demo.control.counters()).runsStarted, 1);
    await demo.ask('And now?');
    await demo.hasStreamed(1);
    const { sends, requests } = await demo.control.counters();
    assert.deepEqual(Object.values(sends), [{ websocket: 1, post: 0 }, { websocket: 1, post: 0 }]);
    assert.equal(requests.stream, 0);
  }));

  test('the badge counts the seconds down, and nothing else moves', () => Demo.with({ recipe: LONG }, async (demo) => {
    await demo.ask('Why did the numbers change?');
    await demo.hasStreamed(40);
    await demo.control.now('status', { code: 503, retryAfter: 3 });
    await demo.page.evaluate(() => {
      window.ticks = [];
      window.said = [];
      window.redrawn = 0;
      const countdown = document.querySelector('[data-testid=badge-countdown]');
      const options = { childList: true, characterData: true, subtree: true };
      new MutationObserver(() => {
        window.ticks.push(countdown.textContent);
        if (window.ticks.length === 1) new MutationObserver(() => { window.redrawn += 1; }).observe(document.getElementById('transcript'), options);
      }).observe(countdown, options);
      const announcer = document.getElementById('announcer');
      new MutationObserver(() => { window.said.push(announcer.textContent); }).observe(announcer, options);
    });
    await demo.get('fault-cut').click();
    // The wait before the first attempt, which the server then refuses, is a countdown as well.
    // On a machine that stands still for a second a number is passed over, and the next countdown is looked at.
    await demo.page.waitForFunction(() => window.ticks.slice(-3).join() === 'in 3\u00a0s,in 2\u00a0s,in 1\u00a0s');
    const { ticks, said, redrawn } = await demo.page.evaluate(() => ({ ticks: window.ticks, said: window.said, redrawn: window.redrawn }));
    await demo.control.now('clear');
    assert.ok(ticks.every((tick) => /^(in [1-3]\u00a0s)?$/.test(tick)), ticks.join());
    assert.deepEqual(said.filter((words) => words.includes('Reconnecting')), ['Connection lost. Reconnecting.']);
    assert.equal(redrawn, 0);
    await demo.until(({ connection }) => connection.state !== 'reconnecting');
    assert.equal(await demo.get('badge-countdown').innerText(), '');
  }));

  test('the badge tells the latency once it is known', () => Demo.with({ recipe: ANSWER }, async (demo) => {
    // A real ping comes after half a minute of silence.
    const words = await demo.page.evaluate(async () => {
      const { Badge } = await import('/badge.js');
      const element = document.createElement('div');
      const badge = new Badge(element);
      const open = { state: 'open', attempt: 0, retryAt: null, transport: 'websocket', error: null };
      return [null, 42].map((latency) => {
        badge.show({ ...open, latency });
        return element.querySelector('[data-testid=badge-via]').textContent;
      });
    });
    assert.deepEqual(words, ['WebSocket', 'WebSocket · 42\u00a0ms']);
  }));

  for (const via of ['bichat.fetch', 'ws-chat.websocket-fetch-rest']) {
    test(`the server is pulled away in mid-answer and brought back: nothing on the screen is lost [${via}]`, () => Demo.with({ recipe: HELD, via, proxied: true }, async (demo) => {
      await demo.ask('Why did the numbers change?');
      const { text: before } = await demo.hasStreamed(60);
      assert.equal(await demo.get('fault-blackhole').isVisible(), true);
      await demo.get('fault-away').click();
      const { text: held } = await demo.until(({ connection }) => connection.state === 'reconnecting');
      assert.ok(held.startsWith(before));
      const shown = demo.answer.locator('.parts');
      const stood = await shown.innerText();
      await demo.until(({ connection }) => connection.attempt >= 2);
      assert.equal(await shown.innerText(), stood);
      assert.equal(await demo.get('fault-away').getAttribute('aria-pressed'), 'true');
      await demo.get('fault-away').click();
      await demo.until(({ connection }) => connection.state === 'open' || connection.state === 'closed');
      assert.equal(await demo.get('fault-away').getAttribute('aria-pressed'), 'false');
      await demo.assertWhole();
      assert.equal((await demo.control.counters()).runsStarted, 1);
      // What grew piece by piece is what the whole looks like at once.
      const grown = await shown.innerText();
      await demo.page.reload();
      assert.equal(await shown.innerText(), grown);
    }));
  }

  test('the trace tells how the ladder fell back, and can be copied', () => Demo.with({ recipe: ANSWER, via: 'ws-chat.websocket-fetch-rest' }, async (demo) => {
    assert.equal(await demo.get('trace').isVisible(), false);
    await demo.get('trace-button').focus();
    await demo.page.keyboard.press('Enter');
    assert.equal(await demo.get('trace').isVisible(), true);
    await demo.get('fault-no-websocket').click();
    await demo.page.locator('[data-testid=fault-no-websocket][aria-pressed=true]').waitFor();
    await demo.ask('Why did the numbers change?');
    await demo.assertWhole();
    await demo.page.waitForFunction(() => demo.trace.at(-1).what === 'settled');
    const trace = await demo.page.evaluate(() => demo.trace);
    const first = (what) => trace.findIndex((entry) => entry.what === what);
    const steps = ['attempt', 'lost', 'waiting', 'switched', 'opened', 'first-token', 'settled'].map(first);
    assert.equal(steps[0], 0);
    assert.deepEqual(steps, steps.toSorted((a, b) => a - b));
    assert.deepEqual([...new Set(trace.map(({ transport }) => transport))], ['websocket', 'fetch']);
    const rows = await demo.get('trace-entry').evaluateAll((all) => all.map(({ dataset }) => dataset.what));
    assert.deepEqual(rows, trace.map(({ what }) => what), 'a row for each, newest last');
    await demo.get('trace-copy').click();
    await demo.page.waitForFunction(() => document.querySelector('[data-testid=trace-copy]').textContent === 'Copied');
    const [head, ...lines] = (await demo.page.evaluate(() => navigator.clipboard.readText())).trim().split('\n');
    assert.match(head, /^session \S+ run \S+ over ws-chat\.websocket-fetch-rest$/);
    assert.equal(lines.length, trace.length);
    assert.match(lines.find((line) => line.includes(' lost ')), /^\S+Z websocket +lost +code=connect-failed status=1006$/);
  }));

  for (const colorScheme of ['light', 'dark']) {
    // This seed's answer has code to show, and few of the scripts that a test machine may lack the fonts for.
    const recipe = { ...LONG, seed: 1 };
    test(`screenshots of an answer mid-stream and mid-reconnect, ${colorScheme}`, () => Demo.with({ colorScheme, recipe }, async (demo) => {
      await demo.ask('What changed in the orders, and where do the refunds hide?');
      await demo.until(({ text, parts }) => text.length > 700 && parts.some(({ type }) => type === 'tool'));
      assert.equal(await demo.get('badge').getAttribute('data-state'), 'open');
      await demo.page.screenshot({ path: `${OUT}demo-streaming-${colorScheme}.png` });
      await demo.get('fault-away').click();
      await demo.until(({ connection }) => connection.state === 'reconnecting' && connection.attempt >= 1);
      assert.equal(await demo.get('badge').getAttribute('data-state'), 'reconnecting');
      await demo.get('badge').evaluate((badge) => Promise.all(badge.getAnimations().map(({ finished }) => finished)));
      await demo.page.screenshot({ path: `${OUT}demo-reconnecting-${colorScheme}.png` });
      const held = (await demo.snapshot()).text;
      await demo.get('fault-away').click();
      await demo.assertWhole();
      assert.ok((await demo.snapshot()).text.startsWith(held));
    }));
  }
});
