// How a connection is lost, what the error says, and when it is the end.

import { CUT, END, SOON, SPLIT, gate, message } from '../page/steps.js';
import { QUICK, codes, errorOf } from './common.js';

export const losing = [
  {
    id: 'loses-typed',
    title: 'each error has its code, and when it will be tried again',
    async run(t) {
      const before = Date.now();
      const log = t.record(t.open(t.url({ refuse: true }, [message('a'), SPLIT, CUT], [END], message('b')), QUICK));
      await log.until('message', 2);
      t.equal(codes(log), ['connect-failed', 'disconnected', 'disconnected'], 'codes');
      const { retryAt, retryable, attempts } = errorOf(log);
      t.between(retryAt, before, Date.now(), 'retryAt');
      t.equal([retryable, attempts], [true, 0], 'retryable, attempts');
    },
  },
  {
    id: 'loses-by-status',
    title: '408, 425, 429 and 5xx may pass: the error has the status, and it is tried again',
    async run(t) {
      const statuses = [408, 425, 429, 500, 502, 503, 504];
      const log = t.record(t.open(t.url(...statuses.map((status) => ({ status })), message('a')), QUICK));
      await log.until('message');
      t.equal(log.lines, [...statuses.map(() => 'error connecting'), 'open', 'message a'], 'events');
      t.equal(statuses.map((_, n) => errorOf(log, n).status), statuses, 'statuses');
    },
  },
  {
    id: 'loses-retry-after',
    title: 'Retry-After is the least wait, on a reconnection, too',
    isSlow: true,
    async run(t) {
      const url = t.url([message('a'), END], { status: 503, headers: { 'retry-after': '1' } }, message('b'));
      const log = t.record(t.open(url, QUICK));
      await log.until('message', 2);
      const [, refused, again] = await t.requests(url);
      t.between(again.at - refused.at, 990, 3000, 'ms between the requests');
      const { status, retryAt } = errorOf(log, 1);
      t.equal([status, retryAt > Date.now() - 3000], [503, true], 'status and retryAt');
    },
  },
  {
    id: 'loses-strictly',
    title: 'with onStatus: false every status is final, as the standard has it',
    async run(t) {
      for (const status of [429, 500, 503]) {
        const url = t.url({ status, headers: { 'retry-after': '0' } }, message('never'));
        const log = t.record(t.open(url, { retry: { ...QUICK.retry, onStatus: false } }));
        await log.until('error');
        await t.pause(80);
        t.equal([log.lines, codes(log), errorOf(log).status], [['error closed'], ['http-status'], status], 'events and error');
        t.equal((await t.requests(url)).length, 1, 'requests');
      }
    },
  },
  {
    id: 'loses-for-good',
    title: 'the others end it, with their status; so does what is no stream',
    async run(t) {
      for (const [response, code, status] of [
        [{ status: 404 }, 'http-status', 404], [{ status: 204, type: null }, 'http-status', 204],
        [{ type: 'text/html', body: [END] }, 'content-type', 200],
      ]) {
        const log = t.record(t.open(t.url(response, message('never')), QUICK));
        await log.until('error');
        const error = errorOf(log);
        t.equal([log.lines, error.code, error.status, error.retryable, error.retryAt], [['error closed'], code, status, false, null], 'error');
      }
    },
  },
  {
    id: 'loses-budget',
    title: 'when the attempts are used up it is CLOSED, and the error says gave-up, how often, and why',
    async run(t) {
      const url = t.url(...Array(9).fill({ refuse: true }));
      const source = t.open(url, { retry: { ...QUICK.retry, maxAttempts: 2 } });
      const log = t.record(source);
      await t.until(() => source.readyState === 2, 'CLOSED');
      t.equal([log.lines, codes(log)], [['error connecting', 'error connecting', 'error closed'], ['connect-failed', 'connect-failed', 'gave-up']], 'events');
      const { attempts, retryable, cause } = errorOf(log, 2);
      t.equal([attempts, retryable, cause.code], [2, true, 'connect-failed'], 'error');
      t.equal((await t.requests(url)).length, 3, 'requests');
    },
  },
  {
    id: 'loses-empty-streams',
    title: 'empty streams are no progress: they use the budget up',
    async run(t) {
      const log = t.record(t.open(t.url(...Array(9).fill([': hi\n\n', END])), { retry: { ...QUICK.retry, maxAttempts: 3 } }));
      await t.until(() => codes(log).includes('gave-up'), 'gave-up');
      t.equal(log.count('open'), 4, 'open');
    },
  },
  {
    id: 'loses-replays',
    title: 'nor is an event that was known; one that is new gives the budget back',
    async run(t) {
      const same = ['id: 1\ndata: a\n\n', END];
      const log = t.record(t.open(t.url(same, same, same, same), { retry: { ...QUICK.retry, maxAttempts: 2 } }));
      await t.until(() => codes(log).includes('gave-up'), 'gave-up');
      t.equal(log.count('open'), 3, 'open');
      const bodies = Array.from({ length: 6 }, (_, i) => [`id: ${i}\ndata: a\n\n`, END]);
      const other = t.record(t.open(t.url(...bodies, message('last')), { retry: { ...QUICK.retry, maxAttempts: 1 } }));
      await other.until('message', 7);
    },
  },
  {
    id: 'loses-once',
    title: 'with retry: false the first loss is the end',
    async run(t) {
      const url = t.url([message('a'), END], message('never'));
      const log = t.record(t.open(url, { retry: false }));
      await log.until('error');
      t.equal([log.lines, codes(log)], [['open', 'message a', 'error closed'], ['disconnected']], 'events');
    },
  },
  {
    id: 'loses-in-grace',
    title: 'a failure within the connect grace and before any event is the end: connect-failed',
    async run(t) {
      for (const [response, status] of [[{ refuse: true }, undefined], [{ status: 503 }, 503], [[SOON, END], undefined]]) {
        const url = t.url(response, message('never'));
        const source = t.open(url, { ...QUICK, connectGraceMs: 5000 });
        const log = t.record(source);
        await log.until('error');
        await t.pause(80);
        t.equal([codes(log), errorOf(log).status, source.readyState], [['connect-failed'], status, 2], 'error');
        t.equal((await t.requests(url)).length, 1, 'requests');
      }
      const log = t.record(t.open(t.url([message('a'), END], message('b')), { ...QUICK, connectGraceMs: 60_000 }));
      await log.until('message', 2);
    },
  },
  {
    id: 'loses-by-timeout',
    title: 'who does not answer within connectTimeoutMs is given up and asked again',
    async run(t) {
      const url = t.url({ waits: 'never', body: [] }, ...Array(9).fill(message('a')));
      const log = t.record(t.open(url, { ...QUICK, connectTimeoutMs: 500 }));
      await log.until('message');
      t.equal([log.lines[0], codes(log)[0]], ['error connecting', 'connect-timeout'], 'first event');
      await t.left(url, 1);
    },
  },
  {
    id: 'loses-by-silence',
    title: 'who is silent for longer than stallMs is given up; any byte is a sign of life',
    isSlow: true,
    async run(t) {
      const url = t.url([gate('a'), ': hi\n', gate('b'), ': hi\n', gate('c'), message('a'), gate('never')], message('b'));
      const log = t.record(t.open(url, { ...QUICK, connectTimeoutMs: 60_000, liveness: { stallMs: 1500 } }));
      await log.until('open');
      // Longer than the limit together, and each no half of it.
      for (const name of ['a', 'b', 'c']) {
        await t.pause(600);
        await t.release(url, name);
      }
      await log.until('message', 2);
      t.equal([log.lines, codes(log)], [['open', 'message a', 'error connecting', 'open', 'message b'], ['stalled']], 'events');
    },
  },
  {
    id: 'loses-too-large',
    title: 'an event beyond maxEventBytes costs the connection',
    async run(t) {
      const log = t.record(t.open(t.url(`${message('fits')}data: ${'x'.repeat(100)}\n\n${message('never')}`, message('b')), { ...QUICK, maxEventBytes: 100 }));
      await log.until('open', 2);
      await log.until('message', 2);
      t.equal([log.data, codes(log)], [['fits', 'b'], ['event-too-large']], 'events');
    },
  },
  {
    id: 'loses-by-signal',
    title: 'an abort is a close(), and with an aborted signal nothing is asked',
    async run(t) {
      const control = new AbortController();
      const url = t.url(message('a'));
      const source = t.open(url, { signal: control.signal });
      const log = t.record(source);
      await log.until('message');
      control.abort();
      t.equal(source.readyState, 2, 'readyState');
      await t.left(url, 1);
      const other = t.url(message('never'));
      const none = t.open(other, { signal: AbortSignal.abort() });
      t.equal(none.readyState, 2, 'readyState');
      await t.pause(50);
      t.equal([log.lines, (await t.requests(other)).length], [['open', 'message a'], 0], 'events and requests');
    },
  },
  {
    id: 'loses-redirect-with-headers',
    title: 'with headers of the page it is not: they are for the URL that the page gave',
    async run(t) {
      const target = t.url([message('a'), END]);
      const away = { status: 302, type: null, headers: { location: target } };
      const url = t.url(away, message('b'));
      const log = t.record(t.open(url, { ...QUICK, headers: { 'x-token': 'secret' } }));
      await log.until('message', 2);
      t.equal([(await t.requests(url)).length, (await t.requests(target)).length], [2, 1], 'requests');
    },
  },
  {
    id: 'loses-redirect-target',
    title: 'where a redirect has led to is asked again, but not once it has failed',
    async run(t) {
      const target = t.url([message('a'), END], { refuse: true });
      const url = t.url({ status: 302, type: null, headers: { location: target } }, message('b'));
      const log = t.record(t.open(url, QUICK));
      await log.until('message', 2);
      t.equal([(await t.requests(url)).length, (await t.requests(target)).length], [2, 2], 'requests');
    },
  },
];
