// The class itself: constants, prototype, inheritance.

const STATES = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 };
const GETTERS = ['url', 'readyState', 'bufferedAmount', 'extensions', 'protocol'];
const SETTABLE = ['binaryType', 'onopen', 'onmessage', 'onerror', 'onclose'];
const METHODS = { send: 1, close: 0 };
const NOWHERE = 'ws://127.0.0.1:4/';

export default [
  {
    id: 'shape/constants',
    title: 'the states are constants of the class, its prototype and each socket, and cannot be changed',
    spec: 'webidl: constants',
    run(t) {
      const socket = t.open(NOWHERE);
      for (const [name, value] of Object.entries(STATES)) {
        t.equal(socket[name], value, name);
        for (const owner of [t.WebSocket, t.WebSocket.prototype]) {
          t.same(Object.getOwnPropertyDescriptor(owner, name), { value, writable: false, enumerable: true, configurable: false }, name);
        }
      }
    },
  },
  {
    id: 'shape/accessors',
    title: 'attributes are enumerable accessors of the prototype, with a setter only where one may set',
    spec: 'webidl: attributes',
    run(t) {
      for (const name of [...GETTERS, ...SETTABLE]) {
        const found = Object.getOwnPropertyDescriptor(t.WebSocket.prototype, name);
        t.ok(found?.get, `${name} has a getter`);
        t.equal(Boolean(found.set), SETTABLE.includes(name), `${name} has a setter`);
        t.same([found.enumerable, found.configurable], [true, true], `${name} is enumerable and configurable`);
      }
    },
  },
  {
    id: 'shape/methods',
    title: 'send and close are enumerable methods of the prototype with the right length',
    spec: 'webidl: operations',
    run(t) {
      for (const [name, length] of Object.entries(METHODS)) {
        const { value, ...rest } = Object.getOwnPropertyDescriptor(t.WebSocket.prototype, name);
        t.same(rest, { writable: true, enumerable: true, configurable: true }, name);
        t.equal(value.length, length, `length of ${name}`);
        t.equal(value.name, name, 'name');
      }
    },
  },
  {
    id: 'shape/read-only',
    title: 'setting a read-only attribute changes nothing, and throws in strict code',
    spec: 'webidl: attributes',
    run(t) {
      const socket = t.open(NOWHERE);
      for (const name of GETTERS) {
        const before = socket[name];
        t.throws('TypeError', () => { socket[name] = 'other'; }, name);
        t.equal(socket[name], before, name);
      }
    },
  },
  {
    id: 'shape/own-properties',
    title: 'a socket has no enumerable property of its own',
    spec: 'webidl: platform objects',
    run(t) {
      t.same(Object.keys(t.open(NOWHERE)), [], 'keys');
      t.equal(JSON.stringify(t.open(NOWHERE)), '{}', 'JSON');
    },
  },
  {
    id: 'shape/event-target',
    title: 'a socket is an EventTarget and an instance of its class',
    spec: 'websockets: interface WebSocket',
    run(t) {
      const socket = t.open(NOWHERE);
      t.ok(socket instanceof EventTarget, 'an EventTarget');
      t.ok(socket instanceof t.WebSocket, 'an instance of its class');
      t.equal(Object.getPrototypeOf(t.WebSocket), EventTarget, 'class inherited from');
      t.equal(Object.getPrototypeOf(t.WebSocket.prototype), EventTarget.prototype, 'prototype inherited from');
      t.equal(socket.constructor, t.WebSocket, 'constructor');
    },
  },
  {
    id: 'shape/instance-of-global',
    title: 'a socket passes `instanceof WebSocket`',
    spec: 'webidl: interface objects',
    run(t) {
      t.ok(t.open(NOWHERE) instanceof globalThis.WebSocket, 'instanceof WebSocket');
    },
  },
  {
    id: 'shape/to-string',
    title: 'Object.prototype.toString says [object WebSocket]',
    spec: 'webidl: class string',
    run(t) {
      t.equal(Object.prototype.toString.call(t.open(NOWHERE)), '[object WebSocket]');
      t.equal(String(t.open(NOWHERE)), '[object WebSocket]');
    },
  },
  {
    id: 'shape/name',
    title: 'the class is called WebSocket',
    spec: 'webidl: interface objects',
    run(t) {
      t.equal(t.WebSocket.name, 'WebSocket', 'name');
    },
  },
  {
    id: 'shape/length',
    title: 'the constructor needs one argument',
    spec: 'webidl: interface objects',
    run(t) {
      t.equal(t.WebSocket.length, 1, 'length');
    },
  },
  {
    id: 'shape/foreign-this',
    title: 'attributes and methods throw TypeError on anything that is no socket',
    spec: 'webidl: attributes, operations',
    run(t) {
      const { prototype } = t.WebSocket;
      for (const name of [...GETTERS, ...SETTABLE]) {
        t.throws('TypeError', () => Object.getOwnPropertyDescriptor(prototype, name).get.call({}), name);
      }
      for (const name of Object.keys(METHODS)) t.throws('TypeError', () => prototype[name].call({}, 'x'), name);
      t.throws('TypeError', () => prototype.readyState, 'the prototype itself');
    },
  },
  {
    id: 'shape/subclass',
    title: 'the class can be extended',
    spec: 'webidl: constructors',
    async run(t) {
      class Counting extends t.WebSocket {
        sent = 0;

        send(data) {
          this.sent += 1;
          super.send(data);
        }
      }
      const url = t.url({ echo: true });
      const socket = new Counting(url);
      const log = t.record(socket);
      await log.until('open');
      socket.send('one');
      await log.until('message');
      t.equal(socket.sent, 1, 'sent');
      t.ok(socket instanceof t.WebSocket && socket instanceof Counting, 'an instance of both');
      socket.close();
    },
  },
  {
    id: 'shape/expando',
    title: 'properties of the caller are kept',
    spec: 'webidl: platform objects',
    run(t) {
      const socket = t.open(NOWHERE);
      socket.mine = 1;
      t.equal(socket.mine, 1, 'mine');
      const weak = new WeakMap([[socket, 2]]);
      t.equal(weak.get(socket), 2, 'as a key');
    },
  },
];
