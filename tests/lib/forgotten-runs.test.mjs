import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { RunClient } from '../../pkg/lib/client.js';
import { FakeRaw, appended, settle, useFakeEngine } from './fake-engine.mjs';

useFakeEngine();
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

const client = new RunClient({ baseUrl: '/bi-chat' });

// In functions of their own, so that nothing on this stack keeps a stream.
const openWithListener = (runId) => {
  const stream = client.open({ sessionId: 's', runId });
  stream.subscribe(() => stream.getSnapshot());
};
const lose = (slot) => FakeRaw.latest.tell(slot, { ...appended(0, 'abc', true), state: { status: 'interrupted', by: 'limit' }, end: true }, 'abc');

test('a settled run that nobody holds frees its slot; a live one is never collected', async () => {
  openWithListener('lost');
  openWithListener('live');
  lose(1);
  const released = () => FakeRaw.latest.made('release');
  for (let turn = 0; turn < 100 && released().length === 0; turn++) {
    collect();
    await settle();
  }
  assert.deepEqual(released(), [[1]]);
  const stream = client.open({ sessionId: 's', runId: 'live' });
  FakeRaw.latest.tell(2, { state: { status: 'completed', by: 'server' }, end: true });
  assert.equal(stream.getSnapshot().status, 'completed');
  assert.equal(FakeRaw.latest.made('open').length, 2);
});
