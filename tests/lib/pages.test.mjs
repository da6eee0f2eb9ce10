// Pages as a store: what is held of a list is always one stretch of the server's, whatever loads, fails, shifts and is given up (W4-7).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Pages } from '../../pkg/lib/pages/pages.js';
import { Histories } from '../../pkg/lib/pages/histories.js';
import { Chance } from '../e2e/support/schedule.mjs';
import { FakeList } from './fake-list.mjs';

const RUNS = Number(process.env.RUNS ?? 40);
const noRuns = () => [];

const messagesOf = (list, options) => new Histories('bichat').messages('s', { load: list.cursors, limit: 4, maxItems: 12, ...options }, noRuns);
const sessionsOf = (list, options) => new Histories('bichat').sessions({ load: list.offsets, limit: 4, maxItems: 12, ...options });
const idsOf = (pages) => pages.getSnapshot().items.map(({ id }) => id);
const last = (list, from, to) => list.items.slice(from, to).map(({ id }) => id);

/** `ids` stand side by side in `all`, in this order; gives where. */
const placeOf = (ids, all, what) => {
  const at = all.indexOf(ids[0]);
  assert.deepEqual(ids, ids.length === 0 ? [] : all.slice(at, at + ids.length), what);
  return at;
};

const assertSound = (pages, before, what) => {
  const { items, hasMore, hasNewer } = pages.getSnapshot();
  assert.ok(Object.isFrozen(items) && items.every(Object.isFrozen), what);
  assert.equal(new Set(items.map(({ key }) => key)).size, items.length, `${what}: a key twice`);
  assert.equal(typeof hasMore, 'boolean');
  assert.equal(typeof hasNewer, 'boolean');
  const held = new Map(before.map((item) => [item.key, item]));
  for (const item of items) {
    const old = held.get(item.key);
    if (old && JSON.stringify(old) === JSON.stringify(item)) assert.equal(item, old, `${what}: ${item.key} is another object`);
  }
};

describe('messages', () => {
  test('older pages come in front, without one twice, until there are none (W4-7)', async () => {
    const list = new FakeList(10);
    const pages = messagesOf(list);
    assert.ok(pages instanceof Pages);
    assert.deepEqual([idsOf(pages), pages.hasMore], [[], true]);
    for (const size of [4, 8, 10]) {
      const held = pages.getSnapshot().items;
      assert.equal(await pages.loadOlder(), true);
      assert.deepEqual(idsOf(pages), last(list, -size));
      held.forEach((item, i) => assert.equal(pages.getSnapshot().items.at(i - held.length), item));
    }
    assert.equal(pages.hasMore, false);
    assert.equal(await pages.loadOlder(), true);
    assert.equal(list.asks.length, 3, 'nothing is asked for where nothing is');
  });

  test('one request is in flight, however often it is asked for', async () => {
    const list = new FakeList(20);
    const pages = messagesOf(list);
    const asked = [pages.loadOlder(), pages.loadOlder(), pages.loadOlder()];
    assert.equal(new Set(asked).size, 1);
    assert.deepEqual([pages.getSnapshot().status, pages.getSnapshot().loading], ['loading', 'older']);
    await Promise.all([...asked, pages.refresh()]);
    assert.deepEqual(list.asks, [{ before: null }, { before: null }], 'one after the other');
    assert.equal(pages.getSnapshot().status, 'idle');
  });

  test('an error keeps what is there, and the next call tries again', async () => {
    const list = new FakeList(20);
    const pages = messagesOf(list);
    await pages.loadOlder();
    const { items } = pages.getSnapshot();
    list.failures = 1;
    assert.equal(await pages.loadOlder(), false);
    const failed = pages.getSnapshot();
    assert.deepEqual([failed.status, failed.error.code, failed.items], ['error', 'request-failed', items]);
    assert.equal(failed.items, items);
    assert.equal(failed.error.cause.message, 'not now');
    await pages.loadOlder();
    const { status, error } = pages.getSnapshot();
    assert.deepEqual([status, error, idsOf(pages).length], ['idle', null, 8]);
  });

  test('beyond its bound it gives up the pages farthest away, and has them again when they are asked for', async () => {
    const list = new FakeList(40);
    const pages = messagesOf(list);
    for (let n = 0; n < 10; n += 1) {
      await pages.loadOlder();
      assert.ok(idsOf(pages).length <= 12);
    }
    assert.deepEqual(idsOf(pages), last(list, 0, 12));
    assert.deepEqual([pages.hasMore, pages.hasNewer], [false, true]);
    while (pages.hasNewer) {
      await pages.loadNewer();
      assert.ok(idsOf(pages).length <= 12);
    }
    assert.deepEqual(idsOf(pages), last(list, -12));
    assert.equal(pages.hasMore, true);
  });

  test('refresh() adds what is new, drops what is gone, and what did not change is the same object', async () => {
    const list = new FakeList(8);
    const pages = messagesOf(list);
    await pages.loadOlder();
    await pages.loadOlder();
    const before = pages.getSnapshot().items;
    await pages.refresh();
    assert.equal(pages.getSnapshot().items, before, 'not even the list');
    list.grow(2);
    list.remove(6);
    list.edit(5);
    await pages.refresh();
    assert.deepEqual(idsOf(pages), last(list));
    const { items } = pages.getSnapshot();
    assert.equal(items[0], before[0]);
    assert.deepEqual([items[5].value.text, items[5].key], ['first!', before[5].key]);
    assert.notEqual(items[5], before[5]);
  });

  test('more than a page has come meanwhile: no gap', async () => {
    const list = new FakeList(8);
    const pages = messagesOf(list);
    await pages.loadOlder();
    list.grow(7);
    await pages.refresh();
    assert.deepEqual(idsOf(pages), last(list, -idsOf(pages).length));
    list.grow(40);
    await pages.refresh();
    assert.deepEqual(idsOf(pages), last(list, -12), 'more than may be held: only the newest');
  });

  test('a page costs one request, also after what came meanwhile', async () => {
    const list = new FakeList(8);
    const pages = messagesOf(list);
    await pages.loadOlder();
    for (let n = 0; n < 9; n += 1) {
      list.grow(1);
      await pages.refresh();
    }
    while (pages.hasMore) await pages.loadOlder();
    assert.equal(pages.hasNewer, true);
    for (let asks = list.asks.length + 1; pages.hasNewer; asks += 1) {
      const held = idsOf(pages).at(-1);
      await pages.loadNewer();
      assert.equal(list.asks.length, asks);
      assert.notEqual(idsOf(pages).at(-1), held);
    }
    assert.deepEqual(idsOf(pages), last(list, list.items.length - idsOf(pages).length));
  });

  test('pages that overlap double nothing', async () => {
    const list = new FakeList(11);
    // As where a cursor is a time, and two messages have the same.
    const pages = messagesOf(list, { load: async ({ before, limit }) => {
      const end = before === null ? list.items.length : Number(before) + 2;
      return { items: structuredClone(list.items.slice(Math.max(0, end - limit), end)), next: end > limit ? end - limit : null };
    } });
    while (pages.hasMore) assert.equal(await pages.loadOlder(), true);
    assert.deepEqual(idsOf(pages), last(list));
  });

  test('a list that is another one altogether takes the place of what was held', async () => {
    const list = new FakeList(6);
    const pages = messagesOf(list);
    while (pages.hasMore) await pages.loadOlder();
    list.items = [];
    list.grow(5);
    await pages.refresh();
    assert.deepEqual([idsOf(pages), pages.hasMore], [last(list), false]);
    list.items = [];
    await pages.refresh();
    assert.deepEqual([idsOf(pages), pages.hasMore], [[], false]);
  });

  test('where the newest were given up, refresh() goes back to them', async () => {
    const list = new FakeList(40);
    const pages = messagesOf(list);
    for (let n = 0; n < 6; n += 1) await pages.loadOlder();
    assert.equal(pages.hasNewer, true);
    await pages.refresh();
    assert.deepEqual([idsOf(pages), pages.hasNewer, pages.hasMore], [last(list, -4), false, true]);
  });

  test('a page that makes no progress is an error, not a loop', async () => {
    const same = { items: [{ id: 'a' }, { id: 'b' }], next: 'a' };
    const pages = messagesOf(new FakeList(0), { load: async () => structuredClone(same) });
    await pages.loadOlder();
    assert.equal(await pages.loadOlder(), false);
    assert.equal(pages.getSnapshot().error.code, 'malformed-page');
    for (const reply of [null, {}, { items: {} }, { items: [{}] }, { items: [{ id: 7 }] }]) {
      const odd = messagesOf(new FakeList(0), { load: async () => reply });
      await odd.loadOlder();
      assert.equal(odd.getSnapshot().error.code, 'malformed-page', JSON.stringify(reply));
    }
  });

  test('close() aborts what is asked for; nothing is told after its last word', async () => {
    let given;
    const pages = messagesOf(new FakeList(0), { load: ({ signal }) => new Promise(() => { given = signal; }) });
    const seen = [];
    pages.subscribe(({ status }) => seen.push(status), { notify: 'sync' });
    const loading = pages.loadOlder();
    await new Promise(setImmediate);
    pages.close();
    assert.equal(given.aborted, true);
    assert.equal(seen.at(-1), 'closed');
    assert.equal(await Promise.race([loading, pages.loadOlder()]), false);
  });

  test('the first listener loads the first page, and is told once a frame', async () => {
    const list = new FakeList(10);
    const pages = messagesOf(list);
    const seen = [];
    await new Promise((resolve) => {
      pages.subscribe((snapshot) => {
        seen.push(snapshot);
        if (snapshot.items.length > 0) resolve();
      });
    });
    assert.deepEqual(seen.map(({ items }) => items.length), [0, 4]);
    assert.deepEqual([seen[0].status, pages.getServerSnapshot().status], ['loading', 'idle']);
  });

  test('any loads, failures, arrivals and drops: always one stretch of what the server has', async () => {
    for (let seed = 1; seed <= RUNS; seed += 1) {
      const chance = new Chance(seed);
      const limit = chance.between(2, 6);
      const list = new FakeList(chance.between(0, 60));
      const pages = messagesOf(list, { limit, maxItems: limit * chance.between(2, 5) });
      const bound = limit * 5;
      for (let n = 0; n < 40; n += 1) {
        const what = `seed ${seed}, step ${n}`;
        const before = pages.getSnapshot().items;
        if (chance.between(0, 5) === 0) list.failures = 1;
        if (chance.between(0, 3) === 0) list.grow(chance.between(1, 3 * limit));
        if (chance.between(0, 5) === 0 && list.items.length > 0) list.edit(chance.between(0, list.items.length - 1));
        const call = ['loadOlder', 'loadOlder', 'loadNewer', 'refresh'][chance.between(0, 3)];
        const areMany = chance.between(0, 3) === 0;
        await Promise.all(areMany ? [pages[call](), pages.loadOlder(), pages.loadNewer()] : [pages[call]()]);
        // Of several, one may give up what the next one brings again.
        assertSound(pages, areMany ? [] : before, what);
        const ids = idsOf(pages);
        assert.ok(ids.length <= bound, what);
        const all = last(list);
        const at = placeOf(ids, all, what);
        if (ids.length > 0) assert.equal(pages.hasMore, at > 0, `${what}: hasMore`);
      }
      list.failures = 0;
      while (pages.hasMore) await pages.loadOlder();
      while (pages.hasNewer) await pages.loadNewer();
      await pages.refresh();
      assert.deepEqual(idsOf(pages), last(list, list.items.length - idsOf(pages).length), `seed ${seed}`);
    }
  });
});

describe('sessions', () => {
  test('the newest are first, older ones are appended, nothing is asked for twice', async () => {
    const list = new FakeList(10);
    const pages = sessionsOf(list);
    for (const size of [4, 7, 10]) {
      await pages.loadOlder();
      assert.deepEqual(idsOf(pages), last(list, -size).toReversed());
    }
    assert.deepEqual([pages.hasMore, list.asks], [false, [{ offset: 0 }, { offset: 3 }, { offset: 6 }]], 'with an overlap of one');
  });

  test('offsets that shift lose nothing and double nothing', async () => {
    for (const shift of [(list) => list.grow(3), (list) => list.grow(11), (list) => list.remove(18), (list) => list.raise(17), (list) => {
      for (let n = 0; n < 6; n += 1) list.remove(14);
    }]) {
      const list = new FakeList(20);
      const pages = sessionsOf(list, { maxItems: 100 });
      await pages.loadOlder();
      await pages.loadOlder();
      shift(list);
      const gone = new Set(idsOf(pages).filter((id) => !last(list).includes(id)));
      while (pages.hasMore) await pages.loadOlder();
      await pages.refresh();
      assert.deepEqual(idsOf(pages).filter((id) => !gone.has(id)), last(list).toReversed(), String(shift));
    }
  });

  test('one that was raised above many new ones does not hide them', async () => {
    const list = new FakeList(12);
    const pages = sessionsOf(list, { maxItems: 100 });
    await pages.loadOlder();
    await pages.loadOlder();
    list.grow(6);
    list.raise(9);
    await pages.refresh();
    assert.deepEqual(idsOf(pages), last(list).toReversed().slice(0, idsOf(pages).length));
    assert.equal(idsOf(pages).length, 13);
  });

  test('what was given up and is gone at the server, too, is not waited for', async () => {
    const list = new FakeList(20);
    const pages = sessionsOf(list, { maxItems: 8 });
    while (pages.hasMore) await pages.loadOlder();
    assert.deepEqual([pages.hasNewer, idsOf(pages)[0]], [true, list.items[idsOf(pages).length - 1].id]);
    list.items.splice(idsOf(pages).length);
    for (let n = 0; n < 3 && pages.hasNewer; n += 1) await pages.loadNewer();
    assert.deepEqual([pages.hasNewer, idsOf(pages)], [false, last(list).toReversed()]);
  });

  test('what the client sends in is at the top without a request', async () => {
    const list = new FakeList(10);
    const histories = new Histories('bichat');
    const pages = histories.sessions({ load: list.offsets, limit: 4, maxItems: 8 });
    await pages.loadOlder();
    const asks = list.asks.length;
    const [, second] = pages.getSnapshot().items;
    histories.noteSend('new');
    assert.deepEqual(idsOf(pages), ['new', 'm10', 'm9', 'm8', 'm7']);
    histories.noteSend('m9');
    assert.deepEqual(idsOf(pages), ['m9', 'new', 'm10', 'm8', 'm7']);
    assert.equal(pages.getSnapshot().items[0], second);
    assert.equal(list.asks.length, asks);
    list.items.push({ id: 'new', text: 'first' });
    list.raise(8);
    await pages.refresh();
    assert.deepEqual([idsOf(pages), pages.getSnapshot().items[1].value.text], [['m9', 'new', 'm10', 'm8', 'm7'], 'first']);
    while (pages.hasMore) await pages.loadOlder();
    assert.equal(pages.hasNewer, true);
    histories.noteSend('newer');
    assert.ok(!idsOf(pages).includes('newer'), 'its place is not held');
  });

  test('any loads, failures, arrivals, moves and drops: always one stretch of what the server had', async () => {
    for (let seed = 1; seed <= RUNS; seed += 1) {
      const chance = new Chance(seed);
      const limit = chance.between(3, 6);
      const list = new FakeList(chance.between(0, 50));
      const pages = sessionsOf(list, { limit, maxItems: limit * chance.between(2, 5) });
      for (let n = 0; n < 40; n += 1) {
        const what = `seed ${seed}, step ${n}`;
        const before = pages.getSnapshot().items;
        if (chance.between(0, 5) === 0) list.failures = 1;
        if (chance.between(0, 3) === 0) list.grow(chance.between(1, 3 * limit));
        const call = ['loadOlder', 'loadOlder', 'loadNewer', 'refresh'][chance.between(0, 3)];
        await pages[call]();
        assertSound(pages, before, what);
        const ids = idsOf(pages);
        const all = last(list).toReversed();
        assert.ok(ids.length <= limit * 5, what);
        const at = placeOf(ids, all, what);
        if (ids.length > 0) assert.equal(pages.hasMore, at + ids.length < all.length, `${what}: hasMore`);
      }
      list.failures = 0;
      while (pages.hasMore) await pages.loadOlder();
      while (pages.hasNewer) await pages.loadNewer();
      await pages.refresh();
      const ids = idsOf(pages);
      assert.deepEqual(ids, last(list).toReversed().slice(0, ids.length), `seed ${seed}`);
    }
  });
});
