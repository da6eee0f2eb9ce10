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
  contexts[colorScheme] ??= browser.newContext({ colorScheme, viewport: { width: 1280, height: 800 } });

before(async () => {
  browser = await launchBrowser();
  await mkdir(OUT, { recursive: true });
});
after(() => browser?.close());

class Demo {
  /** Lends the demo to `use`: in a page and on a server of its own, since its faults hit everybody. */
  static async with({ colorScheme = 'light', recipe }, use) {
    const server = await startServer();
    try {
      await server.control.recipe(recipe);
      const demo = await Demo.#open(server, colorScheme);
      await use(demo);
      await demo.#check();
    } finally {
      await server.stop();
    }
  }

  static async #open(server, colorScheme) {
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
    await demo.page.goto(server.app);
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
  async until(predicate, { limit, timeoutMs = 15_000 } = {}) {
    // As source text: the demo's own policy forbids to evaluate a string.
    const holds = `(snapshot) => snapshot && (${predicate})(snapshot, ${JSON.stringify(limit)}) ? snapshot : null`;
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const found = await this.page.evaluate(`(${holds})(demo.snapshot)`);
      if (found) return found;
      if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${predicate}`);
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
  }

  hasStreamed(units) {
    return this.until(({ text }, least) => text.length >= least, { limit: units });
  }

  /** The answer on the screen is the one that the server wrote, by the demo's own comparison and by ours. */
  async assertWhole() {
    const { runId, text, parts } = await this.until(({ status }) => status === 'completed', { timeoutMs: 30_000 });
    const truth = await this.control.truth(runId);
    assert.equal(text, truth.text);
    assert.deepEqual(parts, truth.parts);
    await this.page.waitForFunction(() => [...document.querySelectorAll('[data-role=assistant]')].at(-1).dataset.proof === 'identical');
  }

  async #check() {
    const shift = await this.page.evaluate(() => window.shifts.reduce((sum, value) => sum + value, 0));
    assert.deepEqual(this.errors, [], 'nothing to read in the console');
    assert.ok(shift <= MOST_LAYOUT_SHIFT, `the layout shifted by ${shift}`);
    await this.page.close();
  }
}

/** Enough for a fault or two while the answer comes, at a pace that somebody could watch. */
const ANSWER = { seed: 7, events: 220, eventsPerSecond: 60 };
/** Long enough for several cuts on a slow machine, too. */
const LONGER = { ...ANSWER, events: 720, eventsPerSecond: 80 };
const LONG = { ...ANSWER, events: 1200, eventsPerSecond: 160 };
const FAILING = { ...ANSWER, events: 60, ending: 'error', error: 'internal error' };

describe('the demo', { concurrency: 3 }, () => {
  test('an answer streams with its reasoning and tools, and is whole', () => Demo.with({ recipe: ANSWER }, async (demo) => {
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
    test(`cut now, cut every second, restart: the text stays, and what follows is whole [${transport}]`, () => Demo.with({ recipe: LONGER }, async (demo) => {
      // fetch is chosen already.
      await demo.page.locator('label', { has: demo.get(`transport-${transport}`) }).click();
      await demo.ask('Why did the numbers change?');
      const before = await demo.hasStreamed(60);
      await demo.get('fault-cut').click();
      await demo.page.waitForFunction(() => demo.drops >= 1);
      assert.ok((await demo.snapshot()).text.startsWith(before.text), 'what was there stays');
      await demo.until(({ connection }) => connection.state === 'open');
      await demo.get('fault-cut-every').click();
      await demo.page.waitForFunction(() => demo.drops >= 3, undefined, { timeout: 30_000 });
      await demo.get('fault-clear').click();
      await demo.get('fault-restart').click();
      await demo.assertWhole();
      assert.equal((await demo.control.counters()).runsStarted, 1);
      assert.equal((await demo.snapshot()).connection.transport, transport);
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

  test('a reload in the middle loses nothing', () => Demo.with({ recipe: ANSWER }, async (demo) => {
    await demo.ask('Why did the numbers change?');
    await demo.hasStreamed(60);
    await demo.page.reload();
    await demo.assertWhole();
    const { runsStarted, requests } = await demo.control.counters();
    assert.deepEqual({ runsStarted, stop: requests.stop }, { runsStarted: 1, stop: 0 });
  }));

  test('a chat that is left goes on, and the sidebar tells when its answer is there', () => Demo.with({ recipe: ANSWER }, async (demo) => {
    await demo.ask('Why did the numbers change?');
    await demo.hasStreamed(40);
    await demo.get('new-chat').click();
    await demo.page.locator('[data-testid=session][data-mark=live]').waitFor();
    await demo.page.locator('[data-testid=session][data-mark=news]').click({ timeout: 20_000 });
    await demo.assertWhole();
  }));

  for (const colorScheme of ['light', 'dark']) {
    // This seed's answer has code to show, and few of the scripts that a test machine may lack the fonts for.
    const recipe = { ...LONG, seed: 1 };
    test(`screenshots of an answer mid-stream and mid-reconnect, ${colorScheme}`, () => Demo.with({ colorScheme, recipe }, async (demo) => {
      await demo.ask('What changed in the orders, and where do the refunds hide?');
      await demo.until(({ text, parts }) => text.length > 700 && parts.some(({ type }) => type === 'tool'));
      assert.equal(await demo.get('badge').getAttribute('data-state'), 'open');
      await demo.page.screenshot({ path: `${OUT}demo-streaming-${colorScheme}.png` });
      await demo.get('fault-offline').click();
      await demo.until(({ connection }) => connection.state === 'reconnecting' && connection.attempt >= 1);
      assert.equal(await demo.get('badge').getAttribute('data-state'), 'reconnecting');
      await demo.get('badge').evaluate((badge) => Promise.all(badge.getAnimations().map(({ finished }) => finished)));
      await demo.page.screenshot({ path: `${OUT}demo-reconnecting-${colorScheme}.png` });
      const held = (await demo.snapshot()).text;
      await demo.assertWhole();
      assert.ok((await demo.snapshot()).text.startsWith(held));
    }));
  }
});
