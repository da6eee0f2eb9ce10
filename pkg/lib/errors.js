// What failed, in one class: a kebab-case code for programs, a sentence for people. The engine sends only codes and numbers;
// the sentences are written here, from those fields and never from guesses about somebody else's message text.

const http = ({ status }) => (status ? ` (HTTP ${status})` : '');
const times = ({ attempts }) => (attempts ? ` after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}` : '');

// What people make of a status (S-UI-3).
const MEANINGS = {
  401: 'it does not know who asks', 403: 'this is not allowed', 404: 'there is no such thing', 429: 'there were too many requests',
  500: 'it failed', 502: 'what is behind it failed', 503: 'it is down or overloaded',
};
const meaning = ({ status }) => (MEANINGS[status] ? `, ${MEANINGS[status]}` : '');

const SENTENCES = {
  'connect-failed': (e) => `The connection failed before anything came${http(e)}; expected an open event stream.`,
  disconnected: () => 'The connection was lost; expected the end of the run to come first.',
  'http-status': (e) => `The server answered HTTP ${e.status ?? 'status unknown'}${meaning(e)}; expected a 2xx status.`,
  unauthorized: (e) => `The server refused our credentials${http(e)}${times(e)}; expected valid ones from the headers option.`,
  'content-type': () => 'The server answered with another content type; expected text/event-stream.',
  'gave-up': (e) => `The connection was lost${http(e)} and no new event came${times(e)}; retry() continues the run.`,
  stalled: (e) => `The connection went silent${times(e)}; expected events or heartbeats. retry() continues the run.`,
  'connect-timeout': (e) => `The server did not answer in time${times(e)}; expected response headers.`,
  'run-not-found': () => 'The server knows no such run, or it has finished; expected a run with an event log.',
  'run-ended': () => 'The server says that the run is over, but its last events never came; load the stored message.',
  'server-error': () => 'The run failed on the server.',
  'malformed-event': () => 'The server sent an event that is not valid; expected a JSON object.',
  'event-too-large': () => 'The server sent an event larger than maxEventBytes.',
  'socket-refused': (e) => `The server closed the socket for good${e.closeCode ? ` (close code ${e.closeCode})` : ''}; expected it to stay open.`,
  'held-back': () => 'The server has spoken, but not a byte of the open stream came: something in between holds it back.',
  'first-event-timeout': () => 'Nothing of the answer came within the limit for its first event; expected it to begin.',
  'inactivity-timeout': () => 'The answer fell silent for longer than its limit; expected it to go on, or its end.',
  'batch-failed': (e) => `A batch of ${e.got} chunk(s) was not taken${http(e)}${times(e)}; expected the server to write it.`,
  'generation-mismatch': (e) => `Somebody else writes in this session${http(e)}; expected it to be free.`,
  'end-not-sent': (e) => `The message's end could not be written${http(e)}; expected whoever reads it to learn that it is over.`,
  truncated: () => 'The bytes ended before the run did; expected a terminal event.',
  aborted: () => 'Closed or aborted by the caller; the run itself goes on at the server.',
  'invalid-argument': (e) => `${e.path}: got ${e.got}; expected ${e.expected}.`,
  'invalid-state': (e) => `Not possible now: ${e.got}; expected ${e.expected}.`,
  'engine-crashed': () => 'The engine crashed, and its state is lost; expected it never to. Reload the page.',
  'wasm-blocked': () => "The browser refuses WebAssembly here. If the page has a Content-Security-Policy, add 'wasm-unsafe-eval'"
    + " to it: script-src 'self' 'wasm-unsafe-eval'",
  'not-ready': () => 'The engine is not loaded yet; expected `await init()` to have finished first.',
  'outbox-full': () => 'Too many messages wait to be sent; expected room in the outbox. retry() sends this one once there is some.',
  'send-in-doubt': () => 'The message may have arrived, and the server cannot tell; look at the history before retry() sends it again.',
  'queue-full': (e) => `The reader of this iterator is ${e.got} events behind; the snapshot has everything.`,
  'request-failed': (e) => `The request failed${http(e)}; expected an answer from the server.`,
  'malformed-page': () => 'The server answered with a page that is none; expected a list of items with ids, and a cursor that moves.',
  'request-timeout': () => 'The server did not answer the request in time.',
};

export class SteadyStreamError extends Error {
  constructor(code, fields = {}) {
    const sentence = SENTENCES[code]?.(fields) ?? code;
    super(fields.detail ? `${sentence} The server said: ${fields.detail}` : sentence, fields.cause && { cause: fields.cause });
    this.name = 'SteadyStreamError';
    this.code = code;
    this.retryable = fields.retryable ?? false;
    // Absent, not undefined or null: what the engine did not know is not there.
    for (const key of ['status', 'closeCode', 'attempts', 'serverCode', 'detail', 'path']) if (fields[key] != null) this[key] = fields[key];
  }
}

export class RunEventsConnectError extends SteadyStreamError {
  constructor(fields) {
    super('connect-failed', fields);
    this.name = 'RunEventsConnectError';
  }
}

/** The typed error of an engine's `<error>`, or null. */
export const toError = (raw) => raw && new SteadyStreamError(raw.code, raw);

/** How a wrong value is shown in a message: short, and never by running its code. */
export const show = (value) => (typeof value === 'string' ? JSON.stringify(value.slice(0, 40))
  : value === null || typeof value !== 'object' && typeof value !== 'function' ? String(value)
  : Array.isArray(value) ? 'an array' : `a${typeof value === 'object' ? 'n object' : ' function'}`);

export const invalid = (path, value, expected, cause) =>
  new SteadyStreamError('invalid-argument', { path, got: show(value), expected, cause });
