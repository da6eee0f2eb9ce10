// What is asked for: method, body, headers, the first cursor.

import { END, message } from '../page/steps.js';
import { QUICK, codes, errorOf, newTokens, tokens } from './common.js';

export const asking = [
  {
    id: 'asks-by-post',
    title: 'a body makes it a POST, and each attempt sends it again, with the cursor',
    async run(t) {
      const url = t.url(['id: 1\n', message('a'), END], message('b'));
      const log = t.record(t.open(url, { ...QUICK, body: '{"q":"é"}', headers: { 'Content-Type': 'application/json' } }));
      await log.until('message', 2);
      const requests = await t.requests(url);
      t.equal(requests.map(({ method, body }) => [method, body]), Array(2).fill(['POST', '{"q":"é"}']), 'method and body');
      t.equal(requests.map(({ headers }) => headers['content-type']), Array(2).fill('application/json'), 'Content-Type');
      t.equal(requests.map(({ headers }) => headers['last-event-id']), [undefined, '1'], 'Last-Event-ID');
    },
  },
  {
    id: 'asks-body-anew',
    title: 'a body that is a function is asked anew for each attempt',
    async run(t) {
      let asked = 0;
      const url = t.url([END], message('b'));
      await t.record(t.open(url, { ...QUICK, method: 'put', body: async () => `body ${asked += 1}` })).until('message');
      t.equal((await t.requests(url)).map(({ method, body }) => [method, body]), [['PUT', 'body 1'], ['PUT', 'body 2']], 'method and body');
    },
  },
  {
    id: 'asks-headers-anew',
    title: 'headers that are an async function are asked anew for each attempt; an Accept of theirs counts',
    async run(t) {
      const url = t.url([END], { refuse: true }, message('b'));
      const source = newTokens();
      const headers = async () => ({ ...await source(), Accept: 'text/event-stream, */*' });
      await t.record(t.open(url, { ...QUICK, headers })).until('message');
      const requests = await t.requests(url);
      t.equal(tokens(requests), ['1', '2', '3'], 'tokens');
      t.equal(requests[2].headers.accept, 'text/event-stream, */*', 'Accept');
    },
  },
  {
    id: 'asks-headers-throw',
    title: 'a headers function that throws is a failed attempt, with its error as the cause',
    async run(t) {
      const mine = new Error('mine');
      const answers = [() => { throw mine; }, () => Promise.reject(mine), () => ({})];
      const log = t.record(t.open(t.url(message('a')), { ...QUICK, headers: () => answers.shift()() }));
      await log.until('message');
      t.equal(log.lines, ['error connecting', 'error connecting', 'open', 'message a'], 'events');
      t.equal([errorOf(log, 0).cause === mine, errorOf(log, 1).cause === mine], [true, true], 'causes');
    },
  },
  {
    id: 'asks-cursor',
    title: 'lastEventId is sent with the first request, and holds until there is another',
    async run(t) {
      const url = t.url([message('a'), 'id: 8\ndata: b\n\n', END], message('c'));
      const log = t.record(t.open(url, { ...QUICK, lastEventId: '7' }));
      await log.until('message', 3);
      t.equal(log.messages.map(({ lastEventId }) => lastEventId), ['7', '8', '8'], 'lastEventId');
      t.equal((await t.requests(url)).map(({ headers }) => headers['last-event-id']), ['7', '8'], 'Last-Event-ID');
    },
  },
  {
    id: 'asks-401-once-more',
    title: 'a 401 asks the headers once more, unseen by the page',
    async run(t) {
      const url = t.url({ status: 401 }, [message('a'), END], { status: 401 }, message('b'));
      const log = t.record(t.open(url, { ...QUICK, headers: newTokens() }));
      await log.until('message', 2);
      t.equal(log.lines, ['open', 'message a', 'error connecting', 'open', 'message b'], 'events');
      t.equal(tokens(await t.requests(url)), ['1', '2', '3', '4'], 'tokens');
    },
  },
  {
    id: 'asks-401-twice',
    title: 'the second 401 in a row is final, the first one where headers stay the same',
    connections: 2,
    async run(t) {
      const asked = t.url({ status: 401 }, { status: 401 }, message('never'));
      const fixed = t.url({ status: 401 }, message('never'));
      const logs = [t.open(asked, { ...QUICK, headers: newTokens() }), t.open(fixed, { ...QUICK, headers: { 'x-token': '0' } })].map((source) => t.record(source));
      for (const log of logs) {
        await log.until('error');
        const { code, status, retryable, retryAt } = errorOf(log);
        t.equal([code, status, retryable, retryAt], ['unauthorized', 401, false, null], 'error');
      }
      await t.pause(100);
      t.equal(logs.map((log) => log.lines), [['error closed'], ['error closed']], 'events');
      t.equal([tokens(await t.requests(asked)), tokens(await t.requests(fixed))], [['1', '2'], ['0']], 'tokens');
    },
  },
  {
    id: 'asks-wrong-options',
    title: 'a wrong option is named by its path, and nothing is asked',
    async run(t) {
      const url = t.url(message('never'));
      const wrong = {
        method: [7, 'a b'], headers: [{ 'a b': '1' }, 7], body: [new ReadableStream()], transport: ['xhr'], connectGraceMs: [-1],
        retry: [7, { tries: 1 }, { onStatus: 1 }, { baseMs: '1' }], liveness: [{ stallMs: NaN }], lastEventId: [7, 'a\0'],
        signal: [{}], maxEventBytes: [-1],
      };
      const paths = Object.entries(wrong).flatMap(([name, values]) => values.map((value) => {
        try {
          t.open(url, { [name]: value });
          return `took ${name}`;
        } catch ({ code, path }) {
          return `${code} ${path}`;
        }
      }));
      t.equal(paths, ['method', 'method', 'headers', 'headers', 'body', 'transport', 'connectGraceMs', 'retry', 'retry.tries',
        'retry.onStatus', 'retry.baseMs', 'liveness.stallMs', 'lastEventId', 'lastEventId', 'signal', 'maxEventBytes']
        .map((path) => `invalid-argument ${path}`), 'errors');
      await t.pause(50);
      t.equal((await t.requests(url)).length, 0, 'requests');
      t.equal(codes(t.record(t.open(url, { unknown: 1, signal: AbortSignal.abort() }))), [], 'an unknown name is none');
    },
  },
];
