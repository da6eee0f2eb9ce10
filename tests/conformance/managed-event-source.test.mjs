// What ManagedEventSource does beyond the standard, in Chromium, against a server that really cuts.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { cases } from './event-source/additions/index.js';
import { judge } from './event-source/judge.mjs';
import { Suite } from './event-source/suite.mjs';

const only = process.env.CASE;
const played = cases.filter(({ id }) => !only || id.includes(only));

describe('ManagedEventSource beyond the standard', () => {
  let suite;
  let result;
  before(async () => {
    suite = await Suite.open();
    const ids = played.map(({ id }) => id);
    result = await suite.run({ name: 'ManagedEventSource', module: '/pkg/index.js' }, { list: '/suite/additions/index.js', ids });
  });
  after(() => suite?.close());

  for (const { id, title } of played) test(`${id}: ${title}`, () => judge(result.failures.get(id)));

  test('no error reaches the window that no case expects', () => assert.deepEqual(result.strays, []));
});
