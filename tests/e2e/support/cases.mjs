// Runs the data files of tests/cases: each case is a situation and what must come of it, and every one of them also proves
// that nothing hangs and nothing is left behind.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { assertHistory } from './history.mjs';
import { AWAY } from './lab.mjs';
import { assertPrefix, assertSound, assertTruth } from './truth.mjs';
import { until } from './until.mjs';

/**
 * @typedef {object} Case
 * @property {string} name the situation and what comes of it
 * @property {string[]} rules IDs of PROTOCOLS.md and FIELD.md
 * @property {'bichat'|'ws-chat'|'ui-message'} [protocol] which the server and the client speak
 * @property {'send'|'open'|'subscribe'} via which verb
 * @property {(string|string[])[]} transports one test for each; a list is a ladder
 * @property {object} [run] the recipe, see run-server
 * @property {'text'|'lastRung'|'unread'|'settled'} [heldUntil] the run waits at the recipe's `holdAt` until the client has text, has come
 *   down to the ladder's last transport, or has settled; `unread`: it ends while the client has no connection (Lab.endUnread)
 * @property {object} [client] options of the client, above QUICK
 * @property {object} [config] switches of the server; a case that has some, or speaks ws-chat, has a server to itself
 * @property {object} [proxy] what the proxy does from the beginning; the page is behind it then
 * @property {{ path: string, steps: object[], loop?: boolean }[]} [faults] see run-server; the path `answer` is whatever carries
 *   the answer: of a ladder, its first transport
 * @property {boolean} [unknown] the run that is opened does not exist
 * @property {boolean} [over] the run has ended at the server before it is opened
 * @property {Expect} expect what must come of it
 *
 * @typedef {object} Expect
 * @property {string} [status] of the snapshot
 * @property {string|null} [code] of its error; null for none
 * @property {number} [httpStatus] of its error
 * @property {boolean} [retryable] of its error
 * @property {string} [detail] of its error
 * @property {number} [attempts] of its error
 * @property {number} [closeCode] of its error
 * @property {'truth'|'prefix'|'some'|'none'} [text] all of it, a beginning, one that is not empty, or nothing
 * @property {Record<string, number|[number, number]>} [requests] by path: exactly so many, or from, to
 * @property {number} [runsStarted] at the server
 * @property {{ websocket: number, post: number }} [sends] how often the message arrived, over which transport
 * @property {string[]} [history] everything that the connection store showed, as `state transport code`; `$transport` is the
 *   test's own, `$next` the ladder's second; what timing may leave out begins with `?`, as
 *   the moment between the first event and the last where both come at once
 * @property {string[]} [trace] beginnings of entries that the trace must have, in this order
 * @property {{ path: string, status: number, atLeastMs: number, times: number }[]} [waits] how long after such an answer
 *   the next request on that path came, as the server's clock saw it
 * @property {{ code: string, atLeastMs: number }[]} [announced] waits that the connection showed, by the error it gave
 * @property {string[]} [seen] codes of errors that the connection must have shown on the way
 * @property {string[]} [states] states of the connection that must have been seen
 * @property {'resolved'|'rejected'} [outcome] of a subscription
 * @property {number} [length] of a subscription: so many chunks at all
 * @property {string[]} [ends] types of a subscription's last chunks
 * @property {Record<string, number>} [chunks] of a subscription: so many of this type
 * @property {number|[number, number]} [errors] calls of a subscription's onError
 */

const RUN = { events: 60, eventsPerSecond: 200, reasoning: true, toolCalls: 2, usage: true };

/**
 * A case with `each: { code: [400, 403] }` is one case for each value: `"$code"` stands for it, and `$code` inside of a text.
 *
 * @returns {Case[]}
 */
const readCases = (name) => {
  const cases = JSON.parse(readFileSync(new URL(`../../cases/${name}.json`, import.meta.url), 'utf8'));
  return cases.flatMap(({ each, ...rest }) => {
    if (!each) return [rest];
    const [[parameter, values]] = Object.entries(each);
    const text = JSON.stringify(rest);
    return values.map((value) => JSON.parse(text
      .replaceAll(`"$${parameter}"`, () => JSON.stringify(value))
      .replaceAll(`$${parameter}`, () => JSON.stringify(String(value)).slice(1, -1))));
  });
};

const only = process.env.CASE;

/** What carries an answer of ws-chat, as run-server names it. */
const ANSWER = { websocket: 'ws', eventsource: 'chat-events', fetch: 'chat-events', rest: 'chat-status' };
const CLIENT = {
  bichat: {},
  'ws-chat': { baseUrl: '', protocol: 'ws-chat' },
  'ui-message': { baseUrl: '/api/chat', protocol: 'ui-message' },
};

/**
 * One test for each case of the file and each of its transports. `stage()`: the stage, once it is open. CASE=text plays only
 * those with this text in their names.
 */
export function testCases(name, stage) {
  for (const each of readCases(name)) {
    if (only && !each.name.includes(only)) continue;
    for (const transport of each.transports) {
      const ladder = [transport].flat();
      const isAlone = Boolean(each.config || each.proxy || each.protocol === 'ws-chat');
      const lend = (use) => (isAlone ? stage().withServer(use, { isProxied: Boolean(each.proxy) }) : stage().withLab(use));
      test(`${each.name} [${each.via}, ${ladder.join(' > ')}]`, () => lend((lab) => play(lab, each, ladder)));
    }
  }
}

async function play(lab, each, ladder) {
  const { control } = lab.server;
  const { protocol = 'bichat' } = each;
  const routeOf = (path) => (path === 'answer' ? ANSWER[ladder[0]] : path);
  const sessionId = randomUUID();
  const requestId = randomUUID();
  const mustExist = each.via !== 'send' && !each.unknown;
  if (each.config) await control.config(each.config);
  const { runId } = await control.recipe({ sessionId, ...RUN, ...each.run, ...(mustExist && { start: true, protocol }) });
  if (each.over) await control.truth(runId);
  for (const { path, steps, loop } of each.faults ?? []) {
    const route = routeOf(path);
    await control.faults({ ...(route !== 'ws' && { sessionId }), path: route }, steps, { loop });
  }
  if (each.proxy) await control.proxy(each.proxy);

  const { expect } = each;
  const key = await lab.start({
    via: each.via,
    sessionId,
    runId: protocol === 'ui-message' ? undefined : mustExist ? runId : randomUUID(),
    requestId,
    // A state between two frames is seen by those who do not wait for one.
    notify: expect.seen || expect.announced || expect.states || expect.history ? 'sync' : undefined,
    client: { options: { transports: ladder, ...CLIENT[protocol], ...(each.heldUntil === 'unread' && AWAY), ...each.client } },
  });
  const goOn = () => control.now('goOn', { sessionId });
  if (each.heldUntil === 'text') {
    await lab.until(key, ({ text }) => text !== '');
    await goOn();
  }
  if (each.heldUntil === 'lastRung') {
    await until(async () => (await lab.snapshot(key)).connection.transport === ladder.at(-1), 'the last rung');
    await goOn();
  }
  if (each.heldUntil === 'unread') await lab.endUnread(key, sessionId);
  const report = await lab.settled(key);
  if (each.heldUntil === 'settled') await goOn();
  if (each.via === 'subscribe') await checkSubscription(control, report, expect, runId);
  else await checkRun(control, report, expect);
  const named = (line) => (Array.isArray(line) ? line.map(named) : line.replace('$transport', ladder[0]).replace('$next', ladder[1]));
  if (expect.history) assertHistory(report, expect.history.map(named));
  // A socket belongs to no session, and whoever has the server to himself needs none.
  await checkServer(control, protocol === 'ws-chat' ? undefined : sessionId, expect, routeOf);
  if (expect.sends) assert.deepEqual((await control.counters(sessionId)).sends[requestId], expect.sends, 'the message arrived');
}

const within = (actual, wanted, what) => {
  const [least, most] = Array.isArray(wanted) ? wanted : [wanted, wanted];
  assert.ok(actual >= least && actual <= most, `${what}: ${actual}, expected ${least === most ? least : `${least} to ${most}`}`);
};

async function checkRun(control, report, expect) {
  assertSound(report);
  const { status, error, text } = report.snapshot;
  const brief = JSON.stringify({ status, error, length: text.length, trace: report.trace });
  if (expect.status) assert.equal(status, expect.status, brief);
  if (expect.code !== undefined || status === 'completed') assert.equal(error?.code ?? null, expect.code ?? null, brief);
  if (expect.httpStatus) assert.equal(error.status, expect.httpStatus, brief);
  if (expect.retryable !== undefined) assert.equal(error.retryable, expect.retryable, brief);
  if (expect.attempts) assert.equal(error.attempts, expect.attempts, brief);
  if (expect.closeCode) assert.equal(error.closeCode, expect.closeCode, brief);
  if (expect.detail) assert.equal(error.detail, expect.detail, brief);
  if (expect.text === 'truth') await assertTruth(control, report);
  if (expect.text === 'prefix' || expect.text === 'some') await assertPrefix(control, report);
  if (expect.text === 'some') assert.notEqual(text, '', 'partial text survives');
  if (expect.text === 'none') assert.equal(text, '');
  for (const code of expect.seen ?? []) {
    assert.ok(report.connections.some((seen) => seen.code === code), `${code} was never shown: ${brief}`);
  }
  for (const { code, atLeastMs } of expect.announced ?? []) {
    assert.ok(report.connections.some((seen) => seen.code === code && seen.waitMs >= atLeastMs), `no wait of ${atLeastMs} ms: ${brief}`);
  }
  let from = 0;
  for (const entry of expect.trace ?? []) {
    from = 1 + report.trace.findIndex((line, i) => i >= from && line.startsWith(entry));
    assert.ok(from > 0, `no ${entry}: ${brief}`);
  }
  for (const state of expect.states ?? []) {
    assert.ok(report.connections.some((seen) => seen.state === state), `${state} was never shown: ${brief}`);
  }
}

async function checkSubscription(control, report, expect, runId) {
  assert.deepEqual(report.hangs, []);
  assert.deepEqual(report.doubled, []);
  assert.equal(report.settlings, 1);
  const [outcome] = report.outcomes;
  const brief = JSON.stringify({ outcome, errors: report.errors, last: report.chunks.slice(-3) });
  assert.equal(outcome.rejected ? 'rejected' : outcome, expect.outcome, brief);
  if (expect.code) assert.equal(outcome.rejected.code, expect.code, brief);
  if (expect.httpStatus) assert.equal(outcome.rejected.status, expect.httpStatus, brief);
  if (expect.code === 'connect-failed') assert.equal(outcome.rejected.name, 'RunEventsConnectError');
  if (expect.length !== undefined) assert.equal(report.chunks.length, expect.length, brief);
  if (expect.ends) assert.deepEqual(report.chunks.slice(-expect.ends.length).map(({ type }) => type), expect.ends, brief);
  for (const [type, count] of Object.entries(expect.chunks ?? {})) {
    assert.equal(report.chunks.filter((chunk) => chunk.type === type).length, count, `${type} chunks: ${brief}`);
  }
  if (expect.errors !== undefined) within(report.errors.length, expect.errors, 'onError calls');
  if (expect.text === 'truth') assert.equal(report.text, (await control.truth(runId)).text);
  if (expect.text === 'none') assert.equal(report.text, '');
}

async function checkServer(control, sessionId, expect, routeOf) {
  const { requests, runsStarted } = await control.counters(sessionId);
  for (const [path, wanted] of Object.entries(expect.requests ?? {})) within(requests[routeOf(path)], wanted, `${path} requests`);
  if (expect.runsStarted !== undefined) assert.equal(runsStarted, expect.runsStarted, 'runs started');
  for (const { path, status, atLeastMs, times } of expect.waits ?? []) {
    const journal = (await control.requests(sessionId)).filter((request) => request.path === routeOf(path));
    const waits = journal.flatMap((request, i) => (request.status === status ? [journal[i + 1]?.at - request.at] : []));
    assert.equal(waits.length, times, `${path} answered ${status}: ${JSON.stringify(journal.map(({ status: s }) => s))}`);
    for (const wait of waits) assert.ok(wait >= atLeastMs, `asked again after ${wait} ms, not ${atLeastMs}`);
  }
  // The server hears of a closed connection a moment after the page has closed it.
  await until(async () => (await control.counters(sessionId)).openStreams.now === 0, 'the streams to be closed');
}
