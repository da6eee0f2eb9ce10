import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitIntoTextBlocks } from '../../pkg/index.js';

const split = (...args) => splitIntoTextBlocks(...args).map(({ seq, text }) => [seq, text]);

test('empty text has no blocks, text without offsets is one (B-TB-1, B-TB-2)', () => {
  assert.deepEqual(split('', [1, 2]), []);
  assert.deepEqual(split('abc', []), [[0, 'abc']]);
  assert.deepEqual(split('abc'), [[0, 'abc']]);
});

test('offsets are floored, clamped, sorted and deduped, and the rest is a last block (B-TB-3)', () => {
  assert.deepEqual(split('abcdef', [4.9, 2, 2, -5, 99]), [[0, 'ab'], [1, 'cd'], [2, 'ef']]);
  assert.deepEqual(split('abc', [3]), [[0, 'abc']]);
});

test('NaN and what is no number are dropped (B-TB-7)', () => {
  assert.deepEqual(split('abcd', [NaN, 2, '3', null]), [[0, 'ab'], [1, 'cd']]);
});

test('offsets count UTF-16 units by default and bytes on demand (B-TB-5)', () => {
  assert.deepEqual(split('жxжx', [2]), [[0, 'жx'], [1, 'жx']]);
  assert.deepEqual(split('жxжx', [3], { unit: 'bytes' }), [[0, 'жx'], [1, 'жx']]);
});

test('an offset inside a character moves back to its start (B-TB-5)', () => {
  assert.deepEqual(split('a😀b', [2]), [[0, 'a'], [1, '😀b']]);
  assert.deepEqual(split('a😀b', [3], { unit: 'bytes' }), [[0, 'a'], [1, '😀b']]);
});

test('a lone surrogate in stored text shifts nothing', () => {
  assert.deepEqual(split('a\ud83db', [2]), [[0, 'a\ud83d'], [1, 'b']]);
});

test('blocks put together are the text, wherever it was cut', () => {
  const content = 'Да, 日本 👩‍👩‍👧!\n';
  for (let at = 0; at <= content.length; at++) {
    assert.equal(splitIntoTextBlocks(content, [at, at / 2]).map(({ text }) => text).join(''), content);
  }
});

test('misuse is refused by name', () => {
  assert.throws(() => splitIntoTextBlocks(null, []), { path: 'content' });
  assert.throws(() => splitIntoTextBlocks('a', [], { unit: 'chars' }), { path: 'unit' });
});
