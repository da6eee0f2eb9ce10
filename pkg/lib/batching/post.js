// One request of a generation: JSON there and back, and what a refusal says.
import { SteadyStreamError } from '../errors.js';
import { request } from '../request.js';
import { verdictOf } from './verdict.js';

const LONGEST_DETAIL = 300;

const parse = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

// S-RQ-1, S-RQ-2. The response goes along: it says when to come again.
const refusalOf = (response, reply, text) => {
  const { status } = response;
  const serverCode = typeof reply?.code === 'string' ? reply.code : undefined;
  const words = typeof reply?.error === 'string' ? reply.error : text;
  const detail = words.slice(0, LONGEST_DETAIL) || undefined;
  const error = new SteadyStreamError(status === 401 ? 'unauthorized' : 'http-status', { status, serverCode, detail, retryable: verdictOf(response) >= 0 });
  return Object.assign(error, { response, reply });
};

/**
 * `server`: { baseUrl, credentials, headers(): a promise of Headers, timeoutMs }. `began()` is called when the request goes out. Throws a
 * SteadyStreamError, with the `response` and its `reply` where there was one.
 */
export const post = (server, method, path, { body, ...rest }) => request(server, method, server.baseUrl + path, {
  ...rest,
  body: body && JSON.stringify(body),
  read: async (response) => {
    const text = await response.text();
    const reply = parse(text);
    if (!response.ok) throw refusalOf(response, reply, text);
    return reply;
  },
});
