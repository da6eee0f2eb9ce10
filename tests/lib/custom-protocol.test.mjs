// A protocol that is one function, with the real engine: what it gives is a run like any other's, through cuts and repetitions, and
// what is wrong with it costs one event.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { RunClient } from '../../pkg/index.js';
import { CustomReader } from '../../pkg/lib/custom-protocol.js';
import { engine } from '../../pkg/lib/instance.js';

const encoder = new TextEncoder();
const bytesOf = (text) => encoder.encode(text);

// This server's words: a token is `t` and its text, a call is one event that is two of ours, `.` is the end.
const decode = ({ event, data }) => {
  if (event === 'end') return { type: 'done' };
  if (event === 'call') return [{ type: 'tool_start', tool: { callId: data, name: 'sql' } }, { type: 'tool_end', tool: { callId: data, result: '1' } }];
  if (event === 'note') return data === 'u' ? undefined : null;
  if (event === 'beat') return [{ type: 'content', content: data }, { type: 'ping' }];
  if (data.startsWith('!')) throw new Error(data);
  return { type: 'content', content: data.slice(1) };
};

const wire = (name, data, id) => `${id ? `id: ${id}\n` : ''}${name ? `event: ${name}\n` : ''}data: ${data}\n\n`;
const tokens = (from, to, hasIds) => Array.from({ length: to - from }, (_, i) => wire('', `tw${from + i} `, hasIds && `k-${from + i}`)).join('');
const words = (from, to) => Array.from({ length: to - from }, (_, i) => `w${from + i} `).join('');

let server;
let baseUrl;
let asked;
// What the server does with a request for a stream, in turn.
let answers;

before(async () => {
  server = createServer((request, response) => {
    asked.push([request.method, request.url, request.headers['last-event-id']]);
    const answer = request.url.endsWith('/stop') ? ['data: !not an event\n\n'] : answers.shift() ?? 204;
    if (typeof answer === 'number') return void response.writeHead(answer).end();
    const [body, isCut] = answer;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(body, () => { if (isCut) response.destroy(); });
    if (request.url.endsWith('/stop')) response.end();
    return undefined;
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  baseUrl = `http://127.0.0.1:${server.address().port}/ask/`;
});

after(() => {
  server.closeAllConnections();
  server.close();
});

const clients = [];
const newClient = (options) => {
  const client = new RunClient({ baseUrl, protocol: decode, retry: { baseMs: 1, capMs: 1 }, ...options });
  clients.push(client);
  return client;
};
beforeEach(() => { asked = []; });
afterEach(() => { for (const client of clients.splice(0)) client.close(); });

async function outcomeOf(run) {
  const { status, text, error } = await run.finished;
  return [status, text, error?.code];
}

test('a message is posted, and its answer is what decode makes of it', async () => {
  answers = [[tokens(0, 3) + wire('call', 'c') + wire('note', 'x') + tokens(3, 5) + wire('end', '')]];
  const run = newClient().send('s/1', 'Hello', { requestId: 'q' });
  assert.deepEqual(await outcomeOf(run), ['completed', words(0, 5), undefined]);
  const { parts, blocks } = run.getSnapshot();
  assert.deepEqual(parts.map(({ type, state }) => [type, state]), [['text', 'done'], ['tool', 'done'], ['text', 'done']]);
  assert.deepEqual(blocks.map(({ text }) => text), [words(0, 3), words(3, 5)]);
  assert.deepEqual(asked, [['POST', '/ask', undefined]]);
});

test('with ids a lost stream goes on after the last one, and what comes again brings nothing', async () => {
  answers = [
    [tokens(0, 3, true) + wire('call', 'c', 'c-1'), true],
    [tokens(1, 3, true) + wire('call', 'c', 'c-1') + tokens(3, 5, true), true],
    [wire('end', '', 'e-1')],
  ];
  const run = newClient().send('s', 'Hello');
  assert.deepEqual(await outcomeOf(run), ['completed', words(0, 5), undefined]);
  assert.equal(run.getSnapshot().parts.filter(({ type }) => type === 'tool').length, 1);
  assert.equal(run.getSnapshot().cursor, 'e-1');
  assert.deepEqual(asked.slice(1), [
    ['GET', '/ask/s/stream?lastEventId=c-1', 'c-1'], ['GET', '/ask/s/stream?lastEventId=k-4', 'k-4'],
  ]);
});

test('an id moves the cursor when all that was made of its event is held, and only then', async () => {
  const seen = [];
  answers = [[wire('', 'ta', 'k-0') + wire('call', 'c', 'c-1') + wire('note', '', 'n-2') + wire('', '!', 'x-3') + wire('end', '', 'e-4')]];
  const client = newClient();
  await client.subscribeRunEvents('s', 'r', { onChunk: ({ type, code }, id) => seen.push([type, id, code]) });
  assert.deepEqual(seen, [
    ['content', 'k-0', undefined], ['tool_start', null, undefined], ['tool_end', 'c-1', undefined],
    ['error', 'x-3', 'malformed-event'], ['done', 'e-4', undefined],
  ]);
  // Events that mean nothing are behind us, too.
  answers = [
    [wire('', 'ta', 'k-0') + wire('note', '', 'n-2'), true], [wire('', '!', 'x-3'), true], [wire('note', 'u', 'u-4'), true],
    [wire('beat', 'b', 'b-5'), true], [wire('beat', 'b', 'b-5') + wire('end', '')],
  ];
  asked = [];
  assert.deepEqual(await outcomeOf(client.send('s', 'Hello')), ['completed', 'ab', undefined]);
  assert.deepEqual(asked.map(([, , cursor]) => cursor), [undefined, 'n-2', 'x-3', 'u-4', 'b-5']);
});

test('a call of which an end of the stream has cut half off is asked for again, whole', async () => {
  const call = wire('call', 'c', 'c-1');
  for (let cut = 1; cut < call.length; cut++) {
    answers = [[wire('', 'ta', 'k-0') + call.slice(0, cut), true], [call + wire('end', '', 'e-2')]];
    const run = newClient().send('s', 'Hello');
    assert.deepEqual(await outcomeOf(run), ['completed', 'a', undefined]);
    assert.equal(run.getSnapshot().parts.length, 2);
  }
});

test('without ids all is told again from the start, and seen once', async () => {
  answers = [[tokens(0, 4), true], [tokens(0, 2), true], [tokens(0, 6) + wire('end', '')]];
  const run = newClient().send('s', 'Hello');
  const heard = [];
  for await (const { type, content } of run) if (type === 'content') heard.push(content);
  assert.deepEqual([run.getSnapshot().text, heard.join('')], [words(0, 6), words(0, 6)]);
});

test('events without an id come again with the one before them, and count once', async () => {
  const mixed = [wire('', 'ta', '1'), wire('', 'tb'), wire('', 'tc'), wire('', 'td', '2'), wire('', 'te'), wire('end', '')];
  for (const [held, told] of [[[0, 3], [1, 6]], [[0, 2], [1, 6]], [[0, 5], [4, 6]], [[0, 5], [3, 6]], [[0, 5], [0, 6]], [[0, 3], [0, 6]], [[0, 1], [1, 6]]]) {
    answers = [[mixed.slice(...held).join(''), true], [mixed.slice(...told).join('')]];
    assert.deepEqual(await outcomeOf(newClient().send('s', 'Hello')), ['completed', 'abcde', undefined], `${held} ${told}`);
  }
});

test('an end without a terminal event is no success', async () => {
  answers = [[tokens(0, 2), true], 204];
  assert.deepEqual(await outcomeOf(newClient().send('s', 'Hello')), ['interrupted', words(0, 2), 'run-ended']);
});

test('what throws or is none of the events is one malformed event each, and the stream goes on', async () => {
  const circular = { type: 'content' };
  circular.self = circular;
  const made = [
    () => { throw new Error('no'); }, () => 7, () => 'content', () => ({}), () => ({ type: 'token' }), () => ({ type: 'content', content: 5 }),
    () => circular, () => ({ type: 'content', content: 1n }), () => Promise.resolve(null), () => ({ type: 'content', toJSON: () => [] }),
    () => ({ type: '__proto__' }), () => Object.assign([], { type: 'content' }),
  ];
  answers = [[made.map((_, i) => wire('odd', i, `i-${i}`)).join('') + wire('odd', 'ok', 'ok-1') + wire('odd', 'end')]];
  const run = newClient({
    protocol: ({ data }) => (data === 'end' ? { type: 'done' } : data === 'ok' ? [null, { type: 'content', content: 'ok' }, false] : made[data]()),
  }).send('s', 'Hello');
  const heard = [];
  for await (const event of run) heard.push(event.code ?? event.type);
  // A list of nothing is nothing.
  assert.deepEqual(heard, [...made.slice(0, -1).map(() => 'malformed-event'), 'malformed-event', 'content', 'malformed-event', 'done']);
  assert.equal(run.getSnapshot().text, 'ok');
  assert.ok(run.trace.getSnapshot().some(({ what }) => what === 'malformed'));
});

test('decode runs once for each event of the wire, in order, and is told what an EventSource would tell', async () => {
  const seen = [];
  const protocol = { decode(event) { seen.push({ ...event, isOurs: this === protocol }); return event.event === 'end' ? { type: 'done' } : null; } };
  const stream = `: hi\nretry: 5\ndata: a\ndata: b\n\nid: 1\n\nevent: x\ndata:\n\nid: 2\nevent: y\ndata: {"é":"😀"}\n\nid\ndata: c\n\n${wire('end', '', 'é')}`;
  answers = [[stream]];
  await newClient({ protocol }).send('s', 'Hello').finished;
  assert.deepEqual(seen.map(({ event, data, id, isOurs }) => [event, data, id, isOurs]), [
    ['message', 'a\nb', '', true], ['x', '', '1', true], ['y', '{"é":"😀"}', '2', true], ['message', 'c', '', true], ['end', '', 'é', true],
  ]);
});

test('behind a lost connection the last id is the cursor that was asked with', async () => {
  const ids = [];
  const protocol = (event) => {
    ids.push(event.id);
    return decode(event);
  };
  answers = [[wire('', 'ta', 'k-0'), true], [wire('', 'tb') + wire('end', '')]];
  assert.deepEqual(await outcomeOf(newClient({ protocol }).send('s', 'Hello')), ['completed', 'ab', undefined]);
  assert.deepEqual(ids, ['k-0', 'k-0', 'k-0']);
});

test('an event that outgrows the bound ends the run, as the server said it and as decode made it', async () => {
  for (const [answer, protocol] of [
    [`${wire('', 'ta')}data: ${'x'.repeat(3000)}`, decode],
    [wire('', 'ta') + wire('', 'tb'), ({ data }) => ({ type: 'content', content: data === 'tb' ? 'b'.repeat(3000) : data.slice(1) })],
  ]) {
    answers = [[answer]];
    assert.deepEqual(await outcomeOf(newClient({ protocol, maxEventBytes: 2000 }).send('s', 'Hello')), ['interrupted', 'a', 'event-too-large']);
  }
});

test('decode may use the run and close it', async () => {
  let run;
  let calls = 0;
  const texts = [];
  answers = [[tokens(0, 50)]];
  const client = newClient({ protocol: (event) => {
    calls += 1;
    texts.push(run.getSnapshot().text);
    if (calls === 5) run.close();
    return decode(event);
  } });
  run = client.send('s', 'Hello');
  const { status, error } = await run.finished;
  assert.deepEqual([status, error.code, calls], ['interrupted', 'aborted', 5]);
  // Nothing of a chunk is told before all of it is decoded.
  assert.deepEqual(texts, ['', '', '', '', '']);
  const own = newClient({ protocol: () => { own.close(); return null; } });
  answers = [[tokens(0, 5)]];
  assert.equal((await own.send('s', 'Hello').finished).error.code, 'aborted');
});

test('an adopted stream is read the same way; an object is the text of its JSON', async () => {
  const text = tokens(0, 3, true) + wire('end', '', 'e');
  const json = ({ data }) => {
    const { say } = JSON.parse(data);
    return say === undefined ? { type: 'done' } : { type: 'content', content: say };
  };
  const client = newClient();
  for (const source of [[text], [bytesOf(text).subarray(0, 40), bytesOf(text).subarray(40)], [text.slice(0, 7), text.slice(7)]]) {
    assert.deepEqual(await outcomeOf(client.adopt({ sessionId: 's' }, ReadableStream.from(source))), ['completed', words(0, 3), undefined]);
  }
  const objects = ReadableStream.from([{ say: 'a' }, { say: 'b' }, {}]);
  assert.deepEqual(await outcomeOf(newClient({ protocol: json }).adopt({ sessionId: 's' }, objects)), ['completed', 'ab', undefined]);
  const cursors = [];
  const again = client.adopt({ sessionId: 's' }, (cursor) => {
    cursors.push(cursor);
    return ReadableStream.from(cursor === null ? [tokens(0, 2, true)] : [tokens(1, 3, true), wire('end', '')]);
  });
  assert.deepEqual(await outcomeOf(again), ['completed', words(0, 3), undefined]);
  assert.deepEqual(cursors, [null, 'k-1']);
  assert.deepEqual(await outcomeOf(client.adopt({ sessionId: 's' }, ReadableStream.from([tokens(0, 2)]))), ['interrupted', words(0, 2), 'truncated']);
});

test('after a reload what runs is found by its stream, and nothing where there is none', async () => {
  const client = newClient();
  answers = [[tokens(0, 2) + wire('end', '')], 204];
  const run = await client.resume('s');
  assert.deepEqual(await outcomeOf(run), ['completed', words(0, 2), undefined]);
  assert.equal(await client.resume('s'), null);
});

test('stop() asks the server, and the run is the user\'s', async () => {
  answers = [[tokens(0, 2)]];
  let events = 0;
  const run = newClient({ protocol: (event) => {
    events += 1;
    return decode(event);
  } }).send('s', 'Hello');
  await new Promise((resolve) => { run.subscribe(({ text }) => text && resolve(), { notify: 'sync' }); });
  await run.stop();
  const { status, by } = await run.finished;
  assert.deepEqual([status, by, asked.at(-1).slice(0, 2)], ['cancelled', 'user', ['POST', '/ask/s/stop']]);
  assert.equal(events, 2, 'the reply to the stop is none of its events');
});

test('a chunk of the network is a few calls into the engine, however many events it holds', async () => {
  const { RawEventStream, RawHost } = engine();
  const calls = {};
  const originals = [[RawEventStream.prototype, 'room'], [RawEventStream.prototype, 'push'], [RawEventStream.prototype, 'free'], [RawHost.prototype, 'chunk']].map(([of, name]) => {
    const original = of[name];
    of[name] = function count(...args) {
      calls[name] = (calls[name] ?? 0) + 1;
      return original.apply(this, args);
    };
    return () => { of[name] = original; };
  });
  const chunks = [0, 500, 1000].map((from) => bytesOf(tokens(from, from + 500, true)));
  const run = newClient().adopt({ sessionId: 's' }, ReadableStream.from([...chunks, bytesOf('event: e'), 'nd\ndata\n\n']));
  assert.ok((await run.finished).text === words(0, 1500));
  assert.deepEqual(calls, { room: 5, push: 5, chunk: 5, free: 1 });
  // And nothing is left of a stream that has ended, or that was left.
  assert.deepEqual(await outcomeOf(newClient().adopt({ sessionId: 's' }, ReadableStream.from(['data: ta']))), ['interrupted', '', 'truncated']);
  newClient().adopt({ sessionId: 's' }, new ReadableStream()).close();
  for (const restore of originals) restore();
  assert.equal(calls.free, 3);
});

test('what was made of one event stands between marks with its id', () => {
  const reader = new CustomReader(decode, 1e6, 'k-9');
  const { text } = reader.read(bytesOf(`: hi\n${tokens(0, 2, true)}${wire('call', 'c', 'c-1')}${wire('note', '', 'n-1')}retry: 7\n\n`));
  assert.equal(text, [
    ':\n', 'id: k-0\ndata: {"type":"content","content":"w0 "}\n\n', 'id: k-1\ndata: {"type":"content","content":"w1 "}\n\n',
    'id: c-1\n\n', 'data: {"type":"tool_start","tool":{"callId":"c","name":"sql"}}\n\n',
    'id: c-1\ndata: {"type":"tool_end","tool":{"callId":"c","result":"1"}}\n\n', 'id: n-1\n\nid: n-1\n\n', 'retry: 7\n',
  ].join(''));
  assert.equal(reader.read(bytesOf(wire('note', 'u'))).text, '');
  // An id that is reset is none.
  assert.equal(reader.read(bytesOf('id\ndata: ta\n\n')).text, 'data: {"type":"content","content":"a"}\n\n');
  assert.deepEqual(reader.read(bytesOf('data: half')), { text: '', isOverflown: false });
  reader.close();
  reader.close();
});
