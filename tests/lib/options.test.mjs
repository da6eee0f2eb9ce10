import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseOptions } from '../../pkg/lib/options.js';

const base = { baseUrl: '/bi-chat/', protocol: 'bichat' };

test('every default is filled in, flat, for the engine', () => {
  assert.deepEqual({ ...parseOptions(base).raw }, {
    baseUrl: '/bi-chat', protocol: 'bichat', streamEndpoint: '/stream', transports: ['fetch'], websocketAuth: 'frame',
    eventLog: true, credentials: 'include', share: null, hasCursors: true, maxConnections: null,
    retryBaseMs: 1000, retryCapMs: 30000, retryJitter: true, retryStableMs: 10000, retryGiveUpAfterMs: 120000, retryMaxAttempts: Infinity,
    stallMs: 45000, livenessFloorMs: 6000, firstByteMs: 5000, connectGraceMs: 500, connectTimeoutMs: 0, statusTimeoutMs: 5000, stopTimeoutMs: 5000,
    outboxMessages: 100, outboxBytes: 4194304, maxEventBytes: 16777216, firstEventMs: 0, inactivityMs: 0,
  });
  assert.deepEqual(parseOptions(base).rpc, { url: '/bi-chat/rpc', credentials: 'include', timeoutMs: 120000 });
});

test('slashes at the seams of a URL do not matter', () => {
  const { raw, rpc } = parseOptions({ ...base, baseUrl: 'https://a.example/x//', streamEndpoint: '/s/', rpcEndpoint: '/r/' });
  assert.deepEqual([raw.baseUrl, raw.streamEndpoint, rpc.url], ['https://a.example/x', '/s', 'https://a.example/x/r']);
  assert.equal(parseOptions({ ...base, baseUrl: new URL('https://a.example/') }).raw.baseUrl, 'https://a.example');
  assert.equal(parseOptions({ ...base, baseUrl: '' }).raw.baseUrl, '');
});

test('with headers the ladder has no EventSource, which could not send them', () => {
  assert.deepEqual(parseOptions({ ...base, headers: { 'X-CSRF-Token': 't' } }).raw.transports, ['fetch']);
  const chat = parseOptions({ baseUrl: '', protocol: 'ws-chat', headers: { Authorization: 'Bearer t' } });
  assert.deepEqual(chat.raw.transports, ['websocket', 'fetch', 'rest']);
});

test('a ladder is any of the protocol\'s transports in any order', () => {
  const transports = ['rest', 'eventsource', 'fetch'];
  assert.deepEqual(parseOptions({ ...base, transports }).raw.transports, transports);
  const all = ['fetch', 'websocket', 'rest', 'eventsource'];
  const { raw, numbers } = parseOptions({ baseUrl: '/api', protocol: 'ws-chat', transports: all });
  // A digit for each: the first choice is the last digit.
  assert.deepEqual([raw.transports, raw.streamEndpoint, ...numbers.slice(-8, -4)], [all, '', 1, 2413, 5000, 0]);
});

test('a protocol may be a function, its own or of an object', () => {
  const decode = () => null;
  assert.equal(parseOptions({ baseUrl: '', protocol: decode }).raw.decode, decode);
  const protocol = { decode() { return this === protocol ? [] : null; } };
  const { raw, numbers } = parseOptions({ baseUrl: '', protocol });
  assert.deepEqual([raw.protocol, raw.transports, raw.decode(), numbers.at(-8)], ['custom', ['fetch'], [], 5]);
});

test('tabs share where server, protocol and scope are the same', () => {
  const shareOf = (options) => parseOptions({ ...base, ...options }).raw.share;
  assert.equal(shareOf({ shareAcrossTabs: false }), null);
  const names = [{}, { protocol: 'envelope' }, { baseUrl: '/other' }, { streamEndpoint: '/s' }, { shareAcrossTabs: { scope: 'ada' } }, { shareAcrossTabs: { scope: 'bob' } }]
    .map((options) => shareOf({ shareAcrossTabs: true, ...options }));
  assert.equal(new Set(names).size, names.length);
  assert.equal(shareOf({ shareAcrossTabs: {} }), names[0]);
  assert.equal(parseOptions({ ...base, shareAcrossTabs: true }).numbers.at(-5), 1);
});

test('a wrong value is refused with its path, what came and what was expected', () => {
  const cases = [
    ['options', undefined],
    ['baseUrl', { protocol: 'bichat' }],
    ['protocol', { ...base, protocol: 'grpc' }],
    ['protocol', { ...base, protocol: 'custom' }],
    ['protocol', { ...base, protocol: null }],
    ['protocol.decode', { ...base, protocol: {} }],
    ['protocol.decode', { ...base, protocol: { decode: 'x' } }],
    ['protocol.encode', { ...base, protocol: { decode: () => null, encode: () => null } }],
    ['transports[0]', { ...base, protocol: () => null, transports: ['eventsource'] }],
    ['streamEndpoint', { ...base, protocol: () => null, streamEndpoint: '/s' }],
    ['retry', { ...base, retry: 3 }],
    ['retry.baseMs', { ...base, retry: { baseMs: -1 } }],
    ['retry.capMs', { ...base, retry: { capMs: Infinity } }],
    ['retry.jitter', { ...base, retry: { jitter: 'some' } }],
    ['retry.base', { ...base, retry: { base: 1 } }],
    ['liveness.stallMs', { ...base, liveness: { stallMs: NaN } }],
    ['connectGraceMs', { ...base, connectGraceMs: '500' }],
    ['watchdog', { ...base, watchdog: 30_000 }],
    ['watchdog.firstEventMs', { ...base, watchdog: { firstEventMs: -1 } }],
    ['watchdog.first', { ...base, watchdog: { first: 1 } }],
    ['transports', { ...base, transports: [] }],
    ['transports[0]', { ...base, transports: ['websocket'] }],
    ['transports', { ...base, transports: ['fetch', 'fetch'] }],
    ['transports[1]', { baseUrl: '', protocol: 'ws-chat', transports: ['fetch', 'pigeon'] }],
    ['websocketAuth', { baseUrl: '', protocol: 'ws-chat', websocketAuth: 'query' }],
    ['streamEndpoint', { baseUrl: '', protocol: 'ws-chat', streamEndpoint: '/x' }],
    ['transports[0]', { baseUrl: '/v1', protocol: 'chunks', transports: ['eventsource'] }],
    ['eventLog', { baseUrl: '', protocol: 'ws-chat', eventLog: true }],
    ['eventLog', { ...base, eventLog: 'no' }],
    ['persist', { ...base, persist: 'local' }],
    ['persist', { ...base, persist: true }],
    ...[0, -1, 1.5, NaN, '4'].map((maxConnections) => ['maxConnections', { ...base, maxConnections }]),
    ['shareAcrossTabs', { ...base, shareAcrossTabs: 'yes' }],
    ['shareAcrossTabs', { ...base, shareAcrossTabs: null }],
    ['shareAcrossTabs.scope', { ...base, shareAcrossTabs: { scope: '' } }],
    ['shareAcrossTabs.name', { ...base, shareAcrossTabs: { name: 'x' } }],
    ['transports', { ...base, transports: ['eventsource'], headers: {} }],
    ['credentials', { ...base, credentials: true }],
    ['headers', { ...base, headers: 'token' }],
    ['headers', { ...base, headers: { 'no spaces here': 'x' } }],
    ['streamEndpoint', { ...base, streamEndpoint: 'stream' }],
    ['baseurl', { ...base, baseurl: '/x' }],
  ];
  for (const [path, options] of cases) {
    assert.throws(() => parseOptions(options), (error) => {
      assert.equal(error.code, 'invalid-argument');
      assert.equal(error.path, path);
      assert.match(error.message, /: got .+; expected .+\.$/);
      return true;
    });
  }
});

test('undefined means the default, and Infinity means never where it can', () => {
  const { raw } = parseOptions({ ...base, retry: { giveUpAfterMs: Infinity }, liveness: undefined, connectGraceMs: undefined });
  assert.equal(raw.retryGiveUpAfterMs, Infinity);
  assert.equal(raw.connectGraceMs, 500);
});
