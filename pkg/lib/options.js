// RunClientOptions, parsed once: after this every number is a number in its range, and the engine gets a flat object with
// every default filled in. What is wrong is named by its path.
import { TRANSPORTS } from './browser/driver.js';
import { invalid } from './errors.js';

export const PROTOCOLS = ['bichat', 'ws-chat', 'ui-message', 'envelope', 'chunks'];
// By the engine's numbers. `custom` has no name for users: it is a function.
const NUMBERED = [...PROTOCOLS, 'custom'];
// The transports of each, and those that it uses where none are named.
const OF_PROTOCOL = {
  bichat: { all: ['eventsource', 'fetch', 'rest'], usual: ['fetch'] },
  'ws-chat': { all: TRANSPORTS, usual: ['websocket', 'fetch', 'rest'] },
  'ui-message': { all: ['fetch'], usual: ['fetch'] },
  envelope: { all: ['eventsource', 'fetch'], usual: ['fetch'] },
  chunks: { all: ['fetch'], usual: ['fetch'] },
  custom: { all: ['fetch'], usual: ['fetch'] },
};
const CREDENTIALS = ['include', 'same-origin', 'omit'];

// path: [name at the boundary, default, may be Infinity]
const NUMBERS = {
  'retry.baseMs': ['retryBaseMs', 1000],
  'retry.capMs': ['retryCapMs', 30000],
  'retry.stableMs': ['retryStableMs', 10000],
  'retry.giveUpAfterMs': ['retryGiveUpAfterMs', 120000, true],
  'retry.maxAttempts': ['retryMaxAttempts', Infinity, true],
  'liveness.stallMs': ['stallMs', 45000, true],
  'liveness.floorMs': ['livenessFloorMs', 6000],
  'liveness.firstByteMs': ['firstByteMs', 5000, true],
  connectGraceMs: ['connectGraceMs', 500],
  connectTimeoutMs: ['connectTimeoutMs', 0],
  statusTimeoutMs: ['statusTimeoutMs', 5000],
  stopTimeoutMs: ['stopTimeoutMs', 5000],
  rpcTimeoutMs: ['rpcTimeoutMs', 120000],
  'replay.ttlMs': ['replayTtlMs', 30000],
  'replay.maxBytes': ['replayMaxBytes', 16777216, true],
  'outbox.maxMessages': ['outboxMessages', 100, true],
  'outbox.maxBytes': ['outboxBytes', 4194304, true],
  doubleSendMs: ['doubleSendMs', 500],
  maxEventBytes: ['maxEventBytes', 16777216],
  'watchdog.firstEventMs': ['firstEventMs', 0, true],
  'watchdog.inactivityMs': ['inactivityMs', 0, true],
};
const GROUPS = new Set(['retry', 'liveness', 'replay', 'watchdog', 'outbox']);
const NAMES = new Set([
  'baseUrl', 'protocol', 'transports', 'headers', 'credentials', 'streamEndpoint', 'rpcEndpoint', 'retry.jitter', 'eventLog',
  'websocketAuth', 'onSettled', 'persist', 'shareAcrossTabs', 'maxConnections',
  ...Object.keys(NUMBERS),
]);

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

export const requireString = (path, value) => {
  if (typeof value !== 'string' || value === '') throw invalid(path, value, 'a non-empty string');
  return value;
};

export const requireNumber = (path, value, mayBeInfinite) => {
  if (typeof value === 'number' && value >= 0 && (value < Infinity || mayBeInfinite)) return value;
  throw invalid(path, value, `a number >= 0${mayBeInfinite ? ', Infinity allowed' : ''}`);
};

export const requireFunction = (path, value) => {
  if (typeof value !== 'function') throw invalid(path, value, 'a function');
  return value;
};

export const requireSignal = (path, value) => {
  if (value === undefined || typeof value?.addEventListener === 'function') return value;
  throw invalid(path, value, 'an AbortSignal');
};

export const requireOneOf = (path, value, choices) => {
  if (choices.includes(value)) return value;
  throw invalid(path, value, `one of ${choices.join(', ')}`);
};

// Options as path -> value. An unknown name is a typo, and a typo that is ignored is found in production.
const flatten = (options) => {
  const flat = new Map();
  for (const [name, value] of Object.entries(options)) {
    if (!GROUPS.has(name)) flat.set(name, value);
    else if (isObject(value)) for (const key of Object.keys(value)) flat.set(`${name}.${key}`, value[key]);
    else if (value !== undefined) throw invalid(name, value, 'an object');
  }
  for (const path of flat.keys()) if (!NAMES.has(path)) throw invalid(path, flat.get(path), 'no option of this name');
  return flat;
};

const parseTransports = (value, protocol, hasHeaders) => {
  const { all, usual } = OF_PROTOCOL[protocol];
  if (value === undefined) return usual;
  if (!Array.isArray(value) || value.length === 0 || new Set(value).size !== value.length) {
    throw invalid('transports', value, 'an array of different transports');
  }
  value.forEach((name, i) => requireOneOf(`transports[${i}]`, name, all));
  // EventSource cannot send headers (W-10): it would drop the credentials silently.
  if (hasHeaders && value.includes('eventsource')) throw invalid('transports', value, 'no eventsource beside headers, which it cannot send');
  return [...value];
};

// A protocol's name, or `custom` and the function.
const parseProtocol = (value) => {
  if (typeof value === 'function') return ['custom', value];
  if (!isObject(value)) return [requireOneOf('protocol', value, PROTOCOLS)];
  for (const name of Object.keys(value)) if (name !== 'decode') throw invalid(`protocol.${name}`, value[name], 'no option of this name');
  return ['custom', requireFunction('protocol.decode', value.decode).bind(value)];
};

export const requireBoolean = (path, value) => {
  if (typeof value !== 'boolean') throw invalid(path, value, 'true or false');
  return value;
};

const parseHeaders = (value) => {
  try {
    new Headers(value);
  } catch (error) {
    throw invalid('headers', value, 'valid header names and values', error);
  }
};

// In the order of the boundary's `options`.
const numbersOf = (raw) => Float64Array.of(
  raw.retryBaseMs, raw.retryCapMs, raw.retryStableMs, raw.retryGiveUpAfterMs, raw.retryMaxAttempts, raw.stallMs, raw.livenessFloorMs,
  raw.connectGraceMs, raw.connectTimeoutMs, raw.statusTimeoutMs, raw.stopTimeoutMs, raw.maxEventBytes, raw.retryJitter,
  raw.eventLog, NUMBERED.indexOf(raw.protocol),
  // A digit for each, from the right.
  raw.transports.reduceRight((digits, name) => digits * 10 + TRANSPORTS.indexOf(name) + 1, 0), raw.firstByteMs, raw.share !== null,
  raw.firstEventMs, raw.inactivityMs,
  raw.outboxMessages, raw.outboxBytes,
);

// What tabs have to agree on before they share a stream; `null` where they share none.
const parseShare = (value, { baseUrl, protocol, streamEndpoint }) => {
  if (value === undefined || value === false) return null;
  if (value !== true && !isObject(value)) throw invalid('shareAcrossTabs', value, 'true, false or { scope }');
  for (const name of Object.keys(value)) {
    if (name !== 'scope') throw invalid(`shareAcrossTabs.${name}`, value[name], 'no option of this name');
  }
  const scope = value === true || value.scope === undefined ? '' : requireString('shareAcrossTabs.scope', value.scope);
  return [protocol, baseUrl + streamEndpoint, scope].join('|');
};

// `/path` without trailing slashes; a base may also be absolute or empty (same origin).
const trim = (url) => url.replace(/\/+$/, '');
const parseEndpoint = (path, value) => {
  if (requireString(path, value)[0] !== '/') throw invalid(path, value, "a path that starts with '/'");
  return trim(value);
};

export const parseOptions = (options) => {
  if (!isObject(options)) throw invalid('options', options, 'an object');
  const flat = flatten(options);
  const get = (path, fallback) => (flat.get(path) === undefined ? fallback : flat.get(path));

  const headers = get('headers');
  if (headers !== undefined && typeof headers !== 'function' && !isObject(headers)) {
    throw invalid('headers', headers, 'an object of header names and values, or a function that returns one');
  }
  if (isObject(headers)) parseHeaders(headers);
  const baseUrl = get('baseUrl');
  if (typeof baseUrl !== 'string' && !(baseUrl instanceof URL)) throw invalid('baseUrl', baseUrl, 'a URL');
  const [protocol, decode] = parseProtocol(get('protocol', 'bichat'));
  const isBichat = protocol === 'bichat';
  if (!isBichat) {
    for (const path of ['streamEndpoint', 'eventLog']) {
      if (get(path) !== undefined) throw invalid(path, get(path), `no such option beside protocol ${protocol}`);
    }
  }
  const raw = {
    baseUrl: trim(String(baseUrl)),
    protocol,
    ...(decode && { decode }),
    streamEndpoint: isBichat ? parseEndpoint('streamEndpoint', get('streamEndpoint', '/stream')) : '',
    transports: parseTransports(get('transports'), protocol, headers !== undefined),
    websocketAuth: requireOneOf('websocketAuth', get('websocketAuth', 'frame'), ['frame', 'subprotocol']),
    eventLog: requireBoolean('eventLog', get('eventLog', true)),
    credentials: requireOneOf('credentials', get('credentials', 'include'), CREDENTIALS),
    retryJitter: requireOneOf('retry.jitter', get('retry.jitter', 'full'), ['full', 'none']) === 'full',
  };
  raw.maxConnections = get('maxConnections', null);
  if (raw.maxConnections !== null && raw.maxConnections !== Infinity && !(Number.isInteger(raw.maxConnections) && raw.maxConnections > 0)) {
    throw invalid('maxConnections', raw.maxConnections, 'a whole number > 0, or Infinity');
  }
  raw.share = parseShare(get('shareAcrossTabs'), raw);
  raw.hasCursors = !['ui-message', 'custom'].includes(protocol);
  for (const [path, [name, fallback, mayBeInfinite]] of Object.entries(NUMBERS)) {
    raw[name] = requireNumber(path, get(path, fallback), mayBeInfinite);
  }
  const onSettled = get('onSettled');
  if (onSettled !== undefined) requireFunction('onSettled', onSettled);
  const { rpcTimeoutMs, replayTtlMs, replayMaxBytes, doubleSendMs, ...rest } = raw;
  return {
    onSettled,
    persist: requireOneOf('persist', get('persist', false), ['session', 'indexeddb', false]),
    doubleSendMs,
    replay: { ttlMs: replayTtlMs, maxBytes: replayMaxBytes },
    raw: Object.freeze(rest),
    numbers: numbersOf(rest),
    headers,
    rpc: {
      url: raw.baseUrl + parseEndpoint('rpcEndpoint', get('rpcEndpoint', '/rpc')),
      credentials: raw.credentials,
      timeoutMs: rpcTimeoutMs,
    },
  };
};
