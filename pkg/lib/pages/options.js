// What messages() and sessions() are given, parsed once: what to ask for, and how to read the reply.
import { SteadyStreamError, invalid } from '../errors.js';
import { requireFunction, requireNumber, requireOneOf, requireString } from '../options.js';

const STYLES = ['cursor', 'offset'];

/** Of `ws-chat`, docs/ws-chat.md. */
const WS_CHAT = {
  messages: { path: '/api/chat/sessions/{sessionId}/messages', style: 'cursor', items: 'messages', next: 'next_cursor' },
  sessions: { path: '/api/chat/sessions', style: 'offset', items: 'sessions', hasMore: 'has_more' },
};

const NAMES = new Set(['endpoint', 'load', 'style', 'id', 'limit', 'maxItems', 'notify']);
const ENDPOINT = new Set(['path', 'style', 'items', 'next', 'hasMore']);

const requireNames = (path, value, names) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(path, value, 'an object');
  for (const name of Object.keys(value)) if (!names.has(name)) throw invalid(`${path}.${name}`, value[name], 'no option of this name');
};

const requireWhole = (path, value, least) => {
  if (!Number.isInteger(requireNumber(path, value)) || value < least) throw invalid(path, value, `a whole number >= ${least}`);
  return value;
};

/** A member's name, or a function that reads it. */
const parseReader = (path, value) => {
  if (typeof value === 'function') return value;
  requireString(path, value);
  return (from) => from?.[value];
};

const malformed = (detail) => new SteadyStreamError('malformed-page', { detail, retryable: true });

/** A reply as the stretch wants it. `read(reply)`: { items, next } or { items, hasMore }; a server says too little, a page is full or not. */
const readerOf = (read, { style, idOf, limit, isNewestFirst }) => (reply) => {
  const { items, next, hasMore } = read(reply);
  if (!Array.isArray(items)) throw malformed('no list of items');
  const values = isNewestFirst ? [...items].reverse() : items;
  for (const value of values) if (typeof idOf(value) !== 'string') throw malformed('an item without an id');
  const isFull = items.length >= limit;
  if (style === 'offset') return { values, hasMore: typeof hasMore === 'boolean' ? hasMore : isFull };
  // Where the server names no cursor, it is the oldest one's id.
  const cursor = next === undefined && (hasMore ?? isFull) && values.length > 0 ? idOf(values[0]) : next ?? null;
  return { values, next: cursor === null ? null : String(cursor) };
};

const parseEndpoint = (endpoint, sessionId) => {
  requireNames('endpoint', endpoint, ENDPOINT);
  const { path, style, items = 'items', next, hasMore } = endpoint;
  if (requireString('endpoint.path', path)[0] !== '/') throw invalid('endpoint.path', path, "a path that starts with '/'");
  requireOneOf('endpoint.style', style, STYLES);
  const readers = { items: parseReader('endpoint.items', items) };
  if (next !== undefined) readers.next = parseReader('endpoint.next', next);
  if (hasMore !== undefined) readers.hasMore = parseReader('endpoint.hasMore', hasMore);
  const base = path.replace('{sessionId}', () => encodeURIComponent(sessionId));
  return {
    style,
    read: (reply) => Object.fromEntries(Object.entries(readers).map(([name, reader]) => [name, reader(reply)])),
    pathOf: ({ before, offset, limit }) => {
      const query = new URLSearchParams({ limit });
      if (style === 'offset') query.set('offset', offset);
      else if (before !== null) query.set('before', before);
      return `${base}${base.includes('?') ? '&' : '?'}${query}`;
    },
  };
};

/**
 * `what`: 'messages' or 'sessions'; `ask(path, signal)`: a promise of the JSON there. Gives { load(ask, signal), style, limit, maxItems,
 * idOf, idName, notify, isNewestFirst }.
 */
export const parsePages = (options, { what, protocol, sessionId, ask }) => {
  requireNames('options', options, NAMES);
  const { endpoint, load, id = 'id', limit = 50, maxItems = 1000, notify = 'frame' } = options;
  requireWhole('limit', limit, 2);
  requireWhole('maxItems', maxItems, 2 * limit);
  const idOf = parseReader('id', id);
  const idName = typeof id === 'string' ? id : 'id';
  const isNewestFirst = what === 'sessions';
  const common = { idOf, idName, limit, maxItems, notify, isNewestFirst };
  if (load !== undefined) {
    requireFunction('load', load);
    if (endpoint !== undefined) throw invalid('endpoint', endpoint, 'none beside load');
    const style = requireOneOf('style', options.style ?? (isNewestFirst ? 'offset' : 'cursor'), STYLES);
    const read = readerOf((reply) => reply ?? {}, { style, ...common });
    return { ...common, style, load: async (wanted, signal) => read(await load({ ...wanted, limit, signal })) };
  }
  if (options.style !== undefined) throw invalid('style', options.style, 'none without load: it is the endpoint\'s');
  const described = endpoint ?? (protocol === 'ws-chat' ? WS_CHAT[what] : undefined);
  if (described === undefined) throw invalid('endpoint', endpoint, `an endpoint or a load function: ${protocol} has no ${what} of its own`);
  const { style, read: take, pathOf } = parseEndpoint(described, sessionId);
  const read = readerOf(take, { style, ...common });
  return { ...common, style, load: async (wanted, signal) => read(await ask(pathOf({ ...wanted, limit }), signal)) };
};
