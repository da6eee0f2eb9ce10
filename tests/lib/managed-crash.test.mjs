import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lives, provide } from '../../pkg/lib/instance.js';
import { ManagedEventSource } from '../../pkg/lib/managed/managed-event-source.js';
import { ManagedWebSocket } from '../../pkg/lib/managed/managed-web-socket.js';

// A crash is for the life of the page, so this file has one story and a process of its own.

const target = new EventTarget();
globalThis.addEventListener = target.addEventListener.bind(target);
globalThis.removeEventListener = target.removeEventListener.bind(target);
globalThis.CloseEvent ??= class extends Event {
  constructor(type, { code, reason = '', wasClean = false }) {
    super(type);
    Object.assign(this, { code, reason, wasClean });
  }
};

const requests = [];
globalThis.fetch = async (url, { signal }) => {
  requests.push(signal);
  return new Promise(() => {});
};

class FakeSocket extends EventTarget {
  static made = [];

  isClosed = false;

  constructor(url) {
    super();
    this.url = url;
    FakeSocket.made.push(this);
  }

  close() {
    this.isClosed = true;
  }
}

const told = (of, type) => new Promise((resolve) => { of.addEventListener(type, resolve); });

const trap = new WebAssembly.RuntimeError('unreachable');
const freed = [];

class FakeLink {
  connect() { return 1; }
  deadline() { return Infinity; }
  signal(number) {
    if (number === 1) throw trap;
    return 0;
  }
  free() { freed.push('link'); }
}

class FakeStream {
  free() { freed.push('stream'); }
}

provide({ RawLink: FakeLink, RawEventStream: FakeStream, initSync: () => ({}) }, () => new Uint8Array());

test('a trap ends all drop-in objects: closed, told once, and never tried again', async () => {
  const source = new ManagedEventSource('https://a.example/');
  const socket = new ManagedWebSocket('wss://a.example/', [], { WebSocket: FakeSocket });
  const seen = [];
  for (const each of [source, socket]) {
    for (const type of ['error', 'close']) each.addEventListener(type, ({ error }) => seen.push([type, error.code, each.readyState]));
  }
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual([requests.length, FakeSocket.made.length, lives.size], [1, 1, 2]);

  const reported = [];
  globalThis.reportError = ({ cause }) => reported.push(cause);
  target.dispatchEvent(new Event('offline'));
  assert.deepEqual(reported, [trap]);
  assert.deepEqual([requests[0].aborted, FakeSocket.made[0].isClosed, lives.size], [true, true, 0]);
  assert.deepEqual(seen, [], 'nothing of the page runs within the call that trapped');
  await Promise.all([told(source, 'error'), told(socket, 'close')]);
  assert.deepEqual(seen.sort(), [['close', 'engine-crashed', 3], ['error', 'engine-crashed', 2], ['error', 'engine-crashed', 3]]);

  source.close();
  socket.close();
  assert.throws(() => new ManagedEventSource('https://a.example/'), { code: 'engine-crashed' });
  assert.throws(() => new ManagedWebSocket('wss://a.example/', [], { WebSocket: FakeSocket }), { code: 'engine-crashed' });
  assert.equal(FakeSocket.made[1].isClosed, true, 'the socket that was made before the engine was asked');
  assert.deepEqual(freed, [], 'what is in a dead instance is not touched');
});
