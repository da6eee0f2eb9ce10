// What tabs hear of each other, and what they do not. SEED=17 posts one page's nonsense, RUNS=20000 so much of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { Channel, VERSION } from '../../pkg/lib/tabs/channel.js';
import { Chance } from '../e2e/support/schedule.mjs';
import { Browser } from './fake-browser.mjs';

const RUNS = Number(process.env.RUNS ?? 500);
const SEEDS = process.env.SEED ? [Number(process.env.SEED)] : Array.from({ length: RUNS }, (_, i) => i + 1);
const NAME = `steadystream/${VERSION}/scope`;

const bytes = Uint8Array.of(1, 2);
const head = { status: 200, contentType: 'text/event-stream', retryAfter: null };
/** One of each kind, as the tabs say it. */
const MESSAGES = {
  ask: { cursor: '5-0' },
  left: {},
  ping: {},
  wait: {},
  pong: { to: 'me', n: 'you.1' },
  alone: { to: 'me' },
  start: { n: 'you.1' },
  head: { n: 'you.1', head },
  chunk: { n: 'you.1', i: 0, bytes },
  end: { n: 'you.1', how: 'failed' },
  here: { to: 'me', cursor: '2-0', n: 'you.1', i: 3, head, record: '{"cursor":"5-0"}', tail: bytes },
};
const whole = (kind) => ({ v: VERSION, kind, from: 'you', stream: 's', ...MESSAGES[kind] });

/** A tab called `me` and another page of its origin; `play({ browser, me, foreign, heard })`. */
const playPages = async (seed, play) => {
  const browser = new Browser(new Chance(seed));
  browser.install();
  try {
    const heard = [];
    const [tab, page] = [browser.add('me'), browser.add('page')];
    const me = await browser.run(tab, () => new Channel('scope', 'me', (message) => heard.push(message)));
    const foreign = await browser.run(page, () => new BroadcastChannel(NAME));
    const post = (data) => browser.run(page, () => foreign.postMessage(data));
    await play({ browser, tab, me, page, post, heard, pass: () => browser.pass(50) });
  } finally {
    browser.uninstall();
  }
};

test('each kind of message is heard as it was said', () => playPages(1, async ({ post, heard, pass }) => {
  for (const kind of Object.keys(MESSAGES)) await post(whole(kind));
  await pass();
  assert.deepEqual(heard, Object.keys(MESSAGES).map(whole));
}));

test('a message says its version, its stream and who says it, whatever else it says', () => playPages(1, async ({ browser, page, tab, me, pass }) => {
  const heard = [];
  await browser.run(page, () => {
    const other = new BroadcastChannel(NAME);
    other.onmessage = ({ data }) => heard.push(data);
  });
  await browser.run(tab, () => me.post('s', 'ask', { cursor: null, kind: 'left', from: 'you' }));
  await pass();
  assert.deepEqual(heard, [{ v: VERSION, kind: 'ask', from: 'me', stream: 's', cursor: null }]);
}));

test('what is for another tab, of another version or said elsewhere is not heard', () => playPages(1, async ({ browser, page, post, heard, pass }) => {
  for (const kind of Object.keys(MESSAGES)) {
    await post({ ...whole(kind), v: VERSION + 1 });
    await post({ ...whole(kind), v: String(VERSION) });
    if (MESSAGES[kind].to) await post({ ...whole(kind), to: 'another' });
    for (const name of ['steadystream', `steadystream/${VERSION + 1}/scope`, `steadystream/${VERSION}/scope/s`, `steadystream/${VERSION}/other`]) {
      await browser.run(page, () => new BroadcastChannel(name).postMessage(whole(kind)));
    }
  }
  await pass();
  assert.deepEqual(heard, []);
}));

/** Whatever can be posted at all. */
const VALUES = [
  undefined, null, true, NaN, -1, 0, 1.5, 999, 1000, 65_736, 2 ** 53, 7n, '', 'me', 'x'.repeat(100_000), '\ud800', VERSION, new Date(0), /x/,
  new Map([['v', 1]]), new Set([1]), new Error('no'), new Uint8Array(3), new Uint16Array(3), new ArrayBuffer(3), new DataView(new ArrayBuffer(3)),
  Object(VERSION), Object('ask'), ['ask'], [], {}, ...Object.keys(MESSAGES), 'mark', 'constructor', '__proto__', 'toString',
  'ended', 'refused', 'overflown', 'moved', 'crowded', head, { ...head, contentType: null, retryAfter: '1' },
  // No text, and no way to make one of it.
  { toString: 1, valueOf: null }, JSON.parse('{"__proto__":{"v":1,"kind":"ask"},"constructor":1}'),
];
for (const name of Object.keys(head)) VALUES.push(...VALUES.slice(0, 20).map((value) => ({ ...head, [name]: value })));

const valueOf = (chance, depth = 2) => {
  if (depth === 0 || chance.is(60)) return chance.pick(VALUES);
  if (chance.is(30)) return Array.from({ length: chance.between(0, 3) }, () => valueOf(chance, depth - 1));
  return Object.fromEntries(Array.from({ length: 4 }, () => [chance.pick(['v', 'kind', 'from', 'stream', 'to', 'n']), valueOf(chance, depth - 1)]));
};

const isText = (value) => typeof value === 'string';
const isCount = (value) => Number.isInteger(value) && value >= 0 && value < 2 ** 53;
const isTextOrNull = (value) => value === null || isText(value);
const isBytes = (value) => Object.prototype.toString.call(value) === '[object Uint8Array]';
const isHead = (value) => isCount(value?.status) && value.status < 1000 && isTextOrNull(value.contentType) && isTextOrNull(value.retryAfter);
/** What each member may be, once more and by name. */
const MEMBERS = {
  cursor: isTextOrNull, to: (value) => value === 'me', i: isCount, bytes: isBytes, tail: isBytes, record: isText, from: isText, stream: isText,
  v: (value) => value === VERSION, kind: (value) => isText(value),
  how: (value) => ['ended', 'failed', 'refused', 'overflown', 'moved', 'crowded'].includes(value),
};
const isSound = (kind, name, value) => {
  if (name === 'n') return kind === 'pong' ? isTextOrNull(value) : isText(value);
  if (name === 'head') return isHead(value) || (kind === 'here' && value === null);
  return MEMBERS[name](value);
};

test('a message with one wrong member is not heard', () => playPages(1, async ({ post, heard, pass }) => {
  for (const kind of Object.keys(MESSAGES)) {
    for (const name of Object.keys(whole(kind)).filter((one) => one !== 'kind')) {
      const { [name]: left, ...rest } = whole(kind);
      await post(rest);
      const sound = [];
      for (const value of VALUES) {
        await post({ ...rest, [name]: value });
        if (isSound(kind, name, value)) sound.push(value);
      }
      await pass();
      assert.deepEqual(heard.splice(0).map((message) => message[name]), sound, `${kind} with ${name}`);
      assert.ok(sound.length < VALUES.length);
    }
  }
}));

test('nor is any other nonsense, and none of it throws', async () => {
  for (const seed of SEEDS) {
    const chance = new Chance(seed);
    await playPages(seed, async ({ post, heard, pass }) => {
      for (let i = 0; i < 5; i += 1) {
        await post(valueOf(chance));
        await post({ ...whole(chance.pick(Object.keys(MESSAGES))), kind: valueOf(chance) });
      }
      await pass();
      for (const { kind } of heard) assert.ok(kind === 'mark' || Object.hasOwn(MESSAGES, kind), `SEED=${seed}: ${inspect(kind)}`);
    });
  }
});

test('a mark comes back to its own tab alone, behind all that was said before', async () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    await playPages(seed, async ({ browser, tab, me, page, post, heard, pass }) => {
      browser.isOrdered = true;
      const others = [];
      await browser.run(page, () => new Channel('scope', 'you', (message) => others.push(message)));
      for (let i = 0; i < 5; i += 1) await post({ ...whole('chunk'), i });
      await browser.run(tab, () => me.mark('s'));
      await post({ ...whole('chunk'), i: 5 });
      await pass();
      assert.deepEqual(heard.map(({ kind, i }) => i ?? kind), [0, 1, 2, 3, 4, 'mark', 5]);
      assert.deepEqual([heard[5].stream, others.filter(({ kind }) => kind === 'mark')], ['s', []]);
      assert.deepEqual([tab.channels.size, page.channels.size], [1, 2], 'what a mark is posted with is closed');
    });
  }
});

test('a channel that is closed hears nothing, not even what was on its way', () => playPages(1, async ({ browser, tab, me, post, heard, pass }) => {
  await post(whole('ask'));
  await browser.run(tab, () => me.close());
  await post(whole('ask'));
  await pass();
  assert.deepEqual([heard, tab.channels.size], [[], 0]);
}));
