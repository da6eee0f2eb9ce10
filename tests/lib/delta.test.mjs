import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY, applyDelta, readFlush, skipText } from '../../pkg/lib/delta.js';

// Applies one-run flushes, as strings, the way the feed does.
const apply = (view, ...flushes) => flushes.reduce((held, flush) => {
  const { deltas, take } = readFlush(flush);
  return deltas.reduce((next, delta) => applyDelta(next, delta, take), held);
}, view);
const flush = (delta, tail = '') => `${JSON.stringify([delta])}\n${tail}`;
const text = (seq) => ({ type: 'text', seq, state: 'streaming' });

test('text is appended to its part, its block and the whole', () => {
  const view = apply(EMPTY, flush({ parts: [{ i: 0, part: text(0) }, { i: 0, add: 3 }] }, 'Hel'), flush({ parts: [{ i: 0, add: 2 }] }, 'lo'));
  assert.equal(view.text, 'Hello');
  assert.deepEqual(view.parts, [{ type: 'text', seq: 0, state: 'streaming', text: 'Hello' }]);
  assert.equal(view.blocks[0], view.parts[0]);
});

test('finished parts and blocks keep their identity while later ones grow', () => {
  const first = apply(EMPTY, flush({
    parts: [
      { i: 0, part: text(0) }, { i: 0, add: 1 }, { i: 0, state: 'done' },
      { i: 1, part: { type: 'tool', callId: 'c', state: 'running' } },
      { i: 2, part: text(1) }, { i: 2, add: 1 },
    ],
  }, 'ab'));
  const second = apply(first, flush({ parts: [{ i: 2, add: 1 }] }, 'c'));
  assert.equal(second.parts[0], first.parts[0]);
  assert.equal(second.parts[1], first.parts[1]);
  assert.equal(second.blocks[0], first.blocks[0]);
  assert.notEqual(second.parts[2], first.parts[2]);
  assert.equal(second.blocks[1], second.parts[2]);
  assert.equal(second.text, 'abc');
  assert.equal(first.text, 'ab');
});

test('a delta that says nothing about the transcript leaves the same object', () => {
  const view = apply(EMPTY, flush({ parts: [{ i: 0, part: text(0) }] }));
  assert.equal(apply(view, flush({ state: { cursor: '1-0' } })), view);
  assert.equal(apply(view, ''), view);
});

test('a text part is a block, also while it is empty', () => {
  const view = apply(EMPTY, flush({
    parts: [{ i: 0, part: text(0) }, { i: 0, state: 'done' }, { i: 1, part: text(1) }, { i: 1, add: 2 }],
  }, 'ab'));
  assert.equal(view.parts.length, 2);
  assert.deepEqual(view.blocks.map(({ seq, text }) => [seq, text]), [[0, ''], [1, 'ab']]);
});

test('reasoning has text of its own, outside the message', () => {
  const view = apply(EMPTY, flush({
    parts: [{ i: 0, part: { type: 'reasoning', state: 'streaming' } }, { i: 0, add: 4 }, { i: 1, part: text(0) }, { i: 1, add: 2 }],
  }, 'hmm ok'));
  assert.equal(view.parts[0].text, 'hmm ');
  assert.equal(view.text, 'ok');
  assert.equal(view.blocks.length, 1);
});

test('parts that are cut off take their text with them, and what follows takes their places', () => {
  const old = apply(EMPTY, flush({
    parts: [{ i: 0, part: text(0) }, { i: 0, add: 2 }, { i: 1, part: text(1) }, { i: 1, add: 2 }, { i: 2, part: { type: 'file' } }],
  }, 'abcd'));
  const cut = apply(old, flush({ cut: 1 }));
  assert.deepEqual([cut.text, cut.parts.length, cut.blocks.length], ['ab', 1, 1]);
  assert.equal(cut.parts[0], old.parts[0]);
  const next = apply(old, flush({ cut: 1, parts: [{ i: 1, part: { type: 'file', url: 'x' } }, { i: 2, part: text(1) }, { i: 2, add: 1 }] }, 'e'));
  assert.deepEqual([next.text, next.parts[1].url, next.blocks[1]], ['abe', 'x', next.parts[2]]);
});

test('members are set without touching what the part has said', () => {
  const old = apply(EMPTY, flush({ parts: [{ i: 0, part: text(0) }, { i: 0, add: 2 }] }, 'ab'));
  const view = apply(old, flush({ parts: [{ i: 0, set: { providerMetadata: { a: 1 } }, add: 1, state: 'done' }] }, 'c'));
  assert.deepEqual(view.parts[0], { ...text(0), state: 'done', text: 'abc', providerMetadata: { a: 1 } });
  assert.ok(Object.isFrozen(view.parts[0]));
  assert.equal(old.parts[0].text, 'ab');
});

test('an input that streams is read as far as it has come, when somebody reads it, and stays what it was', () => {
  const call = { type: 'tool-sql', toolCallId: 'c', state: 'input-streaming' };
  const first = apply(EMPTY, flush({ parts: [{ i: 0, part: call, add: 8, close: [2, '}'] }] }, '{"a":1,"'));
  const second = apply(first, flush({ parts: [{ i: 0, add: 5, close: [0, '"}'] }] }, 'b":"x'));
  const third = apply(second, flush({ parts: [{ i: 0, add: 2, close: [0, ''] }] }, ',}'));
  assert.deepEqual(first.parts[0], { ...call, rawInput: '{"a":1,"', input: { a: 1 } });
  assert.deepEqual(second.parts[0].input, { a: 1, b: 'x' });
  assert.equal(second.parts[0].input, second.parts[0].input);
  assert.deepEqual([third.parts[0].rawInput, third.parts[0].input], ['{"a":1,"b":"x,}', undefined]);
  assert.deepEqual(Object.keys(second.parts[0]), ['type', 'toolCallId', 'state', 'rawInput', 'input']);
  const done = apply(third, flush({ parts: [{ i: 0, part: { ...call, state: 'input-available', input: 7 } }] }));
  assert.deepEqual(done.parts[0], { ...call, state: 'input-available', input: 7 });
});

test('an input that is text is all that has come, and one that could reach a prototype is none', () => {
  const call = { type: 'dynamic-tool', toolName: 'patch', toolCallId: 'c', state: 'input-streaming' };
  const input = (piece, close) => apply(EMPTY, flush({ parts: [{ i: 0, part: call, add: piece.length, close }] }, piece)).parts[0].input;
  assert.equal(input('{"a'), '{"a');
  assert.equal(input('{"a":{"__proto__":1}}', [0, '']), undefined);
  assert.equal(input('[{"constructor":{"prototype":1}}]', [0, '']), undefined);
  assert.equal(input('{"\\u005f_proto__":1}', [0, '']), undefined);
  assert.deepEqual(input('{"constructor":1,"__proto":2}', [0, '']), { constructor: 1, __proto: 2 });
});

test('a reset forgets parts, text, usage and metadata, and takes what follows', () => {
  const old = apply(EMPTY, flush({ parts: [{ i: 0, part: text(0) }, { i: 0, add: 3 }], usage: { totalTokens: 1 }, metadata: {} }, 'old'));
  const view = apply(old, flush({ reset: true, parts: [{ i: 0, part: text(0) }, { i: 0, add: 3 }] }, 'new'));
  assert.equal(view.text, 'new');
  assert.equal(view.usage, null);
  assert.equal(view.metadata, null);
  assert.deepEqual(apply(old, flush({ reset: true })), EMPTY);
});

test('text that grows in an earlier part still reads in the order of the parts', () => {
  const view = apply(EMPTY, flush({
    parts: [{ i: 0, part: text(0) }, { i: 1, part: text(1) }, { i: 1, add: 1 }, { i: 0, add: 1 }],
  }, 'BA'));
  assert.equal(view.text, 'AB');
  assert.deepEqual(view.blocks.map(({ seq, text }) => [seq, text]), [[0, 'A'], [1, 'B']]);
});

test('replacing a text part takes its old text out of the message', () => {
  const old = apply(EMPTY, flush({ parts: [{ i: 0, part: text(0) }, { i: 0, add: 2 }, { i: 1, part: text(1) }, { i: 1, add: 2 }] }, 'abcd'));
  const view = apply(old, flush({ parts: [{ i: 0, part: text(0) }, { i: 0, add: 1 }] }, 'x'));
  assert.equal(view.text, 'xcd');
  assert.deepEqual(view.blocks.map((block) => block.text), ['x', 'cd']);
  assert.equal(view.parts[1], old.parts[1]);
});

test('lengths count UTF-16 units, so an emoji or a line end in the text misplaces nothing', () => {
  const view = apply(EMPTY, flush({ parts: [{ i: 0, part: text(0) }, { i: 0, add: 4 }, { i: 1, part: text(1) }, { i: 1, add: 1 }] }, 'a😀\nb'));
  assert.deepEqual(view.blocks.map((block) => block.text), ['a😀\n', 'b']);
});

test('the text of a run that nobody here knows is skipped, not given to the next', () => {
  const { deltas, take } = readFlush(`${JSON.stringify([{ slot: 9, parts: [{ i: 0, add: 3 }] }, { slot: 1, parts: [{ i: 0, part: text(0) }, { i: 0, add: 2 }] }])}\nxyzab`);
  skipText(deltas[0], take);
  assert.equal(applyDelta(EMPTY, deltas[1], take).text, 'ab');
});

test('everything handed out is frozen', () => {
  const view = apply(EMPTY, flush({ parts: [{ i: 0, part: text(0) }, { i: 0, add: 1 }, { i: 1, part: { type: 'tool', state: 'running' } }] }, 'a'));
  for (const value of [view, view.parts, view.blocks, ...view.parts]) assert.ok(Object.isFrozen(value));
});

test('any way of cutting a run into flushes gives the same view', () => {
  // A fixed seed: a failing cut can be looked at again.
  let seed = 42;
  const random = (n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
  for (let round = 0; round < 200; round++) {
    const expected = [];
    const changes = [];
    let blocks = 0;
    for (let i = 0; i < 6; i++) {
      const isText = random(3) > 0;
      expected.push(isText ? '' : null);
      changes.push([{ i, part: isText ? text(blocks++) : { type: 'tool', state: 'done' } }, '']);
      for (let n = random(4); isText && n > 0; n--) {
        const piece = ['a', 'bc', '😀', '\n'][random(4)];
        expected[i] += piece;
        changes.push([{ i, add: piece.length }, piece]);
      }
    }
    let view = EMPTY;
    while (changes.length > 0) {
      const batch = changes.splice(0, 1 + random(5));
      view = apply(view, flush({ parts: batch.map(([change]) => change) }, batch.map(([, tail]) => tail).join('')));
    }
    const texts = expected.filter((part) => part !== null);
    assert.equal(view.text, texts.join(''));
    assert.deepEqual(view.blocks.map(({ seq, text }) => [seq, text]), texts.map((part, i) => [i, part]));
    for (const block of view.blocks) assert.ok(view.parts.includes(block));
  }
});

test('the cost of a delta does not grow with the length of the text', () => {
  const cost = (length) => {
    let view = apply(EMPTY, flush({ parts: [{ i: 0, part: text(0) }, { i: 0, add: length }] }, 'x'.repeat(length)));
    const started = performance.now();
    for (let i = 0; i < 5000; i++) view = apply(view, flush({ parts: [{ i: 0, add: 5 }] }, 'hello'));
    return performance.now() - started;
  };
  cost(10);
  // A copy of 20 MB per delta would be a thousand times slower; noise is not.
  assert.ok(cost(20_000_000) < 20 * cost(10) + 50);
});
