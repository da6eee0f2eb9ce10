import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engine, load, provide } from '../../pkg/lib/instance.js';

test('steadystream/url says so when it is used before init, retries a failed load, and loads once', async () => {
  const loads = [];
  const outcomes = [new TypeError('Failed to fetch'), {}];
  const glue = {
    default: async (input) => {
      loads.push(input);
      const outcome = outcomes.shift();
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
  };
  provide(glue);
  assert.throws(engine, { code: 'not-ready', message: /await init\(\)/ });
  await assert.rejects(load('a.wasm'), { code: 'request-failed', retryable: true });
  await Promise.all([load('a.wasm'), load('a.wasm')]);
  assert.deepEqual(loads, [{ module_or_path: 'a.wasm' }, { module_or_path: 'a.wasm' }]);
  assert.equal(engine(), glue);
});
