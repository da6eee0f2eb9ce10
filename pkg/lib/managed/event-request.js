// One attempt of a ManagedEventSource: the request, made of what its options give for this attempt.
import { engine, guard } from '../instance.js';

const UNAUTHORIZED = 401;

// Bytes of UTF-8 as the header's characters, as browsers send it.
const toHeader = (id) => String.fromCharCode(...new TextEncoder().encode(id));

/** `options`: { headers, body, method, withCredentials }. Resolves with the response. */
export const request = async (url, { headers, body, method, withCredentials }, lastEventId, signal) => {
  const ask = async () => {
    const all = (await headers?.()) ?? new Headers();
    if (!all.has('accept')) all.set('Accept', 'text/event-stream');
    if (lastEventId !== '') all.set('Last-Event-ID', toHeader(lastEventId));
    const content = typeof body === 'function' ? await body() : body;
    signal.throwIfAborted();
    return fetch(url, {
      method,
      headers: all,
      body: content,
      credentials: withCredentials ? 'include' : 'same-origin',
      cache: 'no-store',
      signal,
    });
  };
  const response = await ask();
  if (response.status !== UNAUTHORIZED || !headers?.isFresh) return response;
  // A token may have run out in between: the headers are asked for once more, and then it is final.
  response.body?.cancel().catch(() => {});
  return ask();
};

/** What a response that is no stream means: `{ floorMs }` if it may pass, else undefined. */
export const mayPass = ({ status, headers }) => {
  const { judge_status: judge } = engine();
  const floorMs = guard(() => judge(status, headers.get('retry-after') ?? undefined, Date.now()));
  return floorMs >= 0 ? { floorMs } : undefined;
};
