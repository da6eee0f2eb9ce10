import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunClient } from '../../pkg/lib/client.js';
import { FakeRaw, settle, useFakeEngine } from './fake-engine.mjs';

useFakeEngine();

test('a trap while the engine is being asked for its flush ends every run, and is not thrown into the driver', async () => {
  const client = new RunClient({ baseUrl: '/bi-chat', protocol: 'bichat' });
  const stream = client.open({ sessionId: 's', runId: 'r' });
  const heard = [];
  stream.subscribe(({ status }) => heard.push(status));
  // Asked for, and caught by nobody until later: that must be no unhandled rejection.
  const { finished } = stream;
  FakeRaw.latest.trap = 'flush';
  FakeRaw.latest.frame();
  assert.deepEqual(heard, ['pending']);
  await settle();
  assert.deepEqual(heard, ['pending', 'failed']);
  await assert.rejects(finished, { code: 'engine-crashed' });
  assert.throws(() => client.send('s', 'again'), { code: 'engine-crashed' });
});
