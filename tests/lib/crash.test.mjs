import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunClient } from '../../pkg/lib/client.js';
import { createRunCore } from '../../pkg/lib/run-core.js';
import { splitIntoTextBlocks } from '../../pkg/lib/text-blocks.js';
import { FakeRaw, appended, settle, useFakeEngine } from './fake-engine.mjs';

// A crash is for the life of the page, so this file has one story and a process of its own.

const target = new EventTarget();
globalThis.addEventListener = target.addEventListener.bind(target);
globalThis.removeEventListener = target.removeEventListener.bind(target);

// What the driver opens: nothing ever comes of it.
const requests = [];
globalThis.fetch = (url, { signal }) => {
  requests.push(signal);
  return new Promise(() => {});
};
const sources = [];
globalThis.EventSource = class extends EventTarget {
  isClosed = false;

  constructor() {
    super();
    sources.push(this);
  }

  close() {
    this.isClosed = true;
  }
};

useFakeEngine();

test('a trap in an entry of the page fails everything at once, closes the transports, and nothing is re-created', async () => {
  const newClient = () => new RunClient({ baseUrl: '/bi-chat', protocol: 'bichat' });
  const client = newClient();
  const stream = client.open({ sessionId: 's', runId: 'r' });
  const done = client.open({ sessionId: 'd', runId: 'd' });
  const raw = FakeRaw.latest;
  const other = newClient();
  const unseen = other.open({ sessionId: 't', runId: 'q' });

  const heard = [];
  const badge = [];
  stream.subscribe(({ status, text }) => heard.push([status, text]));
  client.connection.subscribe(({ state }) => badge.push(state));
  done.subscribe(() => {});
  raw.emit(2, { state: { status: 'completed' }, end: true });
  raw.tell(1, { state: { status: 'streaming' }, ...appended(0, 'abc', true) }, 'abc');
  const { finished } = stream;
  const subscription = client.subscribeRunEvents('s', 'r', { onChunk() {} });
  const iterator = stream[Symbol.asyncIterator]();
  const next = iterator.next();
  const stopped = other.stop('t');
  raw.order({ open: 1, via: 'fetch', path: '/events', body: null, cursor: null });
  raw.order({ open: 2, via: 'eventsource', path: '/events' });
  client.open({ sessionId: 'more' });
  assert.deepEqual([requests.map(({ aborted }) => aborted), sources.map(({ isClosed }) => isClosed)], [[false], [false]]);

  const trap = new WebAssembly.RuntimeError('unreachable');
  raw.signal = () => { throw trap; };
  const reported = [];
  globalThis.reportError = ({ cause }) => reported.push(cause);
  target.dispatchEvent(new Event('offline'));
  assert.deepEqual(reported, [trap]);
  assert.deepEqual([stream.getSnapshot().status, stream.getSnapshot().text], ['failed', 'abc']);
  assert.equal(stream.getSnapshot().error.code, 'engine-crashed');
  assert.equal(stream.getSnapshot().error.cause, trap);
  assert.equal(stream.getSnapshot().connection.state, 'failed');
  assert.equal(unseen.getSnapshot().status, 'failed');
  assert.equal(done.getSnapshot().status, 'completed');
  assert.deepEqual([requests.map(({ aborted }) => aborted), sources.map(({ isClosed }) => isClosed)], [[true], [true]]);

  const isCrash = { code: 'engine-crashed' };
  await assert.rejects(finished, isCrash);
  await assert.rejects(unseen.finished, isCrash);
  await assert.rejects(subscription, isCrash);
  await assert.rejects(next, isCrash);
  await assert.rejects(stopped, isCrash);
  await settle();
  assert.deepEqual(heard.at(-1), ['failed', 'abc']);
  assert.equal(badge.at(-1), 'failed');

  // The dead are not called again.
  const calls = raw.calls.length;
  target.dispatchEvent(new Event('online'));
  stream.close();
  stream.subscribe(() => {})();
  await stream.stop();
  client.close();
  other.close();
  assert.equal(raw.calls.length, calls);

  assert.throws(() => stream.retry(), { code: 'invalid-state' });
  assert.throws(() => newClient().open({ sessionId: 's' }), isCrash);
  assert.throws(() => createRunCore(), isCrash);
  assert.throws(() => splitIntoTextBlocks('abc', [1]), isCrash);
});
