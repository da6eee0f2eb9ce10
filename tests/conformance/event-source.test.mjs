// EventSource as the standard has it: the browser's own class and ours are held against the same cases.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { cases } from './event-source/cases/index.js';
import { differences } from './event-source/differences.mjs';
import { judge } from './event-source/judge.mjs';
import { Suite } from './event-source/suite.mjs';

const SUBJECTS = [{ name: 'EventSource' }, { name: 'ManagedEventSource', module: '/pkg/index.js' }];

const only = process.env.CASE;
const played = cases.filter(({ id }) => !only || id.includes(only));

let suite;
before(async () => { suite = await Suite.open(); });
after(() => suite?.close());

for (const subject of SUBJECTS) {
  const listed = differences[subject.name] ?? {};

  describe(subject.name, () => {
    let result;
    before(async () => { result = await suite.run(subject, { ids: played.map(({ id }) => id) }); });

    for (const { id, title } of played) {
      test(`${id}: ${title}`, () => judge(result.failures.get(id), listed[id]));
    }

    test('no error reaches the window that no case expects', () => assert.deepEqual(result.strays, []));
  });
}

describe('the cases', () => {
  test('have an id each', () => {
    const ids = cases.map(({ id }) => id);
    assert.deepEqual(ids.filter((id, i) => ids.indexOf(id) !== i), []);
  });

  test('are what the list of differences speaks of', () => {
    const ids = new Set(cases.map(({ id }) => id));
    const unknown = Object.values(differences).flatMap((listed) => Object.keys(listed)).filter((id) => !ids.has(id));
    assert.deepEqual(unknown, []);
  });

  test('pass or fail as listed, or the list is wrong', () => {
    const difference = { says: 'got false', reason: 'it has one' };
    judge(null, undefined);
    judge('isTrusted: expected true, got false', difference);
    assert.throws(() => judge('expected 1, got 2', undefined), /expected 1, got 2/);
    assert.throws(() => judge(null, difference), /but it passes/);
    assert.throws(() => judge('not over after 6000 ms', difference), /but it says: not over/);
  });
});
