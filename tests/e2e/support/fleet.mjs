// A run over each transport, all in one page: what befalls the page befalls them together. Over the WebSocket there are two,
// because a socket is shared.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { assertHistory } from './history.mjs';
import { assertSound, assertTruth } from './truth.mjs';
import { until } from './until.mjs';

const WS_CHAT = { transports: ['websocket'], protocol: 'ws-chat', baseUrl: '' };
const RUNS = [
  ['fetch', { transports: ['fetch'] }],
  ['eventsource', { transports: ['eventsource'] }],
  ['websocket', WS_CHAT],
  ['websocket', WS_CHAT],
];

/** What a badge shows first: over HTTP the message is sent by `fetch`, whatever brings the answer. */
const FIRST = {
  fetch: ['connecting $', 'open $'],
  eventsource: ['connecting fetch', 'connecting $', 'open $'],
  // Each message is on its way for a moment.
  websocket: [['connecting $', 'open $']],
};

const withTransport = (lines, name) =>
  lines.map((line) => (Array.isArray(line) ? withTransport(line, name) : line.replace('$', name)));

/** Of one page's runs: those over HTTP connect each for itself, those over the WebSocket together. */
const connectionsOf = ({ events, ws }) => ({ events, sockets: ws });

export class Fleet {
  constructor(lab, control, runs) {
    this.lab = lab;
    this.control = control;
    this.runs = runs;
  }

  /** Sends all of them, on a server that has nobody else's. `retry` is of their clients; `observed`: see `start` of the lab. */
  static async send(lab, control, recipe, { retry = {}, faults = [], ...observed } = {}) {
    await control.reset();
    await control.recipe(recipe);
    for (const { path, steps } of faults) await control.faults({ path }, steps);
    const runs = RUNS.map(([transport, options]) => ({
      transport, sessionId: randomUUID(), requestId: randomUUID(), client: { name: transport, options: { ...options, retry } },
    }));
    for (const run of runs) run.key = await lab.start({ ...run, ...observed });
    return new Fleet(lab, control, runs);
  }

  /** The same, and waits for the first text of each. */
  static async begin(...args) {
    const fleet = await Fleet.send(...args);
    await fleet.until(({ text }) => text !== '');
    // What a send came on is let go of once its run is followed; the server hears of that a moment later.
    await until(async () => (await fleet.control.counters()).openStreams.now === 2, 'the sends to be let go of');
    fleet.first = await fleet.connections();
    assert.deepEqual(fleet.first, { events: 2, sockets: 1 });
    return fleet;
  }

  /** Waits until a snapshot of each fulfils `predicate`, which sees nothing of this module. */
  async until(predicate, timeout) {
    for (const { key } of this.runs) await this.lab.until(key, predicate, timeout);
  }

  /** Waits until each got words that came after this was called; the first that it shows may have come before. */
  async hear() {
    for (let times = 0; times < 2; times += 1) {
      const before = await this.snapshots();
      await until(async () => (await this.snapshots()).every(({ text }, i) => text.length > before[i].text.length), 'the next words');
    }
  }

  /** Waits until each has come to its own end at the server, whoever watches. */
  async over() {
    for (const { sessionId } of this.runs) {
      const [{ runId }] = await this.control.runs(sessionId);
      assert.equal((await this.control.truth(runId)).terminal, 'done');
    }
  }

  /** Ends their connections at the server; gives how many there were. */
  async cut() {
    return (await this.control.now('cut', { how: 'rst' })).cut;
  }

  snapshots() {
    return Promise.all(this.runs.map(({ key }) => this.lab.snapshot(key)));
  }

  /** Connections that were ever asked of the server. */
  async connections() {
    return connectionsOf((await this.control.counters()).requests);
  }

  /** Whether the server has none open. */
  async areGone() {
    const { openStreams, openSockets } = await this.control.counters();
    return openStreams.now + openSockets.now === 0;
  }

  /** All requests that were ever made of the server. */
  async requests() {
    return Object.values((await this.control.counters()).requests).reduce((sum, count) => sum + count);
  }

  /** Connections since the first ones. */
  async reconnections() {
    const { events, sockets } = await this.connections();
    return { events: events - this.first.events, sockets: sockets - this.first.sockets };
  }

  /**
   * All of them completed, with every character; each message was taken once, and nothing was cancelled. `shown`: what each
   * badge showed between its first `open` and its end, where `$` is the transport, as `assertHistory` takes it; `first`: what it
   * showed until then, by transport.
   */
  async assertWhole({ first = FIRST, shown = [] } = {}) {
    for (const { key, transport } of this.runs) {
      const report = await this.lab.settled(key);
      assertSound(report);
      assert.equal(report.snapshot.status, 'completed', transport);
      await assertTruth(this.control, report);
    }
    // A badge is that of all runs of its client: it is at its end when they are.
    for (const { key, transport } of this.runs) {
      const lines = [...first[transport], ...shown, 'closed'];
      assertHistory(await this.lab.report(key), withTransport(lines, transport));
    }
    const { runsStarted, stops } = await this.control.counters();
    assert.deepEqual({ runsStarted, stops }, { runsStarted: this.runs.length, stops: 0 });
  }

  /** And no message was sent twice, not even one that the server knew for a repetition. */
  async assertSentOnce() {
    const { deduped, requests: { stream, messages }, sends } = await this.control.counters();
    assert.deepEqual({ deduped, stream, messages }, { deduped: 0, stream: 2, messages: 0 });
    for (const { transport, requestId } of this.runs) {
      if (transport === 'websocket') assert.deepEqual(sends[requestId], { websocket: 1, post: 0 });
    }
  }
}
