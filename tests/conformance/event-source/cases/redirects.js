// Redirects are followed, and leave no trace but the origin of the events.

import { message, redirect } from '../page/steps.js';

const spec = 'Fetch, HTTP-redirect fetch';
const ANY = { 'access-control-allow-origin': '*' };

const followed = (status) => ({
  id: `redirect-${status}`,
  title: `${status} is followed with a GET`,
  spec,
  async run(t) {
    const target = t.url(message('a'));
    const log = t.record(t.open(t.url(redirect(status, target))));
    await log.until('message');
    t.equal(log.lines, ['open', 'message a'], 'events');
    const [{ method, headers }] = await t.requests(target);
    t.equal([method, headers.accept], ['GET', 'text/event-stream'], 'method and Accept behind it');
  },
});

/** A case of a redirect that ends in a failure for good. */
const refused = (id, title, makeUrl) => ({
  id,
  title,
  spec,
  async run(t) {
    const source = t.open(makeUrl(t));
    const log = t.record(source);
    await log.until('error');
    t.equal([log.lines, source.readyState], [['error closed'], 2], 'events and readyState');
  },
});

export const redirects = [
  ...[301, 302, 303, 307, 308].map(followed),
  {
    id: 'redirect-chain',
    title: 'one after another',
    spec,
    async run(t) {
      const last = t.url(message('a'));
      const url = [301, 307, 302, 308].reduce((target, status) => t.url(redirect(status, target)), last);
      const log = t.record(t.open(url));
      await log.until('message');
      t.equal(log.lines, ['open', 'message a'], 'events');
    },
  },
  {
    id: 'redirect-relative',
    title: 'a relative target is resolved against the URL that led there',
    spec,
    async run(t) {
      const target = t.url(message('a'));
      const log = t.record(t.open(t.url(redirect(302, target.slice(target.lastIndexOf('/') + 1)))));
      await log.until('message');
      t.equal(log.data, ['a'], 'data');
    },
  },
  {
    id: 'redirect-other-origin',
    title: 'to another origin that allows it, with the page\'s Origin',
    spec,
    async run(t) {
      const target = t.otherUrl({ headers: ANY, body: [message('a')] });
      const log = t.record(t.open(t.url(redirect(302, target))));
      await log.until('message');
      const [{ headers }] = await t.requests(target);
      t.equal(headers.origin, t.origin, 'Origin');
    },
  },
  {
    id: 'redirect-back',
    title: 'from another origin back to the page\'s, which then has to allow it, to Origin null',
    spec,
    async run(t) {
      const target = t.url({ headers: ANY, body: [message('a')] });
      const log = t.record(t.open(t.otherUrl(redirect(302, target, ANY))));
      const { origin } = await log.until('message');
      const [{ headers }] = await t.requests(target);
      t.equal([origin, headers.origin], [t.origin, 'null'], 'origin of the event and of the request');
    },
  },
  refused('redirect-back-unallowed', 'without that it fails', (t) => t.otherUrl(redirect(302, t.url(message('a')), ANY))),
  refused('redirect-other-unallowed', 'to another origin that does not allow it, it fails',
    (t) => t.url(redirect(302, t.otherUrl(message('a'))))),
  refused('redirect-unallowed', 'from another origin that does not allow it, it fails',
    (t) => t.otherUrl(redirect(302, t.otherUrl({ headers: ANY, body: [message('a')] })))),
  refused('redirect-to-404', 'to a 404 it fails', (t) => t.url(redirect(302, t.url({ status: 404 })))),
  refused('redirect-to-204', 'to a 204 it fails', (t) => t.url(redirect(302, t.url({ status: 204 })))),
  refused('redirect-to-page', 'to a page it fails', (t) => t.url(redirect(302, '/'))),
  refused('redirect-without-location', 'without a target it fails', (t) => t.url({ status: 302, body: [message('a')] })),
  {
    id: 'redirect-to-data',
    title: 'to a data URL it is a lost connection, to be tried again',
    spec: 'Chromium',
    async run(t) {
      const log = t.record(t.open(t.url(redirect(302, 'data:text/event-stream,data:a%0A%0A'))));
      await log.until('error');
      t.equal(log.lines, ['error connecting'], 'events');
    },
  },
  {
    id: 'redirect-endless',
    title: 'so is a redirect that never ends',
    spec: 'Chromium',
    async run(t) {
      const log = t.record(t.open(t.url(...Array(30).fill(redirect(302, '#again')))));
      await log.until('error');
      t.equal(log.lines, ['error connecting'], 'events');
    },
  },
];
