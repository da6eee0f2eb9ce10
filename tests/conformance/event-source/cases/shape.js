// The interface object, its prototype and its instances, as Web IDL shapes them.

const spec = 'Web IDL, interfaces';
const CONSTANTS = { CONNECTING: 0, OPEN: 1, CLOSED: 2 };
const READ_ONLY = ['url', 'withCredentials', 'readyState'];
const HANDLERS = ['onopen', 'onmessage', 'onerror'];

const constant = (value) => ({ value, writable: false, enumerable: true, configurable: false });

export const shape = [
  {
    id: 'shape-constants-class',
    title: 'the class has the constants, read-only and enumerable',
    spec,
    async run(t) {
      for (const [name, value] of Object.entries(CONSTANTS)) {
        t.equal(Object.getOwnPropertyDescriptor(t.EventSource, name), constant(value), name);
      }
    },
  },
  {
    id: 'shape-constants-prototype',
    title: 'the prototype has the constants, read-only and enumerable',
    spec,
    async run(t) {
      for (const [name, value] of Object.entries(CONSTANTS)) {
        t.equal(Object.getOwnPropertyDescriptor(t.EventSource.prototype, name), constant(value), name);
      }
    },
  },
  {
    id: 'shape-constants-instance',
    title: 'an instance inherits the constants and cannot have others',
    spec,
    async run(t) {
      const source = t.open(t.url([]));
      for (const [name, value] of Object.entries(CONSTANTS)) {
        t.throws(TypeError, () => { source[name] = 7; }, `writing ${name}`);
        t.equal(source[name], value, name);
      }
    },
  },
  {
    id: 'shape-read-only',
    title: 'url, withCredentials and readyState are accessors without a setter',
    spec,
    async run(t) {
      for (const name of READ_ONLY) {
        const { get, set, enumerable, configurable } = Object.getOwnPropertyDescriptor(t.EventSource.prototype, name) ?? {};
        t.equal(typeof get, 'function', `getter of ${name}`);
        t.equal({ set, enumerable, configurable }, { set: undefined, enumerable: true, configurable: true }, name);
      }
    },
  },
  {
    id: 'shape-read-only-writes',
    title: 'writing to a read-only attribute throws in strict code and changes nothing',
    spec,
    async run(t) {
      const source = t.open(t.url([]));
      for (const name of READ_ONLY) {
        const before = source[name];
        t.throws(TypeError, () => { source[name] = 7; }, `writing ${name}`);
        t.equal(source[name], before, name);
      }
    },
  },
  {
    id: 'shape-handlers',
    title: 'the handlers are accessors of the prototype',
    spec,
    async run(t) {
      for (const name of HANDLERS) {
        const { get, set, enumerable, configurable } = Object.getOwnPropertyDescriptor(t.EventSource.prototype, name) ?? {};
        t.equal([typeof get, typeof set, enumerable, configurable], ['function', 'function', true, true], name);
      }
    },
  },
  {
    id: 'shape-close',
    title: 'close is an enumerable method without parameters that returns undefined',
    spec,
    async run(t) {
      const { value, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(t.EventSource.prototype, 'close');
      t.equal([writable, enumerable, configurable], [true, true, true], 'writable, enumerable, configurable');
      t.equal([value.name, value.length], ['close', 0], 'name and length');
      t.equal(t.open(t.url([])).close(), undefined, 'what it returns');
    },
  },
  {
    id: 'shape-brand',
    title: 'getters and close throw a TypeError on anything else',
    spec,
    async run(t) {
      const { prototype } = t.EventSource;
      for (const name of [...READ_ONLY, ...HANDLERS]) {
        t.throws(TypeError, () => prototype[name], `${name} of the prototype`);
        t.throws(TypeError, () => Reflect.get(prototype, name, new EventTarget()), `${name} of an EventTarget`);
      }
      t.throws(TypeError, () => prototype.close.call({}), 'close of an object');
    },
  },
  {
    id: 'shape-to-string',
    title: 'Object.prototype.toString knows it',
    spec,
    async run(t) {
      t.equal(Object.prototype.toString.call(t.open(t.url([]))), '[object EventSource]', 'toString of an instance');
      const tag = Object.getOwnPropertyDescriptor(t.EventSource.prototype, Symbol.toStringTag);
      t.equal(tag, { value: 'EventSource', writable: false, enumerable: false, configurable: true }, 'toStringTag');
    },
  },
  {
    id: 'shape-name',
    title: 'the class is called EventSource',
    spec,
    async run(t) {
      t.equal(t.EventSource.name, 'EventSource', 'name');
    },
  },
  {
    id: 'shape-length',
    title: 'the class asks for one argument',
    spec,
    async run(t) {
      t.equal(t.EventSource.length, 1, 'length');
    },
  },
  {
    id: 'shape-inheritance',
    title: 'it is an EventTarget, and so is its class',
    spec,
    async run(t) {
      const source = t.open(t.url([]));
      t.ok(source instanceof t.EventSource, 'not an instance of its class');
      t.ok(source instanceof EventTarget, 'not an EventTarget');
      t.ok(Object.getPrototypeOf(t.EventSource) === EventTarget, 'the class does not extend EventTarget');
      t.ok(Object.getPrototypeOf(t.EventSource.prototype) === EventTarget.prototype, 'the prototype does not extend EventTarget\'s');
      t.ok(source.constructor === t.EventSource, 'constructor is not the class');
    },
  },
  {
    id: 'shape-prototype-property',
    title: 'the class\'s prototype is fixed',
    spec,
    async run(t) {
      const { writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(t.EventSource, 'prototype');
      t.equal([writable, enumerable, configurable], [false, false, false], 'writable, enumerable, configurable');
    },
  },
  {
    id: 'shape-own-keys',
    title: 'an instance has no properties of its own',
    spec,
    async run(t) {
      t.equal(Reflect.ownKeys(t.open(t.url([]))).map(String), [], 'own keys');
    },
  },
  {
    id: 'shape-for-in',
    title: 'for…in lists the interface and nothing else',
    spec,
    async run(t) {
      const names = [];
      for (const name in t.open(t.url([]))) names.push(name);
      const own = [...READ_ONLY, ...HANDLERS, 'close', ...Object.keys(CONSTANTS)];
      const inherited = names.filter((name) => name in EventTarget.prototype);
      t.equal(names.filter((name) => !inherited.includes(name)).sort(), own.sort(), 'names');
    },
  },
  {
    id: 'shape-subclass',
    title: 'it can be extended',
    spec: 'ECMAScript, derived classes',
    async run(t) {
      class Counting extends t.EventSource {
        opened = 0;
        constructor(url) {
          super(url);
          this.addEventListener('open', () => { this.opened += 1; });
        }
        get isOpen() { return this.readyState === this.OPEN; }
      }
      const source = t.track(new Counting(t.url([])));
      await t.record(source).until('open');
      t.equal([source.opened, source.isOpen, source instanceof t.EventSource], [1, true, true], 'the subclass');
      t.equal(Counting.OPEN, 1, 'an inherited constant');
    },
  },
  {
    id: 'shape-extra-property',
    title: 'a page may hang properties of its own on it',
    spec: 'ECMAScript, ordinary objects',
    async run(t) {
      const source = t.open(t.url([]));
      source.mine = 1;
      t.equal([source.mine, Object.isExtensible(source), Object.keys(source)], [1, true, ['mine']], 'the property');
    },
  },
];
