// What a chat's replay gives is, to the reducer of the `ai` package, what the wire gave: whoever joins whenever, and reads however.
// SEED=17 plays one stream, RUNS=5000 so many.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AbstractChat } from 'ai';
import { Replay } from '../../pkg/lib/replay.js';
import { Chance } from '../e2e/support/schedule.mjs';
import { plain } from './plain.mjs';
import { sequenceOf } from './sequences.mjs';

const only = process.env.SEED && Number(process.env.SEED);
const RUNS = Number(process.env.RUNS ?? 80);

/** As the SDK's parser has it, but for what the replay takes out of it. */
const disarmed = (json) => JSON.parse(json, (key, value) => (
  key === '__proto__' || (key === 'constructor' && value && Object.hasOwn(value, 'prototype')) ? undefined : value));

/** The message that the SDK makes of a stream, as far as it comes, and what it throws. */
async function messageOf(stream) {
  const state = {
    status: 'ready', messages: [], snapshot: structuredClone,
    pushMessage: (message) => { state.messages = [...state.messages, message]; },
    replaceMessage: (index, message) => { state.messages = state.messages.with(index, structuredClone(message)); },
  };
  let end;
  let thrown;
  const chat = new AbstractChat({
    id: 'chat', generateId: () => 'made', state,
    transport: { sendMessages: async () => stream, reconnectToStream: async () => null },
    onFinish: (given) => { end = given; },
    onError: (error) => { thrown = error.message; },
  });
  await chat.sendMessage();
  const { message, finishReason } = end;
  return plain({ message: structuredClone(message), finishReason, thrown });
}

const streamOf = (chunks) => new ReadableStream({
  start(controller) {
    for (const chunk of chunks) controller.enqueue(chunk);
    controller.close();
  },
});

/** A stream that is read in fits and starts, so that what comes meanwhile is joined. */
const haltingly = (stream, chance) => stream.pipeThrough(new TransformStream({
  async transform(chunk, controller) {
    for (let turns = chance.between(0, 3); turns > 0; turns--) await new Promise(setImmediate);
    controller.enqueue(chunk);
  },
}));

async function play(seed) {
  const { frames } = sequenceOf(seed);
  const chance = new Chance(seed);
  const replay = new Replay();
  const joined = [];
  const join = () => joined.push(messageOf(haltingly(replay.read(), chance)));
  for (const json of frames) {
    if (chance.is(10)) join();
    replay.append(JSON.parse(json));
    // Long enough, at times, that some have read all there is.
    if (chance.is(30)) for (let turns = chance.between(1, 12); turns > 0; turns--) await new Promise(setImmediate);
  }
  join();
  replay.end();
  join();
  const expected = await messageOf(streamOf(frames.map(disarmed)));
  for (const message of await Promise.all(joined)) assert.deepEqual(message, expected);
  return joined.length;
}

test('whoever joins whenever has the same message', async (t) => {
  const seeds = only ? [only] : Array.from({ length: RUNS }, (_, i) => 1 + i);
  const failures = [];
  let readers = 0;
  // Side by side: they mostly wait for each other's turns.
  while (seeds.length > 0) {
    await Promise.all(seeds.splice(0, 50).map(async (seed) => {
      try {
        const joined = await play(seed);
        readers += joined;
      } catch (error) {
        failures.push(`SEED=${seed}: ${error.message}`);
      }
    }));
  }
  assert.equal(failures.length, 0, `${failures.length} failed:\n\n${failures.slice(0, 5).join('\n\n')}`);
  t.diagnostic(`${readers} readers`);
});

const collect = async (stream) => {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
};
const delta = (text, more) => ({ type: 'text-delta', id: '0', delta: text, ...more });

test('deltas in a row are one, up to a size, with the last metadata', async () => {
  const replay = new Replay();
  replay.append(delta('a', { providerMetadata: { p: { n: 1 } } }));
  for (const text of ['b', '']) replay.append(delta(text));
  replay.append(delta('c', { providerMetadata: null }));
  replay.append({ ...delta('x'), id: '1' });
  for (let i = 0; i < 10_000; i++) replay.append(delta('y'));
  replay.end();
  const [first, other, ...rest] = await collect(replay.read());
  assert.deepEqual([first, other], [delta('abc', { providerMetadata: { p: { n: 1 } } }), { ...delta('x'), id: '1' }]);
  assert.deepEqual(rest.map((chunk) => chunk.delta.length), [4096, 4096, 10_000 - 8192]);
});

test('a reader that keeps up has every chunk as it came, and gets it before the next', async () => {
  const replay = new Replay();
  const reader = replay.read().getReader();
  for (const text of ['a', '', 'b']) {
    const reading = reader.read();
    replay.append(delta(text));
    assert.deepEqual((await reading).value, delta(text));
  }
});

test('what one reader does to a chunk is not what another has', async () => {
  const replay = new Replay();
  replay.append({ type: 'data-a', id: '1', data: { deep: [1] } });
  replay.end();
  const [chunk] = await collect(replay.read());
  chunk.data.deep.push(2);
  chunk.data = null;
  assert.deepEqual((await collect(replay.read()))[0].data, { deep: [1] });
});

test('an error comes behind the last chunk, to readers of later, too', async () => {
  const replay = new Replay();
  const error = new Error('lost');
  const early = replay.read().getReader();
  replay.append(delta('a'));
  replay.end(error);
  for (const reader of [early, replay.read().getReader()]) {
    assert.deepEqual((await reader.read()).value, delta('a'));
    await assert.rejects(reader.read(), error);
  }
});

test('a signal closes its own stream, at once and also while it waits', async () => {
  const replay = new Replay();
  replay.append(delta('a'));
  const abort = new AbortController();
  const [left, other] = [replay.read(abort.signal).getReader(), replay.read().getReader()];
  await left.read();
  const waiting = left.read();
  abort.abort();
  assert.ok((await waiting).done);
  assert.ok((await replay.read(abort.signal).getReader().read()).done);
  replay.append(delta('b'));
  replay.end();
  assert.equal((await other.read()).value.delta, 'ab');
  assert.ok((await other.read()).done);
});
