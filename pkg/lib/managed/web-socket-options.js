// What a ManagedWebSocket is given as its third argument, and how the usual reconnecting wrappers spell it.
import { invalid } from '../errors.js';
import { requireFunction, requireNumber } from '../options.js';
import { readCommon, readNumbers, readRetry } from './options.js';

const OVERFLOWS = ['throw', 'drop-oldest', 'drop-newest'];
const FLUSHES = ['before-open', 'after-open'];
const QUEUE = { maxMessages: [1000, true], maxBytes: [1048576, true] };
const BEAT = { intervalMs: [30000], timeoutMs: [10000] };

const NO_LIVENESS = { stallMs: Infinity, floorMs: 0 };

const requireOneOf = (path, value, choices) => {
  if (choices.includes(value)) return value;
  throw invalid(path, value, `one of ${choices.join(', ')}`);
};

const readHeartbeat = (heartbeat) => {
  if (heartbeat === undefined) return undefined;
  const { intervalMs, timeoutMs } = readNumbers('heartbeat', heartbeat, BEAT, ['message', 'isPong']);
  if (intervalMs === 0) throw invalid('heartbeat.intervalMs', intervalMs, 'a number > 0');
  const { message, isPong } = heartbeat;
  if (message === undefined) throw invalid('heartbeat.message', message, 'what send() takes, or a function that returns it');
  if (isPong !== undefined) requireFunction('heartbeat.isPong', isPong);
  return { message, isPong, intervalMs, timeoutMs };
};

const readQueue = (queue = {}, { maxEnqueuedMessages }) => {
  // A wrapper's queue drops what is too much, and knows no bytes.
  const isWrapper = maxEnqueuedMessages !== undefined;
  const limits = readNumbers('queue', queue, QUEUE, ['overflow', 'flush']);
  const { overflow = isWrapper ? 'drop-newest' : 'throw', flush = 'before-open' } = queue;
  return {
    ...limits,
    ...(isWrapper && { maxMessages: requireNumber('maxEnqueuedMessages', maxEnqueuedMessages, true), maxBytes: Infinity }),
    overflow: requireOneOf('queue.overflow', overflow, OVERFLOWS),
    flush: requireOneOf('queue.flush', flush, FLUSHES),
  };
};

/** What a wrapper's options say in ours, where ours do not. */
const readWrapper = (given) => {
  const number = (name, mayBeInfinite) => (given[name] === undefined ? undefined : requireNumber(name, given[name], mayBeInfinite));
  const [baseMs, capMs] = [number('minReconnectionDelay'), number('maxReconnectionDelay')];
  const [stableMs, maxAttempts] = [number('minUptime'), number('maxRetries', true)];
  const defaults = {};
  if (baseMs !== undefined) defaults.baseMs = [baseMs];
  if (capMs !== undefined) defaults.capMs = [capMs];
  if (stableMs !== undefined) defaults.stableMs = [stableMs];
  // Who counts attempts has said when it is enough.
  if (maxAttempts !== undefined) Object.assign(defaults, { maxAttempts: [maxAttempts, true], giveUpAfterMs: [Infinity, true] });
  return { defaults, leastMs: baseMs ?? -1, connectTimeoutMs: number('connectionTimeout') };
};

export const readOptions = (given = {}) => {
  if (typeof given !== 'object' || given === null) throw invalid('options', given, 'an object');
  const isSingle = given.retry === false;
  const { defaults, leastMs, connectTimeoutMs } = readWrapper(given);
  const heartbeat = readHeartbeat(given.heartbeat);
  const common = readCommon(given, connectTimeoutMs ?? (isSingle ? 0 : 15000));
  if (given.WebSocket !== undefined) requireFunction('WebSocket', given.WebSocket);
  return {
    isSingle,
    leastMs,
    retry: readRetry(given.retry, defaults),
    liveness: heartbeat ? { ...NO_LIVENESS, stallMs: heartbeat.intervalMs + heartbeat.timeoutMs } : NO_LIVENESS,
    heartbeat,
    queue: readQueue(given.queue, given),
    startClosed: Boolean(given.startClosed),
    WebSocket: given.WebSocket ?? globalThis.WebSocket,
    ...common,
  };
};
