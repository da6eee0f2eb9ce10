import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRunCore } from '../../pkg/index.js';

const frame = (name, payload, id) => `${id ? `id: ${id}\n` : ''}event: ${name}\ndata: ${JSON.stringify({ type: name, ...payload })}\n\n`;

// A run with everything: reasoning, a tool between two blocks, characters of every width, heartbeats.
const TEXTS = [['Привет, ', 'мир! ', '日本語 '], ['👩‍👩‍👧 emoji\n', 'and e\u0301 accents']];
const RUN = [
  ': stream-open\n\n',
  frame('thinking', { content: 'hmm', runId: 'r1' }, '5-0'),
  ...TEXTS[0].map((content, i) => frame('content', { content, runId: 'r1', timestamp: 1712345678000 + i }, `6-${i}`)),
  frame('ping', { timestamp: 1 }),
  frame('text_block_end', { textBlockSeq: 0 }, '7-0'),
  frame('tool_start', { tool: { callId: 'c1', name: 'sql', arguments: '{"q":1}' } }, '7-1'),
  frame('tool_end', { tool: { callId: 'c1', name: 'sql', arguments: '{"q":1}', result: '[]', durationMs: 12 } }, '7-2'),
  ...TEXTS[1].map((content, i) => frame('content', { content }, `8-${i}`)),
  frame('usage', { usage: { totalTokens: 3 } }, '9-0'),
  frame('done', { generationMs: 5 }, '9-1'),
].join('');
const BYTES = new TextEncoder().encode(RUN);
const TEXT = TEXTS.flat().join('');

const checkWhole = (snapshot) => {
  assert.equal(snapshot.status, 'completed');
  assert.equal(snapshot.text, TEXT);
  assert.deepEqual(snapshot.blocks.map(({ seq, text, state }) => [seq, text, state]), TEXTS.map((texts, i) => [i, texts.join(''), 'done']));
  assert.deepEqual(snapshot.parts.map(({ type }) => type), ['reasoning', 'text', 'tool', 'text']);
  const [reasoning, , tool] = snapshot.parts;
  assert.equal(reasoning.text, 'hmm');
  assert.deepEqual([tool.callId, tool.name, tool.arguments, tool.result, tool.durationMs, tool.state], ['c1', 'sql', '{"q":1}', '[]', 12, 'done']);
  assert.deepEqual(snapshot.usage, { totalTokens: 3 });
  assert.equal(snapshot.cursor, '9-1');
  assert.equal(snapshot.error, null);
};

const fold = (...pushes) => foldAll(pushes);
const foldAll = (pushes) => {
  const core = createRunCore();
  for (const bytes of pushes) core.push(bytes);
  const snapshot = core.snapshot();
  core.free();
  return snapshot;
};

test('a run in one piece', () => checkWhole(fold(BYTES)));

test('a run as a string', () => checkWhole(fold(RUN)));

test('a run cut at every byte', () => {
  for (let cut = 0; cut <= BYTES.length; cut++) checkWhole(fold(BYTES.subarray(0, cut), BYTES.subarray(cut)));
});

test('a run byte by byte, looked at after each', () => {
  const core = createRunCore();
  let last = core.snapshot();
  assert.equal(last.status, 'pending');
  for (const byte of BYTES) {
    core.push(Uint8Array.of(byte));
    const snapshot = core.snapshot();
    assert.ok(TEXT.startsWith(snapshot.text));
    assert.ok(snapshot.text.startsWith(last.text));
    last = snapshot;
  }
  checkWhole(last);
  core.free();
});

test('a snapshot stays the same object until bytes change it, and its finished parts for ever', () => {
  const core = createRunCore();
  core.push(frame('content', { content: 'a' }, '1-0') + frame('text_block_end', { textBlockSeq: 0 }, '1-1') + frame('content', { content: 'b' }, '1-2'));
  const first = core.snapshot();
  assert.equal(core.snapshot(), first);
  core.push(': a heartbeat\n\n');
  assert.equal(core.snapshot(), first);
  core.push(frame('content', { content: 'c' }, '1-3'));
  const second = core.snapshot();
  assert.equal(second.parts[0], first.parts[0]);
  assert.equal(second.blocks[0], first.blocks[0]);
  assert.equal(second.text, 'abc');
  assert.equal(first.text, 'ab');
  assert.ok(Object.isFrozen(second) && Object.isFrozen(second.parts) && Object.isFrozen(second.parts[1]));
  core.free();
});

test('a chunk larger than the window, and memory that grows under it', () => {
  const content = 'слово '.repeat(2000);
  const frames = Array.from({ length: 400 }, (_, i) => frame('content', { content }, `1-${i}`)).join('');
  const bytes = new TextEncoder().encode(frames + frame('done', {}, '2-0'));
  assert.ok(bytes.length > 8_000_000);
  const small = createRunCore();
  small.push(frame('content', { content: 'before' }, '1-0'));
  const snapshot = fold(bytes);
  assert.equal(snapshot.text, content.repeat(400));
  assert.equal(snapshot.status, 'completed');
  // The other core's window has been detached meanwhile.
  small.push(frame('content', { content: ' after' }, '1-1'));
  assert.equal(small.snapshot().text, 'before after');
  small.free();
});

test('chunks of every size up to the window and beyond it lose nothing', () => {
  const content = 'x'.repeat(1000);
  const bytes = new TextEncoder().encode(Array.from({ length: 300 }, (_, i) => frame('content', { content: `${i} ${content}` }, `1-${i}`)).join(''));
  const expected = Array.from({ length: 300 }, (_, i) => `${i} ${content}`).join('');
  for (const size of [1, 200, 8191, 8192, 16384, 65535, 65536, 65537, 200000]) {
    const pushes = [];
    for (let at = 0; at < bytes.length; at += size) pushes.push(bytes.subarray(at, at + size));
    assert.equal(foldAll(pushes).text, expected, `chunks of ${size}`);
  }
});

test('an end without a terminal event is a truncation, and keeps the text', () => {
  const core = createRunCore();
  core.push(frame('content', { content: 'half' }, '1-0'));
  core.end();
  const { status, error, text } = core.snapshot();
  assert.deepEqual([status, error.code, text], ['interrupted', 'truncated', 'half']);
  core.free();
});

test('the first terminal event wins, and the run\'s own failure has the server\'s words', () => {
  const { status, error, text } = fold(frame('content', { content: 'a' }) + frame('error', { error: 'internal error' }) + frame('done', {}) + frame('content', { content: 'b' }));
  assert.deepEqual([status, error.code, error.detail, text], ['failed', 'server-error', 'internal error', 'a']);
});

test('a replayed event changes nothing', () => {
  const once = frame('content', { content: 'a' }, '1-0') + frame('content', { content: 'b' }, '1-10');
  assert.equal(fold(once, once, frame('content', { content: 'c' }, '1-9'), frame('content', { content: 'd' }, '2-0')).text, 'abd');
});

test('an event that outgrows its bound is told', () => {
  const core = createRunCore({ maxEventBytes: 1000 });
  core.push(frame('content', { content: 'ok' }) + frame('content', { content: 'x'.repeat(2000) }));
  const { status, error, text } = core.snapshot();
  assert.deepEqual([status, error.code, text], ['interrupted', 'event-too-large', 'ok']);
  core.free();
});

test('misuse is refused by name', () => {
  assert.throws(() => createRunCore({ protocol: 'grpc' }), { path: 'protocol' });
  assert.throws(() => createRunCore({ maxEventBytes: -1 }), { path: 'maxEventBytes' });
  const core = createRunCore();
  assert.throws(() => core.push([1]), { path: 'bytes' });
  core.free();
  core.free();
  for (const call of [() => core.push(BYTES), () => core.snapshot(), () => core.end()]) assert.throws(call, { code: 'invalid-state' });
});

test('rows of a durable stream fold to the first answer of it', () => {
  const row = (messageId, role, seq, chunk) => ({ key: `${messageId}:${seq}`, value: { messageId, role, seq, chunk: JSON.stringify(chunk) } });
  const text = (seq, delta) => row('m', 'assistant', seq, { type: 'TEXT_MESSAGE_CONTENT', delta });
  const data = (...rows) => `event: data\ndata: ${JSON.stringify(rows)}\n\n`;
  const core = createRunCore({ protocol: 'chunks' });
  core.push(data(row('q', 'user', 0, { type: 'whole-message' }), text(0, 'При'), text(1, 'вет')));
  assert.equal(core.snapshot().cursor, '-1/2');
  core.push('event: control\ndata: {"streamNextOffset":"0_3","upToDate":true}\n\n');
  assert.deepEqual([core.snapshot().runId, core.snapshot().cursor], ['m', '0_3']);
  // Told again from the start, with another message among the rows.
  core.push(data(text(1, 'вет'), row('x', 'assistant', 0, { type: 'message-end' }), text(2, ', мир'), row('m', 'assistant', 3, { type: 'message-end' })));
  const { status, text: told } = core.snapshot();
  core.free();
  assert.deepEqual([status, told], ['completed', 'Привет, мир']);
});
