// What becomes of the URL that the constructor is given.

import { message } from '../page/steps.js';

const spec = 'the EventSource() constructor, encoding-parsing a URL';

const withBase = (href, act) => {
  const base = document.createElement('base');
  base.href = href;
  document.head.append(base);
  try {
    return act();
  } finally {
    base.remove();
  }
};

/** Without its origin: as a page would write it. */
const pathOf = (url) => url.slice(new URL(url).origin.length);

export const urls = [
  {
    id: 'url-absolute',
    title: 'url is the serialised URL',
    spec,
    async run(t) {
      const source = t.open('HTTP://LocalHost:80/a/../b c?d=ä#e f');
      // Before it asks: nobody need listen there.
      source.close();
      t.equal(source.url, 'http://localhost/b%20c?d=%C3%A4#e%20f', 'url');
    },
  },
  {
    id: 'url-path',
    title: 'a path is resolved against the document, and works',
    spec,
    async run(t) {
      const url = t.url(message('a'));
      const source = t.open(pathOf(url));
      t.equal(source.url, url, 'url');
      const log = t.record(source);
      await log.until('message');
      t.equal(log.data, ['a'], 'data');
    },
  },
  {
    id: 'url-relative',
    title: 'a relative URL is resolved against the document, and works',
    spec,
    async run(t) {
      const url = t.url(message('a'));
      const source = t.open(pathOf(url).slice(1));
      t.equal(source.url, url, 'url');
      const log = t.record(source);
      await log.until('message');
      t.equal(log.data, ['a'], 'data');
    },
  },
  {
    id: 'url-base',
    title: 'the document\'s base counts',
    spec,
    async run(t) {
      const url = t.url(message('a'));
      const file = url.slice(url.lastIndexOf('/') + 1);
      const source = withBase('/s/other/', () => t.open(`../${file}`));
      t.equal(source.url, url, 'url');
      const log = t.record(source);
      await log.until('message');
      t.equal(log.data, ['a'], 'data');
    },
  },
  {
    id: 'url-base-later',
    title: 'a base that comes later changes nothing',
    spec,
    async run(t) {
      const url = t.url(message('a'));
      const source = t.open(pathOf(url));
      withBase('http://elsewhere.invalid/', () => t.equal(source.url, url, 'url under another base'));
    },
  },
  {
    id: 'url-empty',
    title: 'an empty URL is the document\'s',
    spec,
    async run(t) {
      const source = t.open('');
      t.equal(source.url, location.href, 'url');
      const log = t.record(source);
      await log.until('error');
      t.equal(log.lines, ['error closed'], 'events: a page is no stream');
    },
  },
  {
    id: 'url-fragment',
    title: 'a fragment stays in url',
    spec,
    async run(t) {
      const url = `${t.url(message('a'))}#part`;
      const source = t.open(url);
      t.equal(source.url, url, 'url');
      const log = t.record(source);
      await log.until('message');
      t.equal(log.data, ['a'], 'data');
    },
  },
  {
    id: 'url-white-space',
    title: 'white space around the URL is dropped',
    spec: 'URL, basic URL parser',
    async run(t) {
      const url = t.url(message('a'));
      t.equal(t.open(` \t${url}\n `).url, url, 'url');
    },
  },
  {
    id: 'url-object',
    title: 'a URL object and whatever has a toString will do',
    spec: 'Web IDL, USVString',
    async run(t) {
      const url = t.url(message('a'));
      t.equal(t.open(new URL(url)).url, url, 'url of a URL');
      t.equal(t.open({ toString: () => url }).url, url, 'url of an object');
    },
    connections: 2,
  },
  {
    id: 'url-not-a-string',
    title: 'undefined, null and numbers are taken for relative URLs',
    spec: 'Web IDL, USVString',
    async run(t) {
      for (const given of [undefined, null, 7]) {
        t.equal(t.open(given).url, `${t.origin}/${given}`, `url of ${given}`);
      }
    },
    connections: 3,
  },
  {
    id: 'url-lone-surrogate',
    title: 'a lone surrogate becomes U+FFFD',
    spec: 'Web IDL, USVString',
    async run(t) {
      t.equal(t.open('/\ud800').url, `${t.origin}/%EF%BF%BD`, 'url');
    },
  },
  {
    id: 'url-other-scheme',
    title: 'a scheme that has no streams fails in a later task, for good',
    spec: 'Chromium; the standard leaves it open',
    async run(t) {
      const source = t.open('mailto:nobody@localhost');
      t.equal(source.readyState, 0, 'readyState at first');
      t.equal(source.url, 'mailto:nobody@localhost', 'url');
      const log = t.record(source);
      await log.until('error');
      t.equal(log.lines, ['error closed'], 'events');
    },
  },
  {
    id: 'url-blob',
    title: 'a blob can be a stream',
    spec: 'Fetch, scheme fetch',
    async run(t) {
      const url = URL.createObjectURL(new Blob([message('a')], { type: 'text/event-stream' }));
      const log = t.record(t.open(url));
      await log.until('error');
      URL.revokeObjectURL(url);
      t.equal(log.lines, ['open', 'message a', 'error connecting'], 'events');
    },
  },
  {
    id: 'url-data',
    title: 'a data URL can be a stream',
    spec: 'Fetch, scheme fetch',
    async run(t) {
      const log = t.record(t.open('data:text/event-stream,data:a%0A%0A'));
      await log.until('error');
      t.equal(log.lines, ['open', 'message a', 'error connecting'], 'events');
    },
  },
  {
    id: 'url-credentials',
    title: 'user and password in a URL stay in url, and fail later, for good',
    spec: 'Chromium',
    async run(t) {
      const url = t.url(message('a')).replace('://', '://user:secret@');
      const source = t.open(url);
      t.equal(source.url, url, 'url');
      const log = t.record(source);
      await log.until('error');
      t.equal(log.lines, ['error closed'], 'events');
    },
  },
  {
    id: 'url-after-redirect',
    title: 'url stays what it was behind a redirect',
    spec,
    async run(t) {
      const url = t.url({ status: 302, type: null, headers: { location: t.url(message('a')) } });
      const source = t.open(url);
      const log = t.record(source);
      await log.until('message');
      t.equal(source.url, url, 'url');
    },
  },
];
