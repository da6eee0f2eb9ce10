// Tabs that can really be hidden and frozen. Playwright keeps every page visible and focused, so this speaks to Chromium
// directly, over its pipe.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FLAGS, findChrome } from './browser.mjs';
import { Lab } from './lab.mjs';
import { until } from './until.mjs';

/** The DevTools protocol over file descriptors 3 and 4: JSON texts with a zero byte behind each. */
class Pipe {
  #child;
  #last = 0;
  #waiting = new Map();
  #received = '';

  constructor(child) {
    this.#child = child;
    child.stdio[4].setEncoding('utf8').on('data', (text) => this.#take(text));
  }

  #take(text) {
    const messages = (this.#received + text).split('\0');
    this.#received = messages.pop();
    for (const { id, result, error } of messages.map((message) => JSON.parse(message))) {
      const { resolve, reject } = this.#waiting.get(id) ?? {};
      this.#waiting.delete(id);
      if (error) reject?.(new Error(error.message));
      else resolve?.(result);
    }
  }

  send(method, params = {}, sessionId = undefined) {
    this.#last += 1;
    this.#child.stdio[3].write(`${JSON.stringify({ id: this.#last, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => { this.#waiting.set(this.#last, { resolve, reject }); });
  }
}

/** As much of a Playwright page as Lab needs. */
class Tab {
  #pipe;
  #targetId;
  #sessionId;

  static async attach(pipe, targetId) {
    const tab = new Tab();
    tab.#pipe = pipe;
    tab.#targetId = targetId;
    ({ sessionId: tab.#sessionId } = await pipe.send('Target.attachToTarget', { targetId, flatten: true }));
    return tab;
  }

  on() {}

  async goto(url) {
    await this.#send('Page.navigate', { url });
  }

  async evaluate(fn, arg) {
    const expression = `(${fn})(${JSON.stringify(arg)})`;
    const { result, exceptionDetails } = await this.#send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  waitForFunction(fn, arg, { timeout } = {}) {
    return until(() => this.evaluate(fn, arg).catch(() => false), String(fn), timeout);
  }

  /** Brings the tab to the front: the others are hidden then. */
  show() {
    return this.#pipe.send('Target.activateTarget', { targetId: this.#targetId });
  }

  freeze() {
    return this.#send('Page.setWebLifecycleState', { state: 'frozen' });
  }

  thaw() {
    return this.#send('Page.setWebLifecycleState', { state: 'active' });
  }

  /** What the page is told of the network. Requests are let through all the same: one that should not be made is seen. */
  tellOffline(offline) {
    return this.#send('Network.emulateNetworkConditions', { offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
  }

  /** Goes to another page, one without a lab. */
  async leave(url) {
    await this.goto(url);
    await this.waitForFunction((there) => location.href === there, url);
  }

  /** Comes back by the back button, to a page with a lab. */
  async back() {
    await this.evaluate(() => history.back());
    await this.waitForFunction(() => window.lab);
  }

  close() {
    return this.#pipe.send('Target.closeTarget', { targetId: this.#targetId });
  }

  #send(method, params) {
    return this.#pipe.send(method, params, this.#sessionId);
  }
}

/** A browser with two tabs: a lab, and another one to look at instead. */
export async function openTabs(url) {
  const profile = await mkdtemp(join(tmpdir(), 'steadystream-'));
  const child = spawn(findChrome(), ['--headless', ...FLAGS, '--remote-debugging-pipe', `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((resolve) => { child.once('exit', resolve); });
  const pipe = new Pipe(child);
  const open = async () => Tab.attach(pipe, (await pipe.send('Target.createTarget', { url: 'about:blank' })).targetId);
  const tab = await open();
  const lab = new Lab(tab, {});
  await lab.load(url);
  const other = await open();
  await tab.show();
  // As a machine that sleeps does it to them all: no event tells of it, and clocks go on.
  let asleep = [];
  const signal = (name) => asleep.forEach((id) => process.kill(id, name));
  const wake = () => {
    signal('SIGCONT');
    asleep = [];
  };
  return {
    lab,
    tab,
    other,
    async sleep() {
      const { processInfo } = await pipe.send('SystemInfo.getProcessInfo');
      asleep = processInfo.map(({ id }) => id);
      signal('SIGSTOP');
    },
    wake,
    async close() {
      wake();
      child.kill();
      await ended;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
