// What a connection has said, as far as somebody who joins in has to be told. SEED=17 plays one stream, RUNS=20000 so many.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Said } from '../../pkg/lib/tabs/said.js';
import { Chance } from '../e2e/support/schedule.mjs';

const RUNS = Number(process.env.RUNS ?? 3000);
const SEEDS = process.env.SEED ? [Number(process.env.SEED)] : Array.from({ length: RUNS }, (_, i) => i + 1);

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Where the last event of `pieces` ends: behind a blank line. A CR that ends a piece may be half a line end, and ends nothing. */
const lastEnd = (pieces) => {
  const text = pieces.join('');
  const cuts = new Set(pieces.map((_, i) => pieces.slice(0, i + 1).join('').length));
  let end = 0;
  let isBlank = false;
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] !== '\r' && text[i] !== '\n') {
      isBlank = false;
      continue;
    }
    if (text[i] === '\r' && text[i + 1] === '\n') i += 1;
    const isHalf = text[i] === '\r' && cuts.has(i + 1);
    if (isBlank && !isHalf) end = i + 1;
    // Before the first line there is nothing to end.
    isBlank = true;
  }
  return end;
};

const say = (pieces, limit = Infinity) => {
  const said = new Said(limit);
  for (const piece of pieces) said.add(encoder.encode(piece));
  return said;
};

const tailOf = (pieces) => decoder.decode(say(pieces).tail);

/** Each way to cut `text` in pieces. */
const splits = function* splits(text) {
  for (let cuts = 0; cuts < 2 ** (text.length - 1); cuts += 1) {
    const pieces = [text[0]];
    for (let i = 1; i < text.length; i += 1) {
      if (cuts & (1 << (i - 1))) pieces.push(text[i]);
      else pieces[pieces.length - 1] += text[i];
    }
    yield pieces;
  }
};

const check = (pieces) => assert.equal(tailOf(pieces), pieces.join('').slice(lastEnd(pieces)), JSON.stringify(pieces));

const TEXTS = [
  'a\n\nb\n\nc', 'a\r\n\r\nb\r\n', 'a\r\rb\r\rc', 'a\n\r\nb\r\n\n', 'a\r\n\rb\n\r', 'a\n\n\n\nb', '\n\na\n', '\r\n\r\na', 'a\r\n\nb\r\r\n', 'ab\n', '\r\r\r', '\n\n\n',
];

test('what follows the last whole event is what a slow look says, whatever ends a line and however it is cut', () => {
  let count = 0;
  for (const text of TEXTS) {
    for (const pieces of splits(text)) {
      check(pieces);
      count += 1;
    }
  }
  assert.ok(count > 600, `only ${count} ways`);
});

test('the same of random streams', () => {
  for (const seed of SEEDS) {
    const chance = new Chance(seed);
    const ends = chance.pick([['\n'], ['\r\n'], ['\r'], ['\n', '\r\n', '\r']]);
    const pieces = Array.from({ length: chance.between(1, 12) }, () => Array.from(
      { length: chance.between(0, 6) },
      () => chance.pick(['x', 'ü', ...ends, ...ends]),
    ).join(''));
    check(pieces);
  }
});

test('a piece without a byte changes nothing', () => {
  assert.equal(tailOf(['a\n', '', '\nb']), 'b');
  assert.equal(tailOf(['a\r\n\r', '', '\nb\n']), 'b\n');
});

test('what is handed out is a copy', () => {
  const bytes = encoder.encode('a\n\nb');
  const said = new Said(100);
  said.add(bytes);
  said.add(encoder.encode('c'));
  assert.equal(decoder.decode(said.all), 'a\n\nbc');
  assert.equal(decoder.decode(said.tail), 'bc');
  said.all.fill(0);
  assert.equal(decoder.decode(said.all), 'a\n\nbc');
});

test('all of it is there up to its limit, beyond that none of it, and what follows the last event stays', () => {
  const atLimit = say(['aaaa', '\n\nbb'], 8);
  assert.equal(decoder.decode(atLimit.all), 'aaaa\n\nbb');
  atLimit.add(encoder.encode('c'));
  assert.equal(atLimit.all, null);
  assert.equal(decoder.decode(atLimit.tail), 'bbc');
  atLimit.add(encoder.encode('\n\n'));
  assert.deepEqual([atLimit.all, atLimit.tail.length], [null, 0], 'what was forgotten does not come back');
  assert.equal(say([], 0).all.length, 0);
  assert.equal(say([], -1).all, null);
});
