// Who writes the one record that a session has. What is written, and that a reload finds it: tests/e2e/reload.test.mjs.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { Keeper } from '../../pkg/lib/persist/keeper.js';

const FIRST = { sessionId: 's', runId: 'one', requestId: null };
const SECOND = { sessionId: 's', runId: 'two', requestId: null };
let keeper;

beforeEach(() => {
  globalThis.sessionStorage = Object.create({
    getItem(key) { return this[key] ?? null; },
    setItem(key, text) { this[key] = String(text); },
    removeItem(key) { delete this[key]; },
  });
  keeper = new Keeper('session', 'here', { runs: () => [], describe: (run) => run, store: ({ runId }) => `{"of":"${runId}"}` });
});
afterEach(() => { delete globalThis.sessionStorage; });

const kept = () => keeper.glance('s')?.runId ?? null;

test('a run that ends leaves the record of a later one alone, whether it can go on or not', () => {
  for (const canGoOn of [true, false]) {
    keeper.keep(FIRST);
    keeper.keep(SECOND);
    keeper.settle(FIRST, canGoOn);
    assert.equal(kept(), 'two');
  }
});

test('the last one of a session is kept where it can go on, and else forgotten', () => {
  keeper.settle(FIRST, true);
  assert.equal(kept(), 'one');
  keeper.keep(SECOND);
  keeper.settle(SECOND, false);
  assert.equal(kept(), null);
});

test('what is forgotten belongs to nobody: the next run that ends has the record', async () => {
  for (const sessionId of ['s', undefined]) {
    keeper.keep(SECOND);
    await keeper.forget(sessionId);
    assert.equal(kept(), null);
    keeper.settle(FIRST, true);
    assert.equal(kept(), 'one');
  }
});
