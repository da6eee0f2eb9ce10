import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunClient } from '../../pkg/lib/client.js';
import { FakeRaw, settle, useFakeEngine } from './fake-engine.mjs';

useFakeEngine();

test('when the engine dies every sidebar says so, and so does one that comes later', async () => {
  const client = new RunClient({ baseUrl: '/bi-chat' });
  const runs = client.activeRuns();
  const errors = [];
  runs.subscribe(() => {});
  const settled = client.subscribeActiveRuns({ onEvent() {} });
  FakeRaw.latest.trap = 'flush';
  FakeRaw.latest.frame();
  await assert.rejects(settled, { code: 'engine-crashed' });
  await settle();
  const { error, connection } = runs.getSnapshot();
  assert.deepEqual([error.code, connection.state], ['engine-crashed', 'failed']);
  const late = client.activeRuns({ onError: (failure) => errors.push(failure.code) });
  late.subscribe(() => {});
  await settle();
  assert.deepEqual([late.getSnapshot().error.code, errors], ['engine-crashed', ['engine-crashed']]);
});
