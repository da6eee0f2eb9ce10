// Tabs that share one run of one server, and what has to be true of them at all times.
import assert from 'node:assert/strict';
import { VERSION } from '../../pkg/lib/tabs/channel.js';
import { Chance } from '../e2e/support/schedule.mjs';
import { Browser } from './fake-browser.mjs';
import { Run, Server } from './fake-run.mjs';

export const CHANNEL = `steadystream/${VERSION}/scope`;
export const LOCK = `${CHANNEL}/run`;

export class World {
  failures = [];
  /** What was posted by tabs of ours: { tab, kind, … }. */
  posts = [];
  runs = new Map();            // tab -> run
  #names = new Map();          // how tabs call themselves -> tab
  #count = 0;

  constructor(seed, kind = {}) {
    this.kind = { cursors: true, isWhole: false, lineEnd: '\n', padding: 0, ...kind };
    this.chance = new Chance(seed);
    this.browser = new Browser(this.chance);
    this.server = new Server(this.browser, this.kind);
    this.browser.spy = (tab, message) => {
      if (tab.isForeign) return;
      this.#names.set(message.from, tab);
      this.posts.push({ tab, ...message });
      const to = this.#names.get(message.to);
      if (message.kind === 'alone' && to) to.isAlone = true;
    };
  }

  /** Plays `fn(world)` with the browser's globals in the place of Node's. */
  static async play(seed, kind, fn) {
    const world = new World(seed, kind);
    world.browser.install();
    try {
      await fn(world);
    } finally {
      world.browser.uninstall();
    }
  }

  get tabs() {
    return [...this.runs.keys()];
  }

  get living() {
    return [...this.runs].filter(([tab, run]) => !tab.isDead && !run.isOver);
  }

  /** A new tab with a run. */
  async join(options) {
    const tab = this.browser.add(`tab ${this.#count += 1}`);
    await this.open(tab, options);
    return tab;
  }

  /** The page of a tab begins its run, for the first time or again. */
  open(tab, options) {
    return this.browser.run(tab, () => {
      this.runs.set(tab, new Run(this, tab, options));
    });
  }

  async leave(tab) {
    await this.browser.run(tab, () => this.runs.get(tab).leave());
  }

  die(tab) {
    tab.die();
    for (const connection of this.server.connections) if (connection.tab === tab) this.server.connections.delete(connection);
  }

  have(tab) {
    return this.runs.get(tab).have;
  }

  get holder() {
    return this.browser.locks.holderOf(LOCK);
  }

  said(kind) {
    return this.posts.filter((post) => post.kind === kind);
  }

  /** Lets `ms` pass, and looks after each task. */
  async pass(ms, isDone = () => false) {
    return this.browser.pass(ms, () => {
      this.#look();
      return isDone();
    });
  }

  #look() {
    if (this.failures.length > 0) assert.fail(this.failures[0]);
    for (const { tab, isOwn } of this.server.connections) {
      // One that has lost its lock while it slept learns of that with its next task.
      if (isOwn || tab.isAlone || tab.robbed.size > 0 || this.browser.locks.isRefused) continue;
      if (this.holder !== tab) assert.fail(`${tab.name} has a connection without the lock`);
    }
  }

  /** All that live have every event within a second. */
  async assertFair(events = 5) {
    for (let i = 0; i < events; i += 1) {
      this.server.add();
      await this.pass(1000);
      for (const [tab, { have }] of this.living) assert.equal(have, this.server.length, `${tab.name} lags behind`);
    }
  }

  /** The run ends: all that live have all of it, and then nothing is left. */
  async assertEnd() {
    const { living } = this;
    this.server.finish();
    await this.pass(20_000, () => this.living.length === 0);
    for (const [tab, { have, isOver }] of living) {
      assert.ok(isOver, `${tab.name} waits for ever`);
      assert.equal(have, this.server.length);
    }
    await this.assertNothingLeft();
  }

  async assertNothingLeft() {
    await this.pass(100);
    assert.equal(this.server.connections.size, 0, 'a connection is left');
    assert.ok(this.browser.locks.isIdle, 'a lock is left, or somebody who waits for it');
    for (const tab of this.browser.tabs.filter((one) => !one.isForeign)) {
      assert.deepEqual([tab.channels.size, [...tab.queues.keys()]], [0, []], `${tab.name} has something left`);
    }
  }
}
