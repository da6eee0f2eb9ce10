// What is asked for, and how.

import { END, SOON, message } from '../page/steps.js';

const spec = 'the EventSource() constructor, the request';

const asked = async (t, body = [message('a')]) => {
  const url = t.url(body);
  await t.record(t.open(url)).until('message');
  const [request] = await t.requests(url);
  return request;
};

/** A case of one header of an ordinary request; undefined for none. */
const header = (id, title, name, expected, asks = spec) => ({
  id,
  title,
  spec: asks,
  async run(t) {
    const { headers } = await asked(t);
    t.equal(headers[name], expected, name);
  },
});

const fetched = 'Fetch, request metadata';

export const requests = [
  {
    id: 'request-method',
    title: 'it is a GET without a body',
    spec,
    async run(t) {
      const { method, headers } = await asked(t);
      t.equal([method, headers['content-length'], headers['transfer-encoding']], ['GET', undefined, undefined], 'method and lengths');
    },
  },
  header('request-accept', 'it accepts text/event-stream only', 'accept', 'text/event-stream'),
  header('request-cache-control', 'it asks past caches', 'cache-control', 'no-cache'),
  header('request-content-type', 'it has no Content-Type', 'content-type', undefined),
  header('request-last-event-id', 'the first one has no Last-Event-ID', 'last-event-id', undefined),
  header('request-origin', 'to the page\'s own origin it has no Origin', 'origin', undefined, fetched),
  header('request-mode', 'its mode is cors', 'sec-fetch-mode', 'cors', fetched),
  header('request-destination', 'its destination is none', 'sec-fetch-dest', 'empty', fetched),
  header('request-site', 'its site is the page\'s', 'sec-fetch-site', 'same-origin', fetched),
  {
    id: 'request-referer',
    title: 'the page is its referrer',
    spec: fetched,
    async run(t) {
      const { headers } = await asked(t);
      t.equal(headers.referer, location.href, 'referer');
    },
  },
  {
    id: 'request-again',
    title: 'a reconnection asks as the first request did',
    spec: 'reestablish the connection',
    async run(t) {
      const url = t.url([SOON, END], [message('a')]);
      await t.record(t.open(url)).until('message');
      // Cookies come and go with other cases of the page.
      const asked = (await t.requests(url)).map(({ method, headers: { cookie, ...headers } }) => ({ method, headers }));
      t.equal(asked[1], asked[0], 'the second request');
    },
  },
  {
    id: 'request-cookies-same-origin',
    title: 'the page\'s own origin gets its cookies and may set some, withCredentials or not',
    spec: 'CORS settings attributes',
    async run(t) {
      document.cookie = 'own=1; path=/';
      const url = t.url({ headers: { 'set-cookie': 'set-same-origin=2; path=/' }, body: [message('a')] });
      await t.record(t.open(url)).until('message');
      const [{ headers }] = await t.requests(url);
      t.ok(/(^|; )own=1/.test(headers.cookie), `Cookie: ${headers.cookie}`);
      await t.until(() => document.cookie.includes('set-same-origin=2'), 'the cookie of the response');
    },
  },
  {
    id: 'request-not-from-cache',
    title: 'a response that could be cached is not taken from the cache',
    spec: 'the cache mode of the request',
    async run(t) {
      const cacheable = (data) => ({ headers: { 'cache-control': 'max-age=3600' }, body: [SOON, message(data), END] });
      const url = t.url(cacheable('a'), cacheable('b'), message('c'));
      const log = t.record(t.open(url));
      await log.until('message', 3);
      t.equal(log.data, ['a', 'b', 'c'], 'data');
    },
  },
  {
    id: 'request-not-into-cache',
    title: 'nor is it left in the cache for others',
    spec: 'the cache mode of the request',
    async run(t) {
      const headers = { 'cache-control': 'max-age=3600' };
      const url = t.url({ headers, body: [message('stream'), END] }, { headers, body: ['second', END] });
      const source = t.open(url);
      await t.record(source).until('error');
      source.close();
      t.equal(await (await fetch(url)).text(), 'second', 'what fetch gets');
    },
  },
];
