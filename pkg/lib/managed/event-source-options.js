// What a ManagedEventSource is given beside the standard's `withCredentials`.
import { invalid } from '../errors.js';
import { headerSource } from '../headers.js';
import { requireNumber } from '../options.js';
import { readCommon, readLiveness, readRetry } from './options.js';

const OURS = ['method', 'headers', 'body', 'connectGraceMs', 'connectTimeoutMs', 'retry', 'liveness', 'lastEventId', 'maxEventBytes'];
const TOKEN = /^[!#$%&'*+\-.^_`|~\w]+$/;

const readHeaders = (headers) => {
  if (headers === undefined || headers === null) return undefined;
  const isFresh = typeof headers === 'function';
  try {
    if (!isFresh) new Headers(headers);
  } catch (error) {
    throw invalid('headers', headers, 'header names and values, or a function that returns them', error);
  }
  return Object.assign(headerSource(headers), { isFresh });
};

const readMethod = (method, hasBody) => {
  if (method === undefined) return hasBody ? 'POST' : 'GET';
  if (typeof method !== 'string' || !TOKEN.test(method)) throw invalid('method', method, 'an HTTP method');
  if (hasBody && /^(get|head)$/i.test(method)) throw invalid('method', method, 'one that takes a body');
  return method.toUpperCase();
};

const readBody = (body) => {
  // A stream is read once, and there may be many attempts.
  if (typeof ReadableStream === 'function' && body instanceof ReadableStream) {
    throw invalid('body', body, 'what can be sent again, or a function that returns it anew');
  }
  return body ?? undefined;
};

const readLastEventId = (id = '') => {
  if (typeof id !== 'string' || id.includes('\0')) throw invalid('lastEventId', id, 'a string without NUL');
  return id;
};

/** `init`: as given, converted by the rules of Web IDL. */
export const readInit = (init) => {
  if (init !== undefined && init !== null && typeof init !== 'object' && typeof init !== 'function') {
    throw new TypeError('The init of an EventSource has to be an object.');
  }
  const given = init ?? {};
  const withCredentials = Boolean(given.withCredentials);
  const { transport = 'fetch' } = given;
  if (transport !== 'fetch' && transport !== 'native') throw invalid('transport', transport, "'fetch' or 'native'");
  if (transport === 'native') {
    // They would be dropped silently (W-6, W-10).
    const lost = OURS.find((name) => given[name] !== undefined);
    if (lost) throw invalid(lost, given[lost], "no such option beside transport 'native', which cannot do it");
  }
  const body = readBody(given.body);
  const retry = readRetry(given.retry, {}, ['onStatus']);
  const onStatus = given.retry?.onStatus ?? true;
  if (typeof onStatus !== 'boolean') throw invalid('retry.onStatus', onStatus, 'true or false');
  return {
    transport,
    withCredentials,
    method: readMethod(given.method, body !== undefined),
    headers: readHeaders(given.headers),
    body,
    retry,
    onStatus,
    liveness: readLiveness(given.liveness),
    lastEventId: readLastEventId(given.lastEventId),
    maxEventBytes: requireNumber('maxEventBytes', given.maxEventBytes ?? 16777216),
    ...readCommon(given, 0),
  };
};
