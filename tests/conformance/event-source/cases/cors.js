// Streams of another origin, and credentials. The other origin is of the same site, so that cookies would be sent.

import { END, SOON, message } from '../page/steps.js';

const spec = 'CORS settings attributes';
const preflight = 'Fetch, CORS-safelisted by the unsafe-request flag';
const CREDENTIALS = { withCredentials: true };

const allow = (origin, more) => ({ 'access-control-allow-origin': origin, ...more });
const allowWithCredentials = (origin) => allow(origin, { 'access-control-allow-credentials': 'true' });

const accepted = (id, title, headers, init) => ({
  id,
  title,
  spec,
  async run(t) {
    const log = t.record(t.open(t.otherUrl({ headers: headers(t), body: [message('a')] }), init));
    await log.until('message');
    t.equal(log.lines, ['open', 'message a'], 'events');
  },
});

const refused = (id, title, headers, init) => ({
  id,
  title,
  spec,
  async run(t) {
    const url = t.otherUrl({ headers: headers(t), body: [SOON, message('a'), END] }, message('b'));
    const source = t.open(url, init);
    const log = t.record(source);
    await log.until('error');
    await t.pause(100);
    t.equal([log.lines, source.readyState], [['error closed'], 2], 'events and readyState');
    t.equal((await t.requests(url)).map(({ method }) => method), ['GET'], 'requests');
  },
});

/** A name of its own for each: cases share the cookies of their page. */
const cookieOf = async (t, name, init, headers) => {
  document.cookie = `${name}=1; path=/`;
  const url = t.otherUrl({ headers: { ...headers, 'set-cookie': `set-${name}=2; path=/` }, body: [message('a')] });
  await t.record(t.open(url, init)).until('message');
  const [request] = await t.requests(url);
  return { sent: request.headers.cookie ?? '', kept: document.cookie.includes(`set-${name}=2`) };
};

export const cors = [
  accepted('cors-star', '* allows it', () => allow('*')),
  accepted('cors-origin', 'so does the page\'s origin', (t) => allow(t.origin)),
  accepted('cors-credentials', 'with credentials: the page\'s origin and leave for them',
    (t) => allowWithCredentials(t.origin), CREDENTIALS),
  accepted('cors-credentials-unused', 'leave for credentials that were not sent does no harm', (t) => allowWithCredentials(t.origin)),
  refused('cors-none', 'without leave it fails for good, with one error', () => ({})),
  refused('cors-other-origin', 'with leave for another origin it fails', () => allow('http://elsewhere.invalid')),
  refused('cors-null', 'with leave for null it fails', () => allow('null')),
  refused('cors-two-origins', 'with leave for two it fails', (t) => allow(`${t.origin}, http://elsewhere.invalid`)),
  refused('cors-credentials-star', 'with credentials * does not allow it', () => allowWithCredentials('*'), CREDENTIALS),
  refused('cors-credentials-unallowed', 'with credentials the page\'s origin alone does not', (t) => allow(t.origin), CREDENTIALS),
  refused('cors-credentials-case', 'leave for credentials is "true" and nothing else',
    (t) => allow(t.origin, { 'access-control-allow-credentials': 'True' }), CREDENTIALS),
  {
    id: 'cors-error-status',
    title: 'an allowed answer that is no stream fails just so',
    spec,
    async run(t) {
      const source = t.open(t.otherUrl({ status: 503, headers: allow('*') }));
      const log = t.record(source);
      await log.until('error');
      t.equal([log.lines, source.readyState], [['error closed'], 2], 'events and readyState');
    },
  },
  {
    id: 'cors-headers',
    title: 'the request names the page\'s origin and asks as within it',
    spec,
    async run(t) {
      const url = t.otherUrl({ headers: allow('*'), body: [message('a')] });
      await t.record(t.open(url)).until('message');
      const [{ method, headers }] = await t.requests(url);
      t.equal([method, headers.origin, headers.accept, headers['cache-control'], headers['sec-fetch-mode']],
        ['GET', t.origin, 'text/event-stream', 'no-cache', 'cors'], 'method, Origin, Accept, Cache-Control, mode');
    },
  },
  {
    id: 'cors-no-cookies',
    title: 'without withCredentials cookies are neither sent nor kept',
    spec,
    async run(t) {
      const { sent, kept } = await cookieOf(t, 'omitted', undefined, allow('*'));
      t.equal([sent, kept], ['', false], 'cookies sent, cookie kept');
    },
  },
  {
    id: 'cors-cookies',
    title: 'with withCredentials they are sent and kept',
    spec,
    async run(t) {
      const { sent, kept } = await cookieOf(t, 'included', CREDENTIALS, allowWithCredentials(t.origin));
      t.ok(/(^|; )included=1/.test(sent), `Cookie: ${sent}`);
      t.equal(kept, true, 'cookie kept');
    },
  },
  {
    id: 'cors-cookies-again',
    title: 'and on a reconnection, too',
    spec,
    async run(t) {
      const headers = allowWithCredentials(t.origin);
      document.cookie = 'again=1; path=/';
      const url = t.otherUrl({ headers, body: [SOON, message('a'), END] }, { headers, body: [message('b')] });
      const source = t.open(url, CREDENTIALS);
      await t.record(source).until('message', 2);
      const requests = await t.requests(url);
      t.equal(requests.map(({ headers: { cookie } }) => /(^|; )again=1/.test(cookie)), [true, true], 'whether the cookie was sent');
      t.equal(source.withCredentials, true, 'withCredentials');
    },
  },
  {
    id: 'cors-no-preflight',
    title: 'the first request asks for no leave beforehand',
    spec: preflight,
    async run(t) {
      const url = t.otherUrlWithPreflight({}, { headers: allow('*'), body: [message('a')] });
      const log = t.record(t.open(url));
      t.equal((await t.arrived(url, 1)).map(({ method }) => method), ['GET'], 'requests');
      await log.until('message');
    },
  },
  {
    id: 'cors-last-event-id-no-preflight',
    title: 'nor does a reconnection with Last-Event-ID',
    spec: preflight,
    async run(t) {
      const headers = allow('*');
      const url = t.otherUrl({ headers, body: [SOON, 'id: 1\ndata: a\n\n', END] }, { headers, body: [message('b')] });
      t.record(t.open(url));
      const seen = (await t.arrived(url, 2)).map((request) => [request.method, request.headers['last-event-id']]);
      t.equal(seen, [['GET', undefined], ['GET', '1']], 'requests and their Last-Event-ID');
    },
  },
  {
    id: 'cors-last-event-id',
    title: 'where the server gives leave anyway, Last-Event-ID arrives',
    spec: 'the Last-Event-ID header',
    async run(t) {
      const headers = allow('*');
      const leave = allow('*', { 'access-control-allow-headers': '*' });
      const url = t.otherUrlWithPreflight(leave,
        { headers, body: [SOON, 'id: 1\ndata: a\n\n', END] }, { headers, body: [message('b')] });
      const log = t.record(t.open(url));
      await log.until('message', 2);
      const gets = (await t.requests(url)).filter(({ method }) => method === 'GET');
      t.equal(gets.map((request) => request.headers['last-event-id']), [undefined, '1'], 'Last-Event-ID');
    },
  },
  {
    id: 'cors-reconnect-unallowed',
    title: 'an origin that takes its leave back ends it',
    spec,
    async run(t) {
      const url = t.otherUrl({ headers: allow('*'), body: [SOON, message('a'), END] }, { body: [message('b')] });
      const log = t.record(t.open(url));
      await log.until('error', 2);
      t.equal(log.lines, ['open', 'message a', 'error connecting', 'error closed'], 'events');
    },
  },
];
