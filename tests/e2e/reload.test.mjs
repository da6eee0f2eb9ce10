// A page that is reloaded in the middle of an answer, with what `persist` has kept of it: the text is there in the first frame,
// the stream goes on from the cursor, and what cannot be kept or read costs nothing but that.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Stage } from './support/stage.mjs';
import { assertEqualsTruth } from './support/truth.mjs';
import { until } from './support/until.mjs';

// It waits in its middle for as long as the page has something to do there.
const RECIPE = { events: 300, eventsPerSecond: 200, toolCalls: 4, holdAt: 240 };
const RETRY = { baseMs: 20, capMs: 200 };

// streams: the routes that tell a run. first: how many of them begin it without a cursor.
const PROTOCOLS = {
  bichat: { options: { baseUrl: '/bi-chat' }, streams: ['events'] },
  'ws-chat': { options: { baseUrl: '', protocol: 'ws-chat', transports: ['fetch'] }, streams: ['chat-events'] },
  envelope: { options: { baseUrl: '/api/v1', protocol: 'envelope' }, streams: ['env-stream'] },
  chunks: { options: { baseUrl: '/v1', protocol: 'chunks' }, streams: ['chunks-stream'], hasOffsets: true },
  'ui-message, ids of chunks': { options: { baseUrl: '/api/chat', protocol: 'ui-message' }, streams: ['ui-send', 'ui-stream'], config: { uiCursor: true } },
  'ui-message': { options: { baseUrl: '/api/chat', protocol: 'ui-message' }, streams: ['ui-send', 'ui-stream'], isToldAgain: true },
};

let stage;
before(async () => { stage = await Stage.open(); });
after(() => stage?.close());

/** A chat in a page of its own. */
class Chat {
  errors = [];

  static async with({ recipe = RECIPE, config, options }, use) {
    await stage.withServer(async (lab) => {
      const { control } = lab.server;
      if (config) await control.config(config);
      const chat = new Chat(lab, control);
      chat.sessionId = randomUUID();
      await control.recipe({ sessionId: chat.sessionId, ...recipe });
      chat.page = await lab.context.newPage();
      chat.page.on('pageerror', (error) => chat.errors.push(String(error)));
      const origin = new URL(lab.page.url()).origin.replace('lab', `kept${chat.sessionId.slice(0, 8)}-lab`);
      chat.url = `${origin}/tests/kept.html?with=${encodeURIComponent(JSON.stringify({
        sessionId: chat.sessionId, options: { retry: RETRY, ...options },
      }))}`;
      try {
        await use(chat, control);
        assert.deepEqual(chat.errors, []);
      } finally {
        await chat.page.close();
      }
    });
  }

  constructor(lab, control) {
    this.lab = lab;
    this.control = control;
  }

  async load() {
    await this.page.goto(this.url);
    await this.page.waitForFunction(() => window.kept?.run);
  }

  async untilText(length) {
    await this.page.waitForFunction((least) => kept.run.getSnapshot().text.length > least, length, { polling: 10 });
  }

  text() {
    return this.page.evaluate(() => kept.run.getSnapshot().text);
  }

  /** Reloads, and gives what the page that went away had shown at last. */
  async reload() {
    // The page goes on until the very end: what it has then is what it must have kept.
    await this.page.evaluate(() => addEventListener('pagehide', () => {
      localStorage.setItem('last', JSON.stringify({ text: kept.run.getSnapshot().text }));
    }));
    await this.page.reload();
    await this.page.waitForFunction(() => window.kept?.run && kept.first);
    return this.page.evaluate(() => JSON.parse(localStorage.getItem('last')));
  }

  /** Lets the answer go on to its end, at the server. */
  async finish() {
    await this.control.now('goOn', { sessionId: this.sessionId });
    await this.control.truth(undefined, this.sessionId);
  }

  async settled() {
    await this.control.now('goOn', { sessionId: this.sessionId });
    await this.page.waitForFunction(() => kept.outcome);
    return this.page.evaluate(() => {
      const { error, ...snapshot } = kept.run.getSnapshot();
      return { snapshot: { ...snapshot, error: error?.code ?? null }, outcomes: [kept.outcome] };
    });
  }

  async assertTruth() {
    const report = await this.settled();
    assert.equal(report.snapshot.status, 'completed', JSON.stringify(report.snapshot.error));
    assertEqualsTruth(await this.control.truth(undefined, this.sessionId), report);
    return report;
  }

  /** How many runs are kept in the database. */
  keysInDatabase() {
    return this.page.evaluate(async () => {
      const database = await new Promise((resolve, reject) => {
        const request = indexedDB.open('steadystream', 1);
        request.onsuccess = () => resolve(request.result);
        request.onupgradeneeded = () => request.result.createObjectStore('runs');
        request.onerror = reject;
      });
      const count = await new Promise((resolve) => {
        const request = database.transaction('runs').objectStore('runs').count();
        request.onsuccess = () => resolve(request.result);
      });
      database.close();
      return count;
    });
  }

  async untilNothingIsKept() {
    const count = async () => await this.page.evaluate(() => Object.keys(sessionStorage).length) + await this.keysInDatabase();
    await until(async () => await count() === 0, 'nothing to be kept any more');
  }

  /** What the routes of a protocol have sent, oldest first. */
  async streams({ streams }) {
    return (await this.control.requests(this.sessionId)).filter(({ path, status }) => streams.includes(path) && status === 200);
  }
}

for (const [name, protocol] of Object.entries(PROTOCOLS)) {
  describe(`a reload in the middle of an answer: ${name}`, { concurrency: 2 }, () => {
    for (const persist of ['session', 'indexeddb']) {
      test(`persist: '${persist}'`, () => Chat.with({ ...protocol, options: { ...protocol.options, persist } }, async (chat) => {
        await chat.load();
        const cursors = [];
        for (const least of [60, 200, 400]) {
          await chat.untilText(least);
          const last = await chat.reload();
          assert.ok(last.text.length > least);
          const { first, isResumed, shownAt, texts, cursor, paintedAt } = await chat.page.evaluate(() => ({
            ...kept, client: undefined, run: undefined, paintedAt: performance.getEntriesByName('first-paint')[0]?.startTime ?? Infinity,
          }));
          assert.ok(isResumed);
          cursors.push(cursor);
          assert.ok(texts[0].startsWith(last.text), `${texts[0].length} of ${last.text.length} units were there at once`);
          for (const text of texts) assert.ok(text.startsWith(texts[0]), 'no text goes back');
          assert.ok(first.text.startsWith(last.text), `the first frame had ${first.text.length} of ${last.text.length} units`);
          assert.equal(first.status, 'streaming');
          assert.ok(shownAt <= paintedAt, `shown at ${shownAt}, painted at ${paintedAt}`);
        }
        await chat.assertTruth();
        const [, ...again] = await chat.streams(protocol);
        // What is held is not asked for again.
        const held = protocol.hasOffsets ? cursors.map((cursor) => cursor.split('/')[0]) : cursors;
        assert.deepEqual(again.map(({ lastEventId, afterSeq }) => (protocol.hasOffsets ? afterSeq : lastEventId)), held);
        assert.ok(cursors.every((cursor) => (cursor === null) === Boolean(protocol.isToldAgain)));
        const trace = await chat.page.evaluate(() => kept.run.trace.getSnapshot().map(({ what }) => what));
        // An offset may be behind what is held.
        assert.ok(protocol.isToldAgain || protocol.hasOffsets || !trace.includes('duplicates'), trace.join());
        assert.equal((await chat.control.counters(chat.sessionId)).runsStarted, 1, 'sent once');
        await chat.untilNothingIsKept();
      }));
    }
  });
}

describe('what was kept and is of no use', { concurrency: 4 }, () => {
  const { options } = PROTOCOLS.bichat;
  const testKept = (name, play, { persist = 'session', ...rest } = {}) => test(name, () => (
    Chat.with({ ...PROTOCOLS.bichat, ...rest, options: { ...options, persist } }, async (chat) => {
      await play(chat, chat.control);
    })));

  /** Reloads with this in the place of the record, and gives the text that was there at once. */
  const reloadWith = async (chat, change) => {
    await chat.page.addInitScript((source) => {
      const [key] = Object.keys(sessionStorage);
      const changed = (0, eval)(`(${source})`)(sessionStorage.getItem(key)); // eslint-disable-line no-eval
      if (changed === null) sessionStorage.removeItem(key);
      else sessionStorage.setItem(key, changed);
    }, String(change));
    await chat.reload();
    return chat.page.evaluate(() => kept.texts[0]);
  };

  for (const [name, change] of [
    ['nothing', () => null],
    ['empty', () => ''],
    ['not ours', () => 'a shopping list'],
    ['of another version', (record) => record.replace('"v":1', '"v":2')],
    ['older than a day', (record) => record.replace(/"at":\d+/, `"at":${Date.now() - 86_500_000}`)],
    ['of the future', (record) => record.replace(/"at":\d+/, `"at":${Date.now() + 86_500_000}`)],
    ['without its run', (record) => record.slice(0, record.indexOf('\n'))],
  ]) {
    testKept(`a record that is ${name}: the server tells all of it`, async (chat) => {
      await chat.load();
      await chat.untilText(60);
      assert.equal(await reloadWith(chat, change), '');
      await chat.assertTruth();
      await chat.untilNothingIsKept();
    });
  }

  for (const [name, change] of [
    ['cut short', (record) => record.slice(0, record.length - 40)],
    ['with half a part', (record) => record.replace('"parts":[{', '"parts":[{{')],
    ['with parts that are none', (record) => record.replace('"parts":[', '"parts":[null,7,"x",{"type":3},')],
    ['with a cursor that is none', (record) => record.replace(/"cursor":"[^"]*"/, '"cursor":7')],
  ]) {
    testKept(`a run that is ${name} ends as it should`, async (chat) => {
      await chat.load();
      await chat.untilText(60);
      await reloadWith(chat, change);
      await chat.assertTruth();
    });
  }

  testKept('a storage that is full costs the cache alone', async (chat) => {
    await chat.page.addInitScript(() => {
      for (let size = 1 << 22; size > 0; size >>= 1) {
        try {
          sessionStorage.setItem(`theirs-${size}`, 'x'.repeat(size));
        } catch {
          // Smaller, then.
        }
      }
    });
    await chat.load();
    await chat.untilText(60);
    await chat.reload();
    assert.equal(await chat.page.evaluate(() => kept.texts[0]), '');
    await chat.assertTruth();
    assert.ok(await chat.page.evaluate(() => Object.keys(sessionStorage).every((key) => key.startsWith('theirs'))));
  });

  for (const persist of ['session', 'indexeddb']) {
    testKept(`a storage that is forbidden costs the cache alone: ${persist}`, async (chat) => {
      await chat.page.addInitScript(() => {
        const forbidden = { get: () => { throw new DOMException('forbidden', 'SecurityError'); } };
        Object.defineProperty(window, 'sessionStorage', forbidden);
        Object.defineProperty(window, 'indexedDB', forbidden);
      });
      await chat.load();
      await chat.untilText(60);
      await chat.reload();
      await chat.assertTruth();
    }, { persist });

    testKept(`what is to be forgotten is: ${persist}`, async (chat) => {
      await chat.load();
      await chat.untilText(60);
      await chat.page.evaluate(async () => {
        kept.run.close();
        await kept.run.finished;
        await kept.client.forget();
      });
      await chat.untilNothingIsKept();
    }, { persist });
  }

  testKept('another tab has what was kept from the database', async (chat) => {
    await chat.load();
    await chat.untilText(60);
    await until(() => chat.keysInDatabase(), 'the first write');
    const other = await chat.page.context().newPage();
    await other.goto(chat.url);
    await other.waitForFunction(() => window.kept?.run);
    assert.ok(await other.evaluate(() => kept.isResumed && kept.texts[0].length > 0 && kept.cursor !== null));
    const { snapshot: { text } } = await chat.assertTruth();
    await other.waitForFunction(() => kept.outcome?.status === 'completed');
    assert.equal(await other.evaluate(() => kept.outcome.text), text);
    await other.close();
    await chat.untilNothingIsKept();
  }, { persist: 'indexeddb' });

  testKept('an answer that ended meanwhile has its end from the log', async (chat) => {
    await chat.load();
    await chat.untilText(60);
    await chat.page.goto('about:blank');
    await chat.finish();
    await chat.load();
    assert.ok((await chat.page.evaluate(() => kept.texts[0])).length > 60);
    await chat.assertTruth();
    await chat.untilNothingIsKept();
  });

  testKept('an answer that the server has forgotten meanwhile keeps its text, and says so', async (chat, control) => {
    await chat.load();
    await chat.untilText(60);
    await chat.page.goto('about:blank');
    await chat.finish();
    await control.faults({ sessionId: chat.sessionId, path: 'events' }, [{ status: { code: 404 } }], { loop: true });
    await chat.load();
    const { snapshot: { status, error, text } } = await chat.settled();
    assert.deepEqual([status, error], ['interrupted', 'run-ended']);
    assert.ok(text.length > 60);
    await chat.untilNothingIsKept();
    await control.clearFaults();
  });

  testKept('a message that the page before has sent is not sent again under its id', async (chat) => {
    await chat.load();
    await chat.untilText(60);
    const requestId = await chat.page.evaluate(() => kept.run.getSnapshot().requestId);
    await chat.reload();
    const isSame = await chat.page.evaluate((id) => {
      const { sessionId } = kept.run.getSnapshot();
      return kept.client.send(sessionId, 'Hello', { requestId: id }) === kept.run;
    }, requestId);
    assert.ok(isSame);
    await chat.assertTruth();
    assert.equal((await chat.control.counters(chat.sessionId)).runsStarted, 1);
  });
});
