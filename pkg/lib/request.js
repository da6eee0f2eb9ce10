// One request that no engine watches over: headers asked for anew, bounded in time with these, and an error that says whose end it was.
import { SteadyStreamError } from './errors.js';

const untilAborted = (signal) => new Promise((_, reject) => {
  signal.addEventListener('abort', () => reject(signal.reason));
});

/**
 * `server`: { credentials, headers(): a promise of Headers, timeoutMs }. `body`: a text, which is JSON, or a form. `began()` is called when
 * the request goes out; `read(response)` gives what this gives, or throws what the response means. Throws a SteadyStreamError.
 */
export const request = async ({ credentials, headers, timeoutMs }, method, url, { body, signal, began, read }) => {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const timer = setTimeout(abort, Math.min(timeoutMs, 0x7fffffff));
  signal?.addEventListener('abort', abort);
  try {
    if (signal?.aborted) throw new SteadyStreamError('aborted');
    const all = headers ? await Promise.race([headers(), untilAborted(controller.signal)]) : new Headers();
    if (typeof body === 'string') all.set('Content-Type', 'application/json');
    else if (body !== undefined) all.delete('Content-Type');
    began?.();
    const response = await fetch(url, { method, headers: all, body, credentials, cache: 'no-store', signal: controller.signal });
    return await read(response);
  } catch (cause) {
    if (cause instanceof SteadyStreamError) throw cause;
    // Whose abort it was decides, not what the browser calls it.
    const code = signal?.aborted ? 'aborted' : controller.signal.aborted ? 'request-timeout' : 'request-failed';
    throw new SteadyStreamError(code, { cause, retryable: code !== 'aborted' });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
    // A body that nobody reads would keep its connection.
    abort();
  }
};
