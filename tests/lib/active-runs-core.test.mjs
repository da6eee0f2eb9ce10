import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createActiveRunsCore } from '../../pkg/index.js';

const event = (kind, sessionId, runId, status, updatedAt) =>
  `event: ${kind}\ndata: ${JSON.stringify({ sessionId, runId, status, updatedAt })}\n\n`;
const plain = ({ runs }) => runs.map((run) => Object.values(run));

test('bytes cut anywhere give the same runs', () => {
  const feed = [
    ': stream-open\n\n',
    event('snapshot', 'Привет', 'r1', 'streaming', 1712345678001),
    event('snapshot', 'b "👩‍👩‍👧"', 'r2', 'queued', 1712345678002),
    'event: snapshot\ndata: {"sessionId":1}\n\n',
    event('update', 'b "👩‍👩‍👧"', 'r2', 'streaming', 1712345678003),
    event('update', 'c', 'r3', 'failed', 1712345678003),
  ].join('');
  const bytes = new TextEncoder().encode(feed);
  for (const size of [1, 7, 64, 1000]) {
    const core = createActiveRunsCore();
    for (let at = 0; at < bytes.length; at += size) core.push(bytes.subarray(at, at + size));
    const snapshot = core.snapshot();
    assert.deepEqual([snapshot.ready, snapshot.supported, snapshot.error], [true, true, null]);
    assert.deepEqual(plain(snapshot), [
      ['Привет', 'r1', 'streaming', 1712345678001], ['b "👩‍👩‍👧"', 'r2', 'streaming', 1712345678003],
    ]);
    assert.deepEqual(['Привет', 'c', 'd'].map((id) => core.status(id)), ['streaming', undefined, undefined]);
    assert.equal(core.snapshot(), snapshot, 'the same object until something changed');
    core.free();
  }
});

test('a snapshot speaks of what changed since the last, and of nothing else', () => {
  const core = createActiveRunsCore();
  assert.deepEqual([core.snapshot().ready, core.snapshot().runs], [false, []]);
  core.push(Array.from({ length: 1000 }, (_, n) => event('snapshot', `s${n}`, 'r', 'streaming', n)).join(''));
  const before = core.snapshot();
  core.push(event('update', 's500', 'r', 'completed', 2000) + event('update', 's501', 'r', 'streaming', 2000));
  const after = core.snapshot();
  assert.deepEqual([before.runs.length, after.runs.length], [1000, 999]);
  assert.deepEqual(after.runs.filter((run) => !before.runs.includes(run)).map(({ sessionId }) => sessionId), ['s501']);
  assert.ok(Object.isFrozen(after) && Object.isFrozen(after.runs) && after.runs.every(Object.isFrozen));
  core.free();
});

test('runs keep the order in which their sessions were first heard of, whatever ends and begins among them', () => {
  const core = createActiveRunsCore();
  const ids = (from, to) => Array.from({ length: to - from }, (_, n) => `s${from + n}`);
  const tell = (all, status, at) => core.push(all.map((id) => event('update', id, 'r', status, at)).join(''));
  const shown = () => core.snapshot().runs.map(({ sessionId }) => sessionId);
  tell(ids(0, 100), 'streaming', 1);
  tell(ids(100, 900), 'streaming', 1);
  tell(ids(100, 900), 'completed', 2);      // nobody looked
  tell(ids(900, 1000), 'streaming', 2);
  assert.deepEqual(shown(), [...ids(0, 100), ...ids(900, 1000)]);
  tell(['s0', 's99', 's999'], 'failed', 3);
  assert.deepEqual(shown(), [...ids(1, 99), ...ids(900, 999)]);
  tell(['s999', 's500', 's0'], 'queued', 4);
  assert.deepEqual(shown(), [...ids(0, 99), 's500', ...ids(900, 1000)]);
  core.free();
});

test('a new connection\'s index replaces the old one', () => {
  const core = createActiveRunsCore();
  core.push(event('snapshot', 'a', 'r1', 'streaming', 1) + event('snapshot', 'b', 'r2', 'streaming', 1));
  core.snapshot();
  core.push('event: snapshot\nda');
  core.restart();
  assert.equal(core.snapshot().runs.length, 2, 'nothing is known of the new one yet');
  core.push(event('update', 'c', 'r3', 'streaming', 2) + event('snapshot', 'b', 'r2', 'streaming', 1));
  assert.deepEqual(plain(core.snapshot()).map(([id]) => id), ['b', 'c']);
  core.free();
});

test('the server\'s own error is shown until a row comes (B-AR-10)', () => {
  const core = createActiveRunsCore();
  core.push('event: error\ndata: {"error":"active-run index unavailable"}\n\n');
  const { error, ready } = core.snapshot();
  assert.deepEqual([error.code, error.detail, ready], ['connect-failed', 'active-run index unavailable', false]);
  core.push(event('update', 'c', 'r3', 'streaming', 2));
  assert.deepEqual([core.snapshot().error, core.snapshot().ready], [null, true]);
  core.free();
});

test('what is freed is not used again', () => {
  const core = createActiveRunsCore();
  core.free();
  core.free();
  for (const call of [() => core.push(''), () => core.snapshot(), () => core.status('a'), () => core.restart()]) {
    assert.throws(call, { code: 'invalid-state' });
  }
  const other = createActiveRunsCore({ maxEventBytes: 100 });
  assert.throws(() => other.push(5), { code: 'invalid-argument', path: 'bytes' });
  assert.throws(() => createActiveRunsCore({ maxEventBytes: -1 }), { path: 'maxEventBytes' });
  other.free();
});
