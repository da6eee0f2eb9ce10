// Which responses are a stream.

import { END, fill, gate, message } from '../page/steps.js';

const spec = 'processing the response';

const accepted = (id, title, response, data = ['a']) => ({
  id,
  title,
  spec,
  async run(t) {
    const log = t.record(t.open(t.url({ body: [message('a')], ...response })));
    await log.until('message', data.length);
    t.equal(log.data, data, 'data');
  },
});

/** A case of a response that fails the connection, though its body is a stream. */
const refused = (id, title, response, asked = spec) => ({
  id,
  title,
  spec: asked,
  async run(t) {
    const url = t.url({ body: [message('never'), END], ...response }, message('never'));
    const source = t.open(url);
    const log = t.record(source);
    await log.until('error');
    t.equal(source.readyState, 2, 'readyState in the error');
    // Whoever tried again after the shortest of waits would have done so by now.
    await t.pause(100);
    t.equal(log.lines, ['error closed'], 'events');
    t.equal((await t.requests(url)).length, 1, 'requests');
  },
});

const status = (code) => refused(`status-${code}`, `${code} fails`, { status: code });

export const responses = [
  accepted('mime-exact', 'text/event-stream is a stream', { type: 'text/event-stream' }),
  accepted('mime-case', 'in capitals, too', { type: 'Text/EVENT-Stream' }),
  accepted('mime-charset', 'with its charset, too', { type: 'text/event-stream; charset=utf-8' }),
  accepted('mime-charset-case', 'however that is written', { type: 'text/event-stream;CharSet="UTF-8"' }),
  accepted('mime-parameters', 'with other parameters, too', { type: 'text/event-stream; boundary=x; q=1' }),
  accepted('mime-semicolon', 'with a semicolon that nothing follows', { type: 'text/event-stream;' }),
  refused('mime-charset-other', 'with another charset it fails', { type: 'text/event-stream; charset=windows-1252' }, 'Chromium'),
  refused('mime-none', 'without a type it fails', { type: null }),
  refused('mime-plain', 'text/plain fails', { type: 'text/plain' }),
  refused('mime-html', 'text/html fails', { type: 'text/html; charset=utf-8' }),
  refused('mime-json', 'application/json fails', { type: 'application/json' }),
  refused('mime-prefix', 'a longer name fails', { type: 'text/event-streams' }),
  refused('mime-x', 'application/x-dom-event-stream, which once was one, fails', { type: 'application/x-dom-event-stream' }),
  refused('mime-invalid', 'what is no type fails', { type: 'event-stream' }),
  ...[201, 202, 203, 206, 300, 400, 401, 403, 404, 410, 429, 500, 502, 503, 504].map(status),
  refused('status-204', '204 fails, and means it', { status: 204, type: null, body: [END] }, 'authors\' note on 204'),
  refused('status-205', '205 fails', { status: 205, type: null, body: [END] }),
  refused('status-304', '304 fails', { status: 304, type: null, body: [END] }),
  refused('status-503-retry-after', 'Retry-After does not change that', { status: 503, headers: { 'retry-after': '0' } }),
  {
    id: 'response-open-before-body',
    title: 'it is open as soon as the head of the response is there',
    spec: 'announce the connection',
    async run(t) {
      const url = t.url([gate('later'), message('a')]);
      const source = t.open(url);
      const log = t.record(source);
      await log.until('open');
      t.equal([log.lines, source.readyState], [['open'], 1], 'events and readyState');
      await t.release(url, 'later');
      await log.until('message');
    },
  },
  {
    id: 'response-connecting-before-head',
    title: 'it is CONNECTING until then',
    spec: 'announce the connection',
    async run(t) {
      const url = t.url({ waits: 'head', body: [message('a')] });
      const source = t.open(url);
      const log = t.record(source);
      await t.arrived(url, 1);
      t.equal([log.lines, source.readyState], [[], 0], 'events and readyState while the request is there');
      await t.release(url, 'head');
      await log.until('message');
      t.equal(log.lines, ['open', 'message a'], 'events');
    },
  },
  {
    id: 'response-empty',
    title: 'an empty stream is opened and lost',
    spec,
    async run(t) {
      const log = t.record(t.open(t.url([END])));
      await log.until('error');
      t.equal(log.lines, ['open', 'error connecting'], 'events');
    },
  },
  {
    id: 'response-length',
    title: 'a response with a length is a stream that ends there',
    spec,
    async run(t) {
      const body = message('a');
      const log = t.record(t.open(t.url({ headers: { 'content-length': String(body.length) }, body: [body] })));
      await log.until('error');
      t.equal(log.lines, ['open', 'message a', 'error connecting'], 'events');
    },
  },
  {
    id: 'response-gzip',
    title: 'a compressed stream is read as it comes',
    spec: 'Fetch, content codings',
    async run(t) {
      const url = t.url({ gzip: true, headers: { 'content-encoding': 'gzip' }, body: [message('a'), gate('later'), message('b')] });
      const log = t.record(t.open(url));
      await log.until('message');
      await t.release(url, 'later');
      await log.until('message', 2);
      t.equal(log.data, ['a', 'b'], 'data');
    },
  },
  {
    id: 'response-streamed',
    title: 'an event is dispatched when it is there, not when more is',
    spec,
    async run(t) {
      const url = t.url([message('a'), gate('second'), message('b'), gate('third'), fill('data: x\n', 3), '\n']);
      const log = t.record(t.open(url));
      await log.until('message', 1);
      await t.release(url, 'second');
      await log.until('message', 2);
      await t.release(url, 'third');
      await log.until('message', 3);
      t.equal(log.data, ['a', 'b', 'x\nx\nx'], 'data');
    },
  },
];
