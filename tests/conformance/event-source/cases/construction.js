// The constructor and its arguments.

import { message } from '../page/steps.js';

const spec = 'the EventSource() constructor';

export const construction = [
  {
    id: 'construct-needs-url',
    title: 'without a URL it throws a TypeError',
    spec,
    async run(t) {
      t.throws(TypeError, () => new t.EventSource(), 'no argument');
    },
  },
  {
    id: 'construct-needs-new',
    title: 'without new it throws a TypeError',
    spec: 'Web IDL, constructors',
    async run(t) {
      t.throws(TypeError, () => t.EventSource(t.url([])), 'called as a function');
    },
  },
  {
    id: 'construct-invalid-url',
    title: 'a URL that cannot be parsed throws a SyntaxError of DOMException',
    spec,
    async run(t) {
      for (const url of ['http://[', 'http://:80', '//', 'http://a:b/']) {
        const error = t.throws('SyntaxError', () => new t.EventSource(url), url);
        t.equal(error.code, DOMException.SYNTAX_ERR, `code for ${url}`);
      }
    },
  },
  {
    id: 'construct-init-absent',
    title: 'withCredentials is false unless asked for',
    spec,
    async run(t) {
      for (const init of [[], [undefined], [null], [{}], [{ withCredentials: undefined }], [{ unknown: 1 }], [() => {}]]) {
        t.equal(t.open(t.url([]), ...init).withCredentials, false, `withCredentials of ${String(init)}`);
      }
    },
    connections: 6,
  },
  {
    id: 'construct-init-credentials',
    title: 'withCredentials is what was asked for, as a boolean',
    spec,
    async run(t) {
      for (const [given, is] of [[true, true], [false, false], [1, true], ['no', true], ['', false], [null, false]]) {
        t.equal(t.open(t.url([]), { withCredentials: given }).withCredentials, is, `withCredentials of ${String(given)}`);
      }
    },
    connections: 6,
  },
  {
    id: 'construct-init-inherited',
    title: 'an inherited withCredentials counts',
    spec: 'Web IDL, dictionaries',
    async run(t) {
      t.equal(t.open(t.url([]), Object.create({ withCredentials: true })).withCredentials, true, 'withCredentials');
    },
  },
  {
    id: 'construct-init-no-object',
    title: 'an init that is no object throws a TypeError',
    spec: 'Web IDL, dictionaries',
    async run(t) {
      for (const init of [1, 'x', true, Symbol.iterator]) {
        t.throws(TypeError, () => new t.EventSource(t.url([]), init), `init ${String(init)}`);
      }
    },
  },
  {
    id: 'construct-init-throws',
    title: 'an error of the init\'s getter comes through',
    spec: 'Web IDL, dictionaries',
    async run(t) {
      const mine = new RangeError('mine');
      const error = t.throws(RangeError, () => new t.EventSource(t.url([]), { get withCredentials() { throw mine; } }), 'the getter');
      t.ok(error === mine, 'another error came out');
    },
  },
  {
    id: 'construct-url-throws',
    title: 'an error of the URL\'s toString comes through',
    spec: 'Web IDL, USVString',
    async run(t) {
      const mine = new RangeError('mine');
      const error = t.throws(RangeError, () => new t.EventSource({ toString() { throw mine; } }), 'toString');
      t.ok(error === mine, 'another error came out');
      t.throws(TypeError, () => new t.EventSource(Symbol('url')), 'a symbol');
    },
  },
  {
    id: 'construct-connecting',
    title: 'it begins as CONNECTING, and no event comes within the task that made it',
    spec,
    async run(t) {
      const source = t.open(t.url(message('a')));
      t.equal(source.readyState, 0, 'readyState at first');
      const from = performance.now();
      while (performance.now() - from < 30);
      t.equal(source.readyState, 0, 'readyState at the end of the task');
      const log = t.record(source);
      await log.until('message');
      t.equal(log.lines, ['open', 'message a'], 'events');
    },
  },
  {
    id: 'construct-later-listener',
    title: 'a listener that is added in a microtask misses nothing',
    spec,
    async run(t) {
      const source = t.open(t.url(message('a')));
      await null;
      const log = t.record(source);
      await log.until('message');
      t.equal(log.lines, ['open', 'message a'], 'events');
    },
  },
];
