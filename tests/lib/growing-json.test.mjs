// An input that streams, looked at again and again: what a parse of the whole text gives, but for what was there before.
// SEED=17 plays one text, RUNS=20000 so many.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGrowingJson } from '../../pkg/lib/growing-json.js';
import { Chance } from '../e2e/support/schedule.mjs';
import { valueOf } from '../oracle/values.mjs';

const RUNS = Number(process.env.RUNS ?? 500);
const SEEDS = process.env.SEED ? [Number(process.env.SEED)] : Array.from({ length: RUNS }, (_, i) => i + 1);

const parse = (json) => {
  try {
    return { value: JSON.parse(json) };
  } catch {
    return undefined;
  }
};

/** JSON, written in one of several ways, and broken now and then. */
const textOf = (chance) => {
  const value = valueOf(chance, chance.between(1, 5));
  let text = JSON.stringify(value, null, chance.pick([0, 0, 1, '\t', '\r\n ']));
  if (chance.is(20)) text = text.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  if (chance.is(15)) text = chance.pick([' ', '\n', '']) + text + chance.pick(['  ', 'x', ',', '}', '"', ' 1']);
  if (chance.is(40)) {
    const at = chance.between(0, text.length);
    text = text.slice(0, at) + chance.pick(['"', '\\', '}', ']', '{', '[', ',', ':', '-', '1', 'e', '\u0001', '\u00a0', '"a":1,"a":']) + text.slice(at + chance.between(0, 1));
  }
  return text;
};

const CLOSINGS = ['', '"', ...['true', 'false', 'null'].flatMap((word) => [1, 2, 3, 4].map((at) => word.slice(at)))];

/** All that could close the text: what is open, by a look at all of it. */
const closingsOf = (text) => {
  let brackets = '';
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"?|[{}[\]]/gs)) {
    if (token === '{') brackets = `}${brackets}`;
    else if (token === '[') brackets = `]${brackets}`;
    else if (token[0] !== '"') brackets = brackets.slice(1);
  }
  return CLOSINGS.map((end) => end + brackets);
};

/** What ends a text is kept but for a key, an escape or a sign: no more than that is cut. */
const MOST_CUT = 48;

/** How much of the text is kept, and what closes it; nothing where it is no JSON. */
const repair = (text) => {
  for (let kept = text.length; kept > Math.max(0, text.length - MOST_CUT); kept--) {
    const all = text.slice(0, kept);
    const end = closingsOf(all).find((closing) => parse(all + closing));
    if (end !== undefined) return [kept, end];
  }
  return undefined;
};

test('a look says what a parse of the whole text says, or nothing, whatever the text and its repair', () => {
  let said = 0;
  for (const seed of SEEDS) {
    const chance = new Chance(seed);
    const text = textOf(chance);
    let length = chance.between(0, text.length);
    const growing = createGrowingJson(text.slice(0, length));
    const seen = [];
    for (;;) {
      // Mostly as it should be; sometimes a view of the past, an end too many, or none.
      const repaired = chance.is(60) ? repair(text.slice(0, length)) : undefined;
      const kept = repaired?.[0] ?? (chance.is(50) ? length : chance.between(0, length));
      const end = repaired?.[1] ?? chance.pick(closingsOf(text.slice(0, kept)));
      for (let times = chance.between(0, 2); times > 0; times--) {
        const value = growing.look(kept, end);
        const expected = parse(text.slice(0, kept) + end);
        if (value !== undefined) {
          said += 1;
          assert.deepStrictEqual({ value }, expected, `SEED=${seed}: ${text.slice(0, kept)}${end}`);
          assert.equal(JSON.stringify(value), JSON.stringify(expected.value), `SEED=${seed}`);
          seen.push({ value, copy: structuredClone(value) });
        }
      }
      if (length === text.length) break;
      const more = text.slice(length, chance.between(length, text.length + 1));
      assert.ok(growing.add(length, more));
      length += more.length;
    }
    for (const { value, copy } of seen) assert.deepStrictEqual(value, copy, `SEED=${seed}: a value changed after it was handed out`);
  }
  assert.ok(process.env.SEED || said > RUNS, `only ${said} looks were told anything`);
});

test('sound JSON is always read, whatever is looked at', () => {
  for (const seed of SEEDS) {
    const chance = new Chance(seed);
    const value = valueOf(chance, chance.between(1, 5));
    const text = JSON.stringify(value, null, chance.pick([0, 2]));
    if (text.includes('"constructor":')) continue;
    const growing = createGrowingJson('');
    for (let length = 0; length < text.length;) {
      const more = text.slice(length, chance.between(length + 1, text.length + 1));
      assert.ok(growing.add(length, more));
      length += more.length;
      const repaired = repair(text.slice(0, length));
      if (!repaired || chance.is(30)) continue;
      assert.deepStrictEqual(growing.look(...repaired), JSON.parse(text.slice(0, repaired[0]) + repaired[1]), `SEED=${seed}: ${text.slice(0, length)}`);
    }
    assert.deepStrictEqual(growing.look(text.length, ''), JSON.parse(text), `SEED=${seed}`);
  }
});

test('what did not change is the same object', () => {
  const growing = createGrowingJson('{"a":{"b":[1]},"c":[{"d":1},{"e":"x');
  const first = growing.look(35, '"}]}');
  assert.equal(growing.look(35, '"}]}'), first);
  assert.ok(growing.add(35, '"'));
  assert.equal(growing.look(36, '}]}'), first, 'the end of a string says nothing new');
  assert.ok(growing.add(36, ',"f":2'));
  const second = growing.look(42, '}]}');
  assert.deepEqual([first, second], [
    { a: { b: [1] }, c: [{ d: 1 }, { e: 'x' }] },
    { a: { b: [1] }, c: [{ d: 1 }, { e: 'x', f: 2 }] },
  ]);
  assert.equal(second.a, first.a);
  assert.equal(second.c[0], first.c[0]);
  assert.notEqual(second.c, first.c);
  assert.ok(growing.add(42, '}]}'));
  assert.equal(growing.look(45, ''), second);
});

test('names that could reach a prototype and an earlier state are left to a parse', () => {
  for (const name of ['__proto__', 'constructor', '\\u005f_proto__']) {
    const text = `{"a":{"${name}":1}}`;
    assert.equal(createGrowingJson(text).look(text.length, ''), undefined);
  }
  const growing = createGrowingJson('[1,2]');
  assert.deepEqual(growing.look(5, ''), [1, 2]);
  assert.equal(growing.look(2, ']'), undefined);
  assert.deepEqual(growing.look(5, ''), [1, 2]);
});

test('of a name that comes twice the last value counts, in the place of the first', () => {
  const value = createGrowingJson('{"a":0,"b":1,"a":-0}').look(20, '');
  assert.ok(Object.is(value.a, -0));
  assert.deepEqual(Object.keys(value), ['a', 'b']);
});

test('a text that another has taken further is not gone on with', () => {
  const growing = createGrowingJson('[1');
  assert.ok(growing.add(2, ',2'));
  assert.equal(growing.add(2, ',3'), false);
  assert.deepEqual(growing.look(4, ']'), [1, 2]);
});

const WORDS = ['some words, ', '\\"more\\" of ', 'them\\n'];
// Pieces, how many units of each are kept, and what closes all of it then.
const SHAPES = {
  'a long string': ['{"path":"a","content":"', Array.from({ length: 3000 }, (_, i) => [WORDS[i % 3], 0, '"}'])],
  'many small objects': ['[', Array.from({ length: 1000 }, (_, i) => [
    [`{"line":${i},"old":"some`, 0, '"}]'], [' words","new', 5, '}]'], ['":true},', 1, ']'],
  ]).flat()],
};

for (const [shape, [start, pieces]] of Object.entries(SHAPES)) {
  test(`looks at ${shape} read every unit of the text about once`, (t) => {
    const growing = createGrowingJson(start);
    let units = 0;
    const { parse: real } = JSON;
    t.mock.method(JSON, 'parse', (json) => {
      units += json.length;
      return real(json);
    });
    let length = start.length;
    let last;
    for (const [piece, cut, end] of pieces) {
      assert.ok(growing.add(length, piece));
      length += piece.length;
      last = growing.look(length - cut, end);
      assert.notEqual(last, undefined);
    }
    const all = start + pieces.map(([piece]) => piece).join('');
    const [, cut, end] = pieces.at(-1);
    assert.deepEqual(last, real(all.slice(0, length - cut) + end));
    assert.ok(units < 2 * length, `${units} units read of ${length}`);
  });
}
