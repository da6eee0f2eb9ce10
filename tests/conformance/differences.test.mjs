// What users read of differences is what the cases show.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { PAGE, render } from './differences-page.mjs';

test('docs/differences.md lists what the cases show (node tests/conformance/differences-page.mjs writes it)', async () => {
  const page = await readFile(PAGE, 'utf8');
  assert.equal(page, render(page));
});
