// What waits to be sent, in a real browser before a real server: in its order when the network is back, never where it was stopped,
// once where two tabs have it, and not at all where its session is gone.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Stage } from './support/stage.mjs';
import { until } from './support/until.mjs';

const QUICK = { events: 6, eventsPerSecond: 0 };
const LONG = { events: 3000, eventsPerSecond: 1 };

let stage;
let server;
before(async () => {
  stage = await Stage.open();
  ({ server } = stage);
});
after(() => stage?.close());

const openTab = async (context) => {
  const tab = await context.newPage();
  await tab.goto(`${server.app}/tests/sends.html`);
  await tab.waitForFunction(() => window.sends);
  return tab;
};

const withContext = async (use) => {
  const context = await stage.browser.newContext();
  try {
    await use(context, randomUUID());
  } finally {
    await context.close();
  }
};

const shown = (tab, client) => tab.evaluate((name) => (
  sends.clients[name].outbox.getSnapshot().messages.map(({ message, status }) => `${message} ${status}`)), client);

const sends = async (sessionId, path = 'stream') => (await server.control.requests(sessionId)).filter((request) => request.path === path);

describe('messages that wait', { concurrency: 3 }, () => {
  test('offline they wait, and go out in their order when the network is back', () => withContext(async (context, sessionId) => {
    const client = 'bichat session';
    await server.control.recipe({ sessionId, ...QUICK });
    const tab = await openTab(context);
    await context.setOffline(true);
    const ids = await tab.evaluate(({ name, id }) => (
      ['a', 'b', 'c'].map((text) => sends.clients[name].send(id, text).getSnapshot().requestId)), { name: client, id: sessionId });
    assert.deepEqual(await shown(tab, client), ['a pending', 'b pending', 'c pending']);
    assert.equal(await tab.evaluate((name) => sends.clients[name].connection.getSnapshot().state, client), 'offline');
    assert.deepEqual(await sends(sessionId), []);
    await context.setOffline(false);
    await until(async () => (await shown(tab, client)).every((text) => text.endsWith('confirmed')), 'all to be confirmed');
    assert.deepEqual((await sends(sessionId)).map(({ requestId }) => requestId), ids);
  }));

  test('a stop of what is unsent is for certain, and a reload brings nothing of it back (S-UI-1)', () => withContext(async (context, sessionId) => {
    const client = 'bichat session';
    const tab = await openTab(context);
    await context.setOffline(true);
    const ends = await tab.evaluate(async ({ name, id }) => {
      const streams = ['a', 'b'].map((text) => sends.clients[name].send(id, text));
      await Promise.all(streams.map((stream) => stream.stop()));
      return Promise.all(streams.map(async ({ finished }) => (await finished).status));
    }, { name: client, id: sessionId });
    assert.deepEqual(ends, ['cancelled', 'cancelled']);
    assert.deepEqual(await shown(tab, client), []);
    await context.setOffline(false);
    await tab.reload();
    await tab.waitForFunction(() => window.sends);
    // One that is sent now is the first that the server hears of.
    await server.control.recipe({ sessionId, ...QUICK });
    await tab.evaluate(async ({ name, id }) => { await sends.clients[name].send(id, 'c').finished; }, { name: client, id: sessionId });
    assert.equal((await server.control.requests(sessionId)).filter(({ path }) => ['stream', 'stop'].includes(path)).length, 1);
  }));

  test('of two tabs that have it one sends it, and the other when that is gone', () => withContext(async (context, sessionId) => {
    const client = 'ws-chat indexeddb';
    await server.control.recipe({ sessionId, ...QUICK });
    const first = await openTab(context);
    await context.setOffline(true);
    await first.evaluate(({ name, id }) => sends.send([{ client: name, sessionId: id, text: 'a', clicks: 1 }]), { name: client, id: sessionId });
    await context.setOffline(false);
    await until(async () => (await server.control.counters(sessionId)).runsStarted === 1, 'it to be sent');
    // Held back by its server, until its tab is gone.
    const other = randomUUID();
    await server.control.recipe({ sessionId: other, ...QUICK });
    await server.control.faults({ sessionId: other }, [{ status: { code: 503, retryAfter: 600 } }], { loop: true });
    const held = 'chunks indexeddb';
    await first.evaluate(({ name, id }) => sends.send([{ client: name, sessionId: id, text: 'b', clicks: 1 }]), { name: held, id: other });
    await until(async () => (await sends(other, 'chunks-send')).length === 1, 'it to be refused');
    const second = await openTab(context);
    assert.deepEqual(await shown(second, held), []);
    await server.control.clearFaults();
    await first.close();
    await until(async () => (await shown(second, held))[0] === 'b confirmed', 'the other tab to send it');
    assert.equal((await server.control.counters(other)).runsStarted, 1);
    assert.equal((await server.control.counters(sessionId)).runsStarted, 1);
  }));

  test('what is sent before the database has answered goes out behind what that had, once', () => withContext(async (context, sessionId) => {
    await server.control.recipe({ sessionId, ...QUICK });
    const tab = await openTab(context);
    await context.setOffline(true);
    const kept = await tab.evaluate((id) => sends.leave(id, ['a', 'b']), sessionId);
    await context.setOffline(false);
    const own = await tab.evaluate(async (id) => {
      const client = sends.newClient();
      const [c, b] = ['c', 'b'].map((text) => client.send(id, text));
      await Promise.all([c.finished, b.finished]);
      return [b, c].map((stream) => stream.getSnapshot().requestId);
    }, sessionId);
    assert.equal(own[0], kept[1], 'the same message is the one that was kept');
    assert.deepEqual((await sends(sessionId)).map(({ requestId }) => requestId), [...kept, own[1]]);
    assert.equal((await server.control.counters(sessionId)).runsStarted, 3);
  }));

  test('what another tab has, and cannot send, holds a message back for two seconds and no longer', () => withContext(async (context, sessionId) => {
    await server.control.recipe({ sessionId, ...QUICK });
    const [first, second] = [await openTab(context), await openTab(context)];
    const network = await context.newCDPSession(first);
    await network.send('Network.emulateNetworkConditions', { offline: true, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
    const [kept] = await first.evaluate((id) => sends.leave(id, ['a'], false), sessionId);
    const own = await second.evaluate(async (id) => {
      const stream = sends.newClient().send(id, 'b');
      await stream.finished;
      return stream.getSnapshot().requestId;
    }, sessionId);
    await first.close();
    await until(async () => (await server.control.counters(sessionId)).runsStarted === 2, 'the other tab to send it');
    assert.deepEqual((await sends(sessionId)).map(({ requestId }) => requestId), [own, kept]);
  }));

  test('a second message whose reply was lost is not the run of the first, and is tried again by its user', () => withContext(async (context, sessionId) => {
    const { control } = server;
    await control.recipe({ sessionId, ...LONG });
    const tab = await openTab(context);
    const first = await tab.evaluate(async (id) => {
      window.chat = sends.newClient({ baseUrl: '/api/v1', protocol: 'envelope' });
      window.first = chat.send(id, 'a');
      await new Promise((resolve) => { first.subscribe(({ status }) => { if (status === 'streaming') resolve(); }); });
      return first.getSnapshot().runId;
    }, sessionId);
    await control.faults({ sessionId, path: 'env-send' }, [{ cut: { beforeHeaders: true, how: 'rst' } }]);
    const doubted = await tab.evaluate(async (id) => {
      const { status, error, runId } = await chat.send(id, 'b').finished;
      return [status, error.code, runId, first.getSnapshot().status];
    }, sessionId);
    assert.deepEqual(doubted, ['interrupted', 'send-in-doubt', null, 'streaming']);
    await control.recipe({ sessionId, ...QUICK });
    await control.now('finish', { sessionId });
    const again = await tab.evaluate(async () => {
      await first.finished;
      const { status, runId } = await chat.outbox.getSnapshot().messages.find(({ message }) => message === 'b').retry().finished;
      return { status, runId };
    });
    assert.equal(again.status, 'completed');
    assert.notEqual(again.runId, first);
    assert.equal((await control.counters(sessionId)).runsStarted, 2);
  }));

  test('a message stands in its history at once, and is the stored one under the same key when it has been sent', () => withContext(async (context, sessionId) => {
    const client = 'ws-chat session';
    const { control } = server;
    await control.recipe({ sessionId, ...QUICK });
    const tab = await openTab(context);
    await tab.evaluate(async ({ name, id }) => {
      const { [name]: chat } = sends.clients;
      await chat.send(id, 'a').finished;
      const pages = chat.messages(id);
      pages.subscribe(() => {});
      await pages.refresh();
      window.items = () => pages.getSnapshot().items.map(({ key, id: stored, value, run, send }) => (
        { key, isStored: stored !== null, says: value?.content ?? run?.getSnapshot().text ?? send.message, send: send?.status ?? null }));
    }, { name: client, id: sessionId });
    const items = () => tab.evaluate(() => window.items());
    const first = await items();
    assert.deepEqual(first.map(({ isStored, send }) => [isStored, send]), [[true, null], [true, null]]);
    assert.equal(first[0].says, 'a');
    assert.deepEqual(await shown(tab, client), [], 'what the history has is no more in the outbox');

    await context.setOffline(true);
    await control.recipe({ sessionId, ...QUICK, seed: 2 });
    await tab.evaluate(({ name, id }) => { sends.clients[name].send(id, 'b'); }, { name: client, id: sessionId });
    await until(async () => (await items()).length === 4, 'the message');
    const [, , question, answer] = await items();
    assert.deepEqual([question.says, question.isStored, question.send, answer.isStored, answer.says], ['b', false, 'pending', false, '']);
    await context.setOffline(false);
    await until(async () => (await items()).every(({ isStored, send }) => isStored && send === null), 'both to be stored');
    const last = await items();
    assert.deepEqual(last.map(({ key }) => key), [...first, question, answer].map(({ key }) => key));
    assert.deepEqual([last[2].says, last[3].says], ['b', (await control.truth(undefined, sessionId)).text]);
    assert.deepEqual(await shown(tab, client), []);
    assert.equal((await control.counters(sessionId)).runsStarted, 2);
  }));

  test('a session that is deleted takes its runs and its unsent messages with it', () => withContext(async (context, sessionId) => {
    const client = 'chunks session';
    await server.control.recipe({ sessionId, ...LONG });
    const tab = await openTab(context);
    const told = await tab.evaluate(async ({ name, id }) => {
      const { [name]: chat } = sends.clients;
      const stream = chat.send(id, 'a');
      await new Promise((resolve) => { stream.subscribe(({ status }) => { if (status === 'streaming') resolve(); }); });
      await chat.delete(id);
      const again = await chat.delete(id).catch(({ code, status }) => [code, status]);
      return { status: stream.getSnapshot().status, kept: Object.keys(sessionStorage), again, shown: chat.outbox.getSnapshot().messages.length };
    }, { name: client, id: sessionId });
    assert.deepEqual(told, { status: 'cancelled', kept: [], again: ['http-status', 404], shown: 0 });
    await server.control.recipe({ sessionId, ...QUICK });
    const [end, reset] = await tab.evaluate(async ({ name, id }) => {
      const { [name]: chat } = sends.clients;
      const { status } = await chat.send(id, 'b').finished;
      return [status, await chat.reset(id, { clearPresence: true })];
    }, { name: client, id: sessionId });
    assert.deepEqual([end, reset ?? null], ['completed', null]);
    const written = randomUUID();
    const ended = await tab.evaluate(async ({ name, id }) => {
      const { [name]: chat } = sends.clients;
      const generation = chat.generation(id, { actorId: 'me' });
      generation.write({ type: 'TEXT_MESSAGE_CONTENT', delta: 'Hel' });
      while (generation.pending > 0) await new Promise(requestAnimationFrame);
      await chat.delete(id);
      return [(await generation.finished).status, await chat.delete(id).catch(({ status }) => status)];
    }, { name: client, id: written });
    assert.deepEqual(ended, ['aborted', 404], 'nor does what was written there make it anew');
  }));
});
