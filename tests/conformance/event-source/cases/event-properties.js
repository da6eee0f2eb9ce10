// What the events are and carry.

import { END, SOON, message, redirect } from '../page/steps.js';

const spec = 'dispatching the event';

const first = async (t, body, type = 'message') => {
  const source = t.open(t.url(body));
  return { source, event: await t.record(source, [type]).until(type) };
};

export const eventProperties = [
  {
    id: 'event-message-class',
    title: 'a message is a MessageEvent',
    spec,
    async run(t) {
      const { event } = await first(t, message('a'));
      t.ok(Object.getPrototypeOf(event) === MessageEvent.prototype, 'not a MessageEvent');
    },
  },
  {
    id: 'event-message-properties',
    title: 'a message has its data, the type "message" and no id',
    spec,
    async run(t) {
      const { event: { type, data, lastEventId } } = await first(t, message('a'));
      t.equal({ type, data, lastEventId }, { type: 'message', data: 'a', lastEventId: '' }, 'properties');
    },
  },
  {
    id: 'event-named-properties',
    title: 'a named event is a MessageEvent with its name as type',
    spec,
    async run(t) {
      const { event } = await first(t, 'event: other\nid: 1\ndata: a\n\n', 'other');
      t.ok(Object.getPrototypeOf(event) === MessageEvent.prototype, 'not a MessageEvent');
      const { type, data, lastEventId } = event;
      t.equal({ type, data, lastEventId }, { type: 'other', data: 'a', lastEventId: '1' }, 'properties');
    },
  },
  {
    id: 'event-no-source',
    title: 'a message has neither source nor ports',
    spec: 'HTML, MessageEvent',
    async run(t) {
      const { event } = await first(t, message('a'));
      t.equal([event.source, event.ports], [null, []], 'source and ports');
      t.ok(Object.isFrozen(event.ports), 'ports is not frozen');
    },
  },
  {
    id: 'event-does-not-bubble',
    title: 'a message neither bubbles nor can be cancelled',
    spec,
    async run(t) {
      const { event } = await first(t, message('a'));
      event.preventDefault();
      const { bubbles, cancelable, composed, defaultPrevented } = event;
      t.equal([bubbles, cancelable, composed, defaultPrevented], [false, false, false, false], 'flags');
    },
  },
  {
    id: 'event-target',
    title: 'the source is the target',
    spec: 'DOM, dispatch',
    async run(t) {
      const { source, event } = await first(t, message('a'));
      t.ok(event.target === source && event.srcElement === source, 'target is another');
      let during;
      source.addEventListener('error', (error) => {
        during = [error.currentTarget === source, error.eventPhase, error.composedPath().length === 1, error.composedPath()[0] === source];
      });
      source.dispatchEvent(new Event('error'));
      t.equal(during, [true, Event.AT_TARGET, true, true], 'currentTarget, phase, path');
    },
  },
  {
    id: 'event-over',
    title: 'after its listeners an event has no current target and no path',
    spec: 'DOM, dispatch',
    async run(t) {
      const { event } = await first(t, message('a'));
      await t.pause(0);
      t.equal([event.currentTarget, event.eventPhase, event.composedPath().length], [null, Event.NONE, 0], 'afterwards');
    },
  },
  {
    id: 'event-time',
    title: 'an event\'s time stamp is of the page\'s clock',
    spec: 'DOM, Event',
    async run(t) {
      const from = performance.now();
      const { event } = await first(t, message('a'));
      t.between(event.timeStamp, from, performance.now(), 'timeStamp');
    },
  },
  {
    id: 'event-trusted-message',
    title: 'a message is trusted',
    spec: 'DOM, isTrusted',
    async run(t) {
      const { event } = await first(t, message('a'));
      t.equal(event.isTrusted, true, 'isTrusted');
    },
  },
  {
    id: 'event-trusted-open-error',
    title: 'open and error are trusted',
    spec: 'DOM, isTrusted',
    async run(t) {
      const log = t.record(t.open(t.url([END])));
      await log.until('error');
      t.equal(log.entries.map(({ event }) => event.isTrusted), [true, true], 'isTrusted');
    },
  },
  {
    id: 'event-open-class',
    title: 'open is a plain Event that neither bubbles nor can be cancelled',
    spec: 'announce the connection',
    async run(t) {
      const { event } = await first(t, [], 'open');
      t.ok(Object.getPrototypeOf(event) === Event.prototype, 'not a plain Event');
      t.equal([event.type, event.bubbles, event.cancelable, event.composed], ['open', false, false, false], 'properties');
    },
  },
  {
    id: 'event-error-class',
    title: 'error is a plain Event that neither bubbles nor can be cancelled, and says nothing more',
    spec: 'reestablish the connection',
    async run(t) {
      const { event } = await first(t, [END], 'error');
      t.ok(Object.getPrototypeOf(event) === Event.prototype, 'not a plain Event');
      t.equal([event.type, event.bubbles, event.cancelable, event.composed], ['error', false, false, false], 'properties');
      t.equal(['data' in event, 'message' in event, 'error' in event], [false, false, false], 'data, message, error');
    },
  },
  {
    id: 'event-failure-class',
    title: 'the error of a connection that failed for good is a plain Event, too',
    spec: 'fail the connection',
    async run(t) {
      const log = t.record(t.open(t.url({ status: 500 })));
      const event = await log.until('error');
      t.ok(Object.getPrototypeOf(event) === Event.prototype, 'not a plain Event');
      t.equal([event.bubbles, event.cancelable], [false, false], 'bubbles, cancelable');
    },
  },
  {
    id: 'event-own-object',
    title: 'each event is an object of its own, with nothing of ours on it',
    spec,
    async run(t) {
      const log = t.record(t.open(t.url([message('a'), message('a')])));
      await log.until('message', 2);
      const [, one, two] = log.entries.map(({ event }) => event);
      t.ok(one !== two, 'one object for two events');
      t.equal(Reflect.ownKeys(one).filter((key) => key !== 'isTrusted').map(String), [], 'own keys');
    },
  },
  {
    id: 'event-origin',
    title: 'origin is the stream\'s',
    spec,
    async run(t) {
      const { event } = await first(t, message('a'));
      t.equal(event.origin, t.origin, 'origin');
    },
  },
  {
    id: 'event-origin-other',
    title: 'origin of a stream from another origin is that one',
    spec,
    async run(t) {
      const url = t.otherUrl({ headers: { 'access-control-allow-origin': '*' }, body: [message('a'), 'event: other\ndata: b\n\n'] });
      const log = t.record(t.open(url), ['other']);
      await log.until('other');
      t.equal(log.entries.map(({ event }) => event.origin), [undefined, t.otherOrigin, t.otherOrigin], 'origins');
    },
  },
  {
    id: 'event-origin-redirected',
    title: 'origin behind a redirect is that of the last URL',
    spec,
    async run(t) {
      const target = t.otherUrl({ headers: { 'access-control-allow-origin': '*' }, body: [message('a')] });
      const log = t.record(t.open(t.url(redirect(302, target))));
      t.equal((await log.until('message')).origin, t.otherOrigin, 'origin');
    },
  },
  {
    id: 'event-origin-each-connection',
    title: 'origin is that of the connection that an event came over',
    spec,
    async run(t) {
      const headers = { 'access-control-allow-origin': '*' };
      const target = t.url({ headers, body: [message('b')] });
      const log = t.record(t.open(t.otherUrl({ headers, body: [SOON, message('a'), END] }, redirect(302, target, headers))));
      await log.until('message', 2);
      const origins = log.entries.filter(({ type }) => type === 'message').map(({ event }) => event.origin);
      t.equal(origins, [t.otherOrigin, t.origin], 'origins');
    },
  },
];
