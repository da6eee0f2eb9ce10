// One stream that several tabs want: whatever becomes of them, of their locks and of the network, each that lives has every event
// once and in order. SEED=17 plays one schedule, to look at it; RUNS=20000 plays so many.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VERSION } from '../../pkg/lib/tabs/channel.js';
import { CHANNEL, World } from './fake-world.mjs';

const RUNS = Number(process.env.RUNS ?? 200);
const SEEDS = process.env.SEED ? [Number(process.env.SEED)] : Array.from({ length: RUNS }, (_, i) => i + 1);

const KINDS = [
  { cursors: true, isWhole: false },
  { cursors: false, isWhole: true },
  { cursors: true, isWhole: true },
  // More than is kept of a connection for those who join in.
  { cursors: false, isWhole: false, padding: 6000 },
  { cursors: false, isWhole: false, padding: 6000, retells: true },
];

/** What a page of another make may post: nonsense, and words of ours that mean nothing to anybody here. */
const foreign = (chance) => chance.pick([
  () => null, () => 'ask', () => ({ kind: 'end' }), () => ({ v: VERSION, kind: 'end', from: 'x', stream: 'run', n: 1, how: 'failed' }),
  () => ({ v: VERSION, kind: { toString: 1 }, from: 'x', stream: 'run' }), () => ({ v: VERSION, kind: 'chunk', from: 'x', stream: 'run', n: 'x.1', i: 0, bytes: [1] }),
  () => ({ v: VERSION, kind: 'end', from: 'x', stream: 'other', n: 'x.1', how: 'failed' }), () => ({ v: VERSION + 1, kind: 'start', from: 'x', stream: 'run', n: 'x.1' }),
  () => ({ v: VERSION, kind: 'ask', from: 'x', stream: 'run', cursor: 'y'.repeat(1000) }), () => ({ v: VERSION, kind: 'ping', from: 'x', stream: 'run' }),
  () => ({ v: VERSION, kind: 'left', from: 'x', stream: 'run' }), () => ({ v: VERSION, kind: 'end', from: 'x', stream: 'run', n: 'x.1', how: 'failed' }),
])();

/** What may happen to tabs of a world, in the weather of this seed. */
const ACTIONS = {
  join: async (world, options) => {
    if (world.living.length < 8) await world.join(options());
  },
  die: async (world, options, tab) => {
    if (tab) world.die(tab);
  },
  leave: async (world, options, tab) => {
    if (tab) await world.leave(tab);
  },
  'come back': async (world, options) => {
    const away = [...world.runs].find(([tab, run]) => run.isOver && !tab.isDead);
    if (away) await world.open(away[0], options());
  },
  events: async (world) => world.server.add(world.chance.between(1, 12)),
  retry: async (world, options, tab) => {
    if (tab) await world.browser.run(tab, () => world.runs.get(tab).retry());
  },
  foreign: async (world) => {
    await world.browser.run(world.foreign, () => world.foreign.channel.postMessage(foreign(world.chance)));
  },
  hang: async (world, options, tab) => {
    tab?.hang(world.chance.pick([50, 900, 3000, 8000, 12_000]));
  },
  'all hang': async (world) => {
    const ms = world.chance.pick([900, 8000, 30_000]);
    for (const tab of world.tabs) tab.hang(ms);
  },
  cut: async ({ server, chance }) => {
    if (server.connections.size > 0) server.cut(chance.pick([...server.connections]));
  },
  refuse: async ({ server, chance }) => {
    server.faults.push(...Array.from({ length: chance.between(1, 3) }, () => chance.pick(['refuse', 'fail', 'crowd', 'stall'])));
  },
  stall: async ({ server, chance }) => {
    if (server.connections.size > 0) server.stall(chance.pick([...server.connections]));
  },
};

const CALM = ['join', 'die', 'leave', 'come back', 'events', 'events', 'events', 'foreign'];
const NETWORK = ['cut', 'cut', 'refuse', 'stall', 'retry'];
const WEATHERS = {
  calm: CALM,
  network: [...CALM, ...NETWORK],
  hangs: [...CALM, 'hang', 'hang', 'all hang'],
  all: [...CALM, ...NETWORK, 'hang', 'hang', 'all hang'],
};

const playSchedule = (seed, count) => {
  let options;
  const { chance: first } = new World(seed);
  const kind = { ...first.pick(KINDS), lineEnd: first.pick(['\n', '\r\n', '\r']) };
  const weather = first.pick(Object.keys(WEATHERS));
  return World.play(seed, kind, async (world) => {
    const { browser, chance, server } = world;
    browser.isOrdered = chance.is(40);
    browser.mostLatency = chance.pick([0.5, 3, 20]);
    browser.locks.isRefused = chance.is(3);
    world.foreign = browser.add('a foreign page');
    world.foreign.isForeign = true;
    world.foreign.channel = await browser.run(world.foreign, () => new BroadcastChannel(CHANNEL));
    options = () => ({
      isOwn: kind.isWhole && chance.is(30),
      isNative: kind.lineEnd === '\n' && chance.is(30),
      restless: weather === 'all' && chance.is(20) ? 3 : 0,
    });
    for (let i = chance.between(1, 4); i > 0; i -= 1) await world.join(options());
    for (let steps = chance.between(5, 40); steps > 0; steps -= 1) {
      const awake = world.living.map(([tab]) => tab).filter((tab) => !tab.isHung);
      await ACTIONS[chance.pick(WEATHERS[weather])](world, options, awake.length > 0 ? chance.pick(awake) : null);
      await world.pass(chance.pick([0, 1, 5, 20, 300, 1500, 6000]));
    }
    // From here on nothing more goes wrong.
    server.faults = [];
    await world.pass(90_000);
    if (world.living.length < 2) await world.join();
    await world.pass(1000);
    if (!browser.locks.isRefused) await world.assertFair(3);
    if (weather === 'calm' || weather === 'network') assert.deepEqual(browser.locks.robbed, [], 'who lives and answers is not robbed');
    if (chance.is(30)) {
      for (const [tab] of world.living) await world.leave(tab);
      await world.assertNothingLeft();
    } else {
      await world.assertEnd();
    }
    count(world, weather);
  });
};

test('whatever becomes of tabs and network, all that live have every event once and in order, and nothing is left', async (t) => {
  const sums = { connections: 0, tabs: 0, records: 0, robbed: 0, alone: 0 };
  const failures = [];
  for (const seed of SEEDS) {
    try {
      await playSchedule(seed, ({ server, runs, posts, browser }) => {
        sums.connections += server.asked.length;
        sums.tabs += runs.size;
        sums.records += posts.filter(({ kind, record }) => kind === 'here' && record !== '').length;
        sums.alone += posts.filter(({ kind }) => kind === 'alone').length;
        sums.robbed += browser.locks.robbed.length;
      });
    } catch (error) {
      if (process.env.SEED) throw error;
      failures.push(`SEED=${seed}: ${error.message.split('\n')[0]}`);
    }
  }
  t.diagnostic(Object.entries(sums).map(([name, count]) => `${count} ${name}`).join(', '));
  assert.deepEqual(failures.slice(0, 20), [], `${failures.length} of ${SEEDS.length} schedules`);
});

// ---- one situation each ----

const LOG = KINDS[0];
const WHOLE = KINDS[1];

/** So many tabs of a world in order, which all have so many events. */
const gather = async (world, count, events = 10) => {
  world.browser.isOrdered = true;
  const tabs = [];
  for (let i = 0; i < count; i += 1) {
    tabs.push(await world.join());
    await world.pass(50);
  }
  world.server.add(events);
  await world.pass(200);
  assert.deepEqual(tabs.map((tab) => world.have(tab)), tabs.map(() => events));
  return tabs;
};

const situation = (promise, kind, play) => test(promise, async () => {
  for (const seed of [1, 2, 3]) await World.play(seed, kind, play);
});

situation('twenty tabs have one connection', LOG, async (world) => {
  await gather(world, 20);
  await world.assertFair(20);
  await world.assertEnd();
  assert.deepEqual([world.server.asked.length, world.said('ping')], [1, []], 'and no questions while it says something');
});

situation('what a native source tells is told to the others as well', LOG, async (world) => {
  await world.join({ isNative: true });
  await gather(world, 2);
  await world.assertFair();
  await world.assertEnd();
  assert.equal(world.server.asked.length, 1);
});

situation('who is alone says what others have to know, and nothing of what it is told', LOG, async (world) => {
  await gather(world, 1);
  const other = await world.join();
  await world.pass(100);
  await world.leave(other);
  await world.pass(100);
  await world.assertFair();
  await world.assertEnd();
  assert.deepEqual(world.posts.map(({ kind }) => kind), ['ask', 'start', 'ask', 'here', 'left']);
});

situation('when a holder dies, another goes on from what it has itself, once', LOG, async (world) => {
  const tabs = await gather(world, 4);
  for (const [i, tab] of tabs.slice(0, 3).entries()) {
    assert.equal(world.holder, tab);
    world.die(tab);
    await world.pass(100);
    world.server.add();
    assert.equal(world.server.asked.length, i + 2);
    assert.deepEqual([world.server.asked.at(-1).tab, world.server.asked.at(-1).cursor], [tabs[i + 1], String(10 + i)]);
    await world.pass(100);
  }
  assert.ok(world.said('here').every(({ record }) => record === ''), 'who holds the same needs no more than what comes');
  await world.assertEnd();
  assert.deepEqual(world.browser.locks.robbed, []);
});

situation('a holder that leaves is followed at once', LOG, async (world) => {
  const tabs = await gather(world, 4);
  await world.leave(tabs[0]);
  await world.pass(30);
  assert.deepEqual([world.holder, world.server.asked.length], [tabs[1], 2]);
  await world.open(tabs[0]);
  await world.pass(100);
  assert.equal(world.have(tabs[0]), 10, 'and may come back');
  await world.assertEnd();
  assert.equal(world.server.asked.length, 2);
});

situation('the last words of a holder count before its lock', LOG, async (world) => {
  const tabs = await gather(world, 3);
  world.server.add(5);
  await world.pass(100, () => world.have(tabs[0]) === 15);
  world.die(tabs[0]);
  await world.pass(100);
  assert.equal(world.server.asked[1].cursor, '15');
  await world.assertEnd();
});

situation('who is ahead of a new holder drops what it has', LOG, async (world) => {
  const [first, ahead] = await gather(world, 2);
  world.server.faults = ['stall'];
  world.die(first);
  ahead.hang(20_000);
  const late = await world.join();
  await world.pass(15_000);
  assert.deepEqual([world.holder, world.have(late)], [late, 0]);
  await world.pass(6000);
  assert.equal(world.have(ahead), 10);
  world.server.resume(world.server.asked[1]);
  await world.pass(1000);
  assert.deepEqual([world.have(late), world.said('alone')], [10, []]);
  await world.assertFair();
  await world.assertEnd();
});

situation('who is behind is handed what it lacks, and the half of an event that follows', LOG, async (world) => {
  const tabs = await gather(world, 2);
  const [connection] = world.server.asked;
  for (let i = 0; i < 5; i += 1) {
    world.server.addHalf(connection);
    await world.pass(50);
    tabs.push(await world.join());
    await world.pass(50);
    assert.equal(world.have(tabs.at(-1)), 10 + 2 * i);
    world.server.add();
    await world.pass(50);
    assert.deepEqual(tabs.map((tab) => world.have(tab)), tabs.map(() => 12 + 2 * i));
  }
  await world.assertEnd();
  assert.equal(world.server.asked.length, 1);
});

situation('without cursors, who joins in is told all of it', WHOLE, async (world) => {
  await gather(world, 2);
  const late = await world.join();
  await world.pass(100);
  assert.equal(world.have(late), 10);
  await world.assertEnd();
  assert.deepEqual([world.server.asked.length, world.said('here').every(({ record }) => record === '')], [1, true]);
});

situation('where not all of it is there any more, each is on its own, until it is its turn to hold', KINDS[3], async (world) => {
  const [first] = await gather(world, 1, 12);
  const alone = await world.join();
  await world.pass(100);
  assert.deepEqual([world.server.asked.length, world.have(alone), world.said('alone').length], [2, 12, 1]);
  await world.pass(15_000);
  assert.deepEqual([world.said('ask').length, world.said('ping')], [2, []], 'it has no more questions');
  await world.leave(first);
  await world.pass(100);
  assert.deepEqual([world.holder, world.server.asked.length], [alone, 2], 'its connection serves all then');
  await world.assertFair();
  await world.assertEnd();
  assert.equal(world.server.asked.length, 2);
});

situation('where it can be told anew, it is, with the half of an event that follows', KINDS[4], async (world) => {
  await gather(world, 1, 12);
  world.server.addHalf([...world.server.connections][0]);
  await world.pass(50);
  const late = await world.join();
  await world.pass(50);
  assert.equal(world.have(late), 12);
  world.server.add();
  await world.pass(50);
  assert.equal(world.have(late), 14);
  await world.assertEnd();
  assert.equal(world.server.asked.length, 1);
});

for (const fault of ['refuse', 'fail']) {
  situation(`a holder that waits to try again is hurried by who joins in, and gives the others what it gets [${fault}]`, LOG, async (world) => {
    const [holder] = await gather(world, 2);
    world.server.faults = [fault, fault, fault, fault];
    world.server.cut([...world.server.connections][0]);
    await world.pass(20_000, () => world.server.faults.length === 0 && world.server.connections.size === 0);
    assert.equal(world.server.connections.size, 0);
    const asked = world.server.asked.length;
    const late = await world.join();
    await world.pass(60);
    assert.deepEqual([world.said('wait').length > 0, world.server.asked.length, world.server.asked.at(-1).tab], [true, asked + 1, holder]);
    assert.equal(world.have(late), 10);
    await world.assertFair();
    await world.assertEnd();
  });
}

situation('who is refused once is told so once', LOG, async (world) => {
  const tabs = await gather(world, 5);
  world.server.faults = ['refuse', 'refuse', 'refuse'];
  world.server.cut([...world.server.connections][0]);
  await world.pass(30_000);
  for (const tab of tabs) {
    const told = world.runs.get(tab).heads.filter((status) => status === 503).length;
    assert.ok(told <= 3, `${tab.name}: ${told} times`);
  }
  await world.assertEnd();
  assert.equal(world.server.asked.length, 5);
});

situation('how a connection ends is told to all, and they try again together', LOG, async (world) => {
  const tabs = await gather(world, 3);
  world.server.cut([...world.server.connections][0]);
  await world.pass(50);
  const ends = tabs.map((tab) => world.runs.get(tab).ends.at(-1));
  assert.ok(['ended', 'failed'].includes(ends[0]));
  assert.deepEqual(ends, tabs.map(() => ends[0]));
  await world.pass(5000);
  await world.assertEnd();
  assert.equal(world.server.asked.length, 2);
});

/** The holder's page needs its place: all wait without a time. */
const crowd = async (world, tabs) => {
  world.server.crowd([...world.server.connections][0]);
  await world.pass(30_000);
  assert.deepEqual(tabs.map((tab) => world.runs.get(tab).isParked), tabs.map(() => true));
  assert.equal(world.server.connections.size, 0);
};

situation('all wait with a holder whose page has no place, and go on with it', LOG, async (world) => {
  const tabs = await gather(world, 3);
  await crowd(world, tabs);
  await world.browser.run(tabs[0], () => world.runs.get(tabs[0]).makeRoom());
  await world.pass(100);
  await world.assertFair();
  await world.assertEnd();
  assert.deepEqual([world.server.asked.length, world.browser.locks.robbed], [2, []]);
});

situation('all wait with a holder whose page has no place, and go on without it when it is gone', LOG, async (world) => {
  const tabs = await gather(world, 3);
  await crowd(world, tabs);
  world.die(tabs[0]);
  await world.pass(100);
  await world.assertFair();
  await world.assertEnd();
  assert.deepEqual([world.server.asked.length, world.browser.locks.robbed], [2, []]);
});

/** What a page says that has lost the lock and has not heard of it: a connection of its own, and an answer to all who ask. */
const sayAsGhost = async (world, to, cursor) => {
  const page = world.browser.add('a ghost');
  page.isForeign = true;
  const from = world.said('ask').find(({ tab }) => tab === to).from;
  const all = { v: VERSION, stream: 'run', from: 'ghost', n: 'ghost.1' };
  await world.browser.run(page, () => {
    const channel = new BroadcastChannel(CHANNEL);
    channel.postMessage({ ...all, kind: 'start' });
    channel.postMessage({
      ...all, kind: 'here', to: from, cursor, i: 0, record: '', tail: new Uint8Array(0), head: { status: 200, contentType: null, retryAfter: null },
    });
    channel.close();
  });
};

situation('who is fed by a ghost finds that out, however much the holder says to others', LOG, async (world) => {
  const [, misled] = await gather(world, 3);
  await sayAsGhost(world, misled, '10');
  await world.pass(20);
  for (let i = 0; i < 12; i += 1) {
    world.server.add();
    await world.pass(900);
    if (i === 0) assert.equal(world.have(misled), 10, 'it follows the ghost');
  }
  assert.equal(world.have(misled), 22);
  assert.ok(world.said('pong').length > 0);
  await world.assertEnd();
  assert.deepEqual([world.browser.locks.robbed, world.server.asked.length], [[], 1]);
});

situation('who is taken for gone shows that it is not, and asks for what it missed', LOG, async (world) => {
  const [, misled] = await gather(world, 2);
  const { from } = world.said('ask').find(({ tab }) => tab === misled);
  await world.browser.run(world.browser.add('a page'), () => {
    const channel = new BroadcastChannel(CHANNEL);
    channel.postMessage({ v: VERSION, kind: 'left', from, stream: 'run' });
    channel.close();
  });
  await world.pass(20);
  world.server.add();
  await world.pass(6000);
  assert.equal(world.have(misled), 10);
  world.server.add();
  await world.pass(20);
  assert.equal(world.have(misled), 12);
  await world.assertEnd();
  assert.equal(world.server.asked.length, 1);
});

situation('an answer to an earlier question is none to the next', LOG, async (world) => {
  const [, tab] = await gather(world, 2);
  await sayAsGhost(world, tab, '9');
  await world.pass(100);
  await world.assertFair();
  await world.assertEnd();
});

situation('the answer to a send is what the others follow, where the name is free', WHOLE, async (world) => {
  await world.join({ isOwn: true });
  await gather(world, 2);
  await world.assertEnd();
  assert.deepEqual(world.server.asked.map(({ isOwn }) => isOwn), [true]);
});

situation('where the name is taken, the answer to a send is nobody else\'s, until its turn comes', WHOLE, async (world) => {
  const [holder] = await gather(world, 2);
  const sender = await world.join({ isOwn: true });
  await world.pass(9000);
  assert.deepEqual([world.holder, world.server.asked.length, world.said('start').length], [holder, 2, 1]);
  await world.assertFair();
  for (const tab of world.tabs.slice(0, 2)) await world.leave(tab);
  await world.pass(100);
  assert.equal(world.holder, sender);
  const connections = world.server.asked.length;
  await world.join();
  await world.pass(100);
  await world.assertFair();
  await world.assertEnd();
  assert.deepEqual([world.server.asked.length, world.runs.get(sender).ends], [connections, []]);
});

situation('who is handed the lock while it waits to try again tries by its own measure', WHOLE, async (world) => {
  const [holder] = await gather(world, 1);
  const sender = await world.join({ isOwn: true });
  await world.pass(100);
  world.server.cut([...world.server.connections].find(({ tab }) => tab === sender));
  await world.pass(100, () => world.runs.get(sender).ends.length > 0);
  world.die(holder);
  await world.pass(1000);
  assert.equal(world.holder, sender);
  await world.assertFair();
  await world.assertEnd();
});

for (const then of ['retry', 'pause', 'leave']) {
  situation(`a holder that is asked for what it holds may ${then} at that`, LOG, async (world) => {
    const [first] = await gather(world, 1);
    const holder = await world.join({ isNative: true });
    await world.pass(50);
    world.runs.get(holder).options = { isNative: true, isCalm: true, restless: 100, then };
    world.die(first);
    await world.pass(50);
    world.server.add();
    // Told, and not yet read: what it says of itself is behind that.
    await world.pass(4);
    const late = await world.join();
    await world.pass(then === 'pause' ? 11_000 : 100);
    assert.deepEqual([world.have(holder), world.have(late)], [11, 11]);
    world.runs.get(holder).options = {};
    await world.assertFair();
    await world.assertEnd();
    assert.deepEqual(world.browser.locks.robbed, []);
  });
}

situation('where locks are refused, each is on its own', LOG, async (world) => {
  world.browser.locks.isRefused = true;
  await gather(world, 3);
  await world.join({ isOwn: true });
  await world.pass(100);
  await world.assertFair();
  await world.assertEnd();
  assert.equal(world.server.asked.length, 4);
});

situation('a holder that hangs loses its lock, and follows when it is back', LOG, async (world) => {
  const tabs = await gather(world, 4);
  tabs[0].hang(15_000);
  await world.pass(10_000);
  world.server.add(3);
  await world.pass(1000);
  assert.deepEqual(tabs.map((tab) => world.have(tab)), [10, 13, 13, 13]);
  assert.deepEqual([world.browser.locks.robbed, world.server.asked.length], [[tabs[0]], 2]);
  await world.pass(20_000);
  assert.deepEqual([world.have(tabs[0]), world.server.connections.size], [13, 1]);
  await world.assertFair();
  for (const tab of tabs.slice(1)) world.die(tab);
  await world.pass(100);
  assert.equal(world.holder, tabs[0], 'and waits for its turn as all do');
  const told = world.said('chunk').length;
  await world.assertEnd();
  assert.deepEqual([world.server.asked.length, world.said('chunk').length], [3, told], 'when nobody follows any more');
  assert.deepEqual(world.said('end').filter(({ tab }) => tab === tabs[0])[0]?.how, 'moved', 'who asked it is told that it is not the holder');
});

for (const isFed of [true, false]) {
  situation(`a holder that hangs is missed in ten seconds by who ${isFed ? 'is fed' : 'waits'}`, LOG, async (world) => {
    const [holder] = await gather(world, 1);
    world.runs.get(holder).options = { isCalm: true };
    if (!isFed) await world.browser.run(holder, () => world.runs.get(holder).pause());
    await world.join();
    await world.pass(15);
    assert.deepEqual([world.said('wait').length, world.server.asked.length], [isFed ? 0 : 1, 1]);
    holder.hang(40_000);
    await world.pass(9500);
    assert.deepEqual(world.browser.locks.robbed, [holder]);
    await world.pass(60_000);
    await world.assertFair();
    await world.assertEnd();
  });
}

situation('who waits does not take the questions of others for a sign of life', LOG, async (world) => {
  const [holder] = await gather(world, 1);
  holder.hang(60_000);
  for (let i = 0; i < 4; i += 1) {
    await world.join();
    await world.pass(1500);
  }
  assert.deepEqual(world.browser.locks.robbed, [holder]);
  await world.pass(60_000);
  await world.assertFair();
  await world.assertEnd();
});

situation('who leaves while it takes the lock does not keep it', LOG, async (world) => {
  const [holder] = await gather(world, 1);
  holder.hang(60_000);
  const tab = await world.join();
  await world.pass(10_000, () => world.browser.locks.robbed.length > 0);
  await world.leave(tab);
  await world.pass(100);
  assert.equal(world.holder, undefined);
  await world.pass(60_000);
  await world.assertFair();
  await world.assertEnd();
});

situation('who sends keeps its connection when it loses the lock, and the others get another', WHOLE, async (world) => {
  const sender = await world.join({ isOwn: true });
  await gather(world, 2);
  sender.hang(15_000);
  await world.pass(16_000);
  assert.deepEqual([world.browser.locks.robbed, world.server.connections.size], [[sender], 2]);
  await world.assertFair();
  await world.assertEnd();
  assert.equal(world.server.asked.length, 2);
});

situation('who was asleep itself does not rob the holder', LOG, async (world) => {
  const tabs = await gather(world, 3);
  for (let i = 0; i < 10; i += 1) {
    tabs.push(await world.join());
    for (const tab of tabs.slice(1)) tab.hang(9000);
    await world.pass(10_000);
  }
  for (const tab of tabs) tab.hang(60_000);
  await world.pass(61_000);
  await world.assertFair();
  await world.assertEnd();
  assert.deepEqual(world.browser.locks.robbed, []);
});

for (const on of ['begin', 'head', 'chunk', 'frame', 'record', 'end']) {
  for (const then of ['retry', 'leave']) {
    situation(`a page may ${then} when it is told or asked for: ${on}`, LOG, async (world) => {
      const [holder] = await gather(world, 1);
      // As a holder, and as one who is fed.
      const isNative = on === 'frame';
      await world.leave(holder);
      const tabs = [];
      for (let i = 0; i < 4; i += 1) tabs.push(await world.join({ on, then, isNative }));
      await world.pass(100);
      world.server.add(3);
      await world.pass(100);
      if (world.server.connections.size > 0) world.server.cut([...world.server.connections][0]);
      await world.pass(10_000);
      if (world.living.length === 0) await world.join();
      // These are handed a record, and half an event.
      await world.pass(1000);
      world.server.addHalf([...world.server.connections][0]);
      await world.pass(50);
      for (let i = 0; i < 3; i += 1) await world.join({ on, then, isNative });
      await world.pass(10_000);
      if (then === 'retry') await world.assertFair();
      await world.assertEnd();
    });
  }
}

situation('tabs that ask again in the middle of every event have all of them', LOG, async (world) => {
  for (let i = 0; i < 3; i += 1) await world.join({ restless: 100 });
  await gather(world, 1);
  await world.assertFair();
  await world.assertEnd();
});
