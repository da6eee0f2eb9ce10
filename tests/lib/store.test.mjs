import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { createStore } from '../../pkg/lib/store.js';

const quietly = (run) => {
  const report = mock.method(console, 'error', () => {});
  try {
    run();
    return report.mock.calls.map((call) => call.arguments[0]);
  } finally {
    report.mock.restore();
  }
};

test('a subscriber hears the present snapshot at once, then each change once', () => {
  const store = createStore('a');
  const heard = [];
  store.subscribe((snapshot) => heard.push(snapshot));
  assert.deepEqual(heard, ['a']);
  store.set('b');
  store.deliver(true);
  store.deliver(true);
  assert.deepEqual(heard, ['a', 'b']);
});

test('unsubscribing twice is harmless and spares a second subscription of the same function', () => {
  const store = createStore(0);
  let calls = 0;
  const fn = () => calls++;
  const first = store.subscribe(fn);
  store.subscribe(fn);
  first();
  first();
  store.set(1);
  store.deliver(true);
  assert.equal(calls, 3);
});

test('a throwing listener is reported and cannot starve the others', () => {
  const store = createStore(0);
  const heard = [];
  const reported = quietly(() => {
    store.subscribe(() => { throw new Error('mine'); });
    store.subscribe((snapshot) => heard.push(snapshot));
    store.set(1);
    store.deliver(true);
  });
  assert.deepEqual(heard, [0, 1]);
  assert.deepEqual(reported.map((error) => error.message), ['mine', 'mine']);
});

test('a listener that unsubscribes another during delivery is obeyed', () => {
  const store = createStore(0);
  const heard = [];
  let other;
  store.subscribe((snapshot) => { if (snapshot === 1) other(); });
  other = store.subscribe((snapshot) => heard.push(snapshot));
  store.set(1);
  store.deliver(true);
  assert.deepEqual(heard, [0]);
});

test('the server snapshot is a constant', () => {
  const store = createStore('first');
  store.set('second');
  assert.equal(store.getServerSnapshot(), 'first');
  assert.equal(store.getSnapshot(), 'second');
});

test('a millisecond listener hears the latest snapshot after its pause, and the end at once', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const now = mock.method(performance, 'now', () => 0);
  try {
    const store = createStore(0);
    const heard = [];
    store.subscribe((snapshot) => heard.push(snapshot), { notify: 250 });
    store.set(1);
    store.deliver(true);
    store.set(2);
    store.deliver(true);
    assert.deepEqual(heard, [0]);
    mock.timers.tick(250);
    assert.deepEqual(heard, [0, 2]);
    store.set(3);
    store.deliver(true);
    store.set(4);
    store.finish();
    assert.deepEqual(heard, [0, 2, 4]);
    mock.timers.tick(1000);
    assert.deepEqual(heard, [0, 2, 4]);
  } finally {
    now.mock.restore();
    mock.timers.reset();
  }
});

test('an idle listener waits for idle time, and forgets it when it leaves', () => {
  const idle = [];
  globalThis.requestIdleCallback = (fn) => idle.push(fn);
  globalThis.cancelIdleCallback = (handle) => { idle[handle - 1] = () => {}; };
  try {
    const store = createStore(0);
    const heard = [];
    const leave = store.subscribe((snapshot) => heard.push(snapshot), { notify: 'idle' });
    store.set(1);
    store.deliver(true);
    store.set(2);
    store.deliver(true);
    assert.equal(idle.length, 1);
    idle[0]();
    assert.deepEqual(heard, [0, 2]);
    store.set(3);
    store.deliver(true);
    leave();
    idle[1]();
    assert.deepEqual(heard, [0, 2]);
  } finally {
    delete globalThis.requestIdleCallback;
    delete globalThis.cancelIdleCallback;
  }
});

test('after the last change listeners are let go, and later ones still hear it', () => {
  const store = createStore(0);
  const heard = [];
  const leave = store.subscribe((snapshot) => heard.push(snapshot));
  store.set(1);
  store.finish();
  store.subscribe((snapshot) => heard.push(`late ${snapshot}`))();
  store.set(2);
  store.finish();
  leave();
  assert.deepEqual(heard, [0, 1, 'late 1']);
});

test('the engine is asked for the pace of the most demanding listener', () => {
  const paces = [];
  const store = createStore(0, { onPace: (pace) => paces.push(pace) });
  const slow = store.subscribe(() => {}, { notify: 250 });
  const frame = store.subscribe(() => {});
  const sync = store.subscribe(() => {}, { notify: 'sync' });
  sync();
  frame();
  slow();
  assert.deepEqual(paces, [250, 1, 0, 1, 250, -1]);
});

test('the default policy is the store\'s own, and a wrong one is refused by name', () => {
  const paces = [];
  createStore(0, { onPace: (pace) => paces.push(pace) }, 'sync').subscribe(() => {});
  assert.deepEqual(paces, [0]);
  const isRefusal = { code: 'invalid-argument', path: 'notify' };
  assert.throws(() => createStore(0, {}, 'often'), isRefusal);
  assert.throws(() => createStore(0).subscribe(() => {}, { notify: -1 }), isRefusal);
  assert.throws(() => createStore(0).subscribe('fn'), { code: 'invalid-argument' });
});

test('Svelte passes a second function where options go', () => {
  const heard = [];
  createStore(7).subscribe((snapshot) => heard.push(snapshot), () => {});
  assert.deepEqual(heard, [7]);
});

test('a frame listener keeps to its frames, whoever wants everything at once', () => {
  const store = createStore(0);
  const told = { frame: [], sync: [] };
  store.subscribe((value) => told.frame.push(value));
  assert.equal(store.deliver(false), false, 'nobody waits for what is known');
  store.subscribe((value) => told.sync.push(value), { notify: 'sync' });
  for (const value of [1, 2, 3]) {
    store.set(value);
    assert.equal(store.deliver(false), true);
  }
  assert.deepEqual(told, { frame: [0], sync: [0, 1, 2, 3] });
  assert.equal(store.deliver(true), false);
  assert.deepEqual(told, { frame: [0, 3], sync: [0, 1, 2, 3] });
});
