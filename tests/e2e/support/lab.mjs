// A bare page with the package in it, driven from here. What the page promises to watch is in pages/lab.js.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { stopWatchingNetwork } from './browser.mjs';

/** Quick enough for a test, with the same shape as the defaults. */
export const QUICK = { retry: { baseMs: 20, capMs: 200 } };

/** Comes back when the test says so, and not before. */
export const AWAY = { retry: { baseMs: 60_000, capMs: 60_000, jitter: 'none' } };

// What the browser itself says of requests that fail; ours to cause, not ours to avoid.
export const BROWSER_NOISE = /^Failed to load resource|^EventSource's response has|net::ERR_|^WebSocket connection to|has been blocked by CORS/;

let hosts = 0;

/** Browsers take every name under localhost for this machine. */
function ownOrigin({ app }) {
  const url = new URL(app);
  hosts += 1;
  return `http://lab${hosts}.localhost:${url.port}`;
}

export class Lab {
  /** Errors that reached the page's console or window: a test that expects some takes them away. */
  errors = [];

  constructor(page, context, server, isAlone) {
    this.server = server;
    this.isAlone = isAlone;
    this.page = page;
    this.context = context;
    page.on('pageerror', (error) => this.errors.push(String(error.stack ?? error)));
    page.on('console', (message) => {
      if (message.type() === 'error' && !BROWSER_NOISE.test(message.text())) this.errors.push(message.text());
    });
  }

  /**
   * A page in `context`, under a host name of its own, and so with connections of its own: the browser's limit is six to one
   * host, and a context costs ten times what a page does. `origin`: under this one instead. `clock`: its time may be moved.
   */
  static async open(context, server, { origin, query = '', clock = false, isAlone = false } = {}) {
    if (clock) await context.clock.install();
    const lab = new Lab(await context.newPage(), context, server, isAlone || clock);
    await lab.load(`${origin ?? ownOrigin(server)}/tests/bare.html${query}`);
    // A browser that is told to be offline has to be watched.
    if (!isAlone) await stopWatchingNetwork(lab.page);
    return lab;
  }

  async load(url) {
    await this.page.goto(url);
    await this.#ready();
  }

  async reload() {
    await this.page.reload();
    await this.#ready();
  }

  async #ready() {
    try {
      await this.page.waitForFunction(() => window.lab, undefined, { timeout: 30_000 });
    } catch (cause) {
      throw new Error(`the package does not load: ${this.errors.join('; ') || 'is pkg/wasm built?'}`, { cause });
    }
  }

  /**
   * Begins a run and gives its key. `client`: `{ name, options }`, QUICK and the fetch transport unless said otherwise.
   * Null when `via: 'resume'` found nothing.
   */
  async start({ key = randomUUID(), client = {}, ...rest }) {
    const options = { transports: ['fetch'], ...QUICK, ...client.options };
    const name = client.name ?? JSON.stringify(options);
    const begun = await this.page.evaluate((args) => lab.start(args), { key, client: { name, options }, ...rest });
    return begun === null ? null : key;
  }

  /** Sends a message in a new session and waits for its first text. */
  async begin(control, recipe, { transport = 'fetch', options = {}, ...rest } = {}) {
    const sessionId = randomUUID();
    await control.recipe({ sessionId, ...recipe });
    const client = { name: 'main', options: { transports: [transport], ...options } };
    const key = await this.start({ sessionId, requestId: randomUUID(), client, ...rest });
    await this.until(key, ({ text }) => text !== '');
    return { key, sessionId };
  }

  /** The report of a run that has settled in time; throws where it has not. */
  async settled(key, timeoutMs = 60_000) {
    const report = await this.page.evaluate(([of, ms]) => lab.settled(of, ms), [key, timeoutMs]);
    if (report.timedOut) {
      const { snapshot, connections, chunks } = report;
      const { text, parts, blocks, ...rest } = snapshot ?? { chunks };
      assert.fail(`not settled after ${timeoutMs} ms: ${JSON.stringify({ text: text?.length, ...rest, connections })}`);
    }
    return report;
  }

  /** Opens `run` again and again in the page, each time with another fault for its event log, and gives the reports. */
  openAll({ run, steps, transport, timeoutMs = 60_000 }) {
    const options = { transports: [transport], ...QUICK };
    return this.page.evaluate((args) => lab.openAll(args), {
      control: `${this.server.controlOrigin}/control`, scope: { sessionId: run.sessionId, path: 'events' },
      run, steps, client: { name: JSON.stringify(options), options }, timeoutMs,
    });
  }

  report(key) {
    return this.page.evaluate((of) => lab.report(of), key);
  }

  snapshot(key) {
    return this.page.evaluate((of) => lab.snapshot(of), key);
  }

  /** Waits in the page until a snapshot of the run fulfils `predicate`, which sees nothing of this module. */
  async until(key, predicate, timeout = 60_000) {
    await this.page.waitForFunction(
      ([of, source]) => (0, eval)(`(${source})`)(lab.snapshot(of)), // eslint-disable-line no-eval
      [key, String(predicate)],
      { timeout, polling: 10 },
    );
  }

  /** Hides the page and shows it again, as far as its scripts can tell: what waits to connect does so now. */
  comeBack() {
    return this.page.evaluate(() => {
      for (const hidden of [true, false]) {
        Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      }
      delete document.hidden;
    });
  }

  /**
   * Has a run, which is held by its recipe, end at the server while the page has no connection: it is cut once there is text,
   * and comes back when all is over. Its client was made with AWAY.
   */
  async endUnread(key, sessionId) {
    const { control } = this.server;
    await this.until(key, ({ text }) => text !== '');
    await control.now('cut', { sessionId, how: 'rst' });
    await this.until(key, ({ connection }) => connection.state === 'reconnecting');
    await control.now('goOn', { sessionId });
    await control.truth(undefined, sessionId);
    await this.comeBack();
  }

  /** Closes all clients and holds the page to having nothing left: no timer, no connection, no error. */
  async clear() {
    const left = await this.page.evaluate(() => lab.clear());
    assert.deepEqual(left, { timers: 0, connections: 0 }, 'left over after all clients were closed');
    assert.deepEqual(this.errors.splice(0), [], 'errors in the page');
  }

  close() {
    return this.isAlone ? this.context.close() : this.page.close();
  }
}
