// What tests tell run-server to do, and what they ask it about what really happened.

/**
 * @typedef {{ sessionId?: string, runId?: string, path?: string|string[] }} Scope a path is a route's name, see run-server
 * @typedef {{ n: number, at: number, path: string, sessionId: string, runId: string | null, requestId: string | null,
 *   lastEventId: string | null, token: string | null, status: number | null, outcome: 'finished'|'cut'|'aborted'|null,
 *   events: number, bytes: number, protocols?: string[], frames?: string[],
 *   close?: { by: string, code: number | null, reason: string } | null }} Request one request as the server saw it; `at` is its
 *   arrival in unix ms; the last three are a socket's
 */

export class Control {
  #base;

  constructor(base) {
    this.#base = base;
  }

  /** What the next runs of `sessionId` say and how fast; `start: true` begins one at once and gives its `runId`. */
  recipe(recipe) {
    return this.#ask('POST', '/runs', recipe);
  }

  /** One step for each matching request, in order; afterwards (or never, with `loop`) requests are normal again. */
  faults(scope, steps, { loop = false } = {}) {
    return this.#ask('POST', '/faults', { scope, steps, loop });
  }

  /** How many steps of all scripts nobody has met yet. */
  async stepsLeft() {
    return (await this.#ask('GET', '/faults')).stepsLeft;
  }

  clearFaults() {
    return this.#ask('DELETE', '/faults');
  }

  /** Something that happens to everybody, or to one session, now. */
  now(what, options = {}) {
    return this.#ask('POST', '/now', { do: what, ...options });
  }

  /** The index of active runs: what is done to it, or, without an order, what is in it. */
  activeRuns(order) {
    return this.#ask(order ? 'POST' : 'GET', '/active-runs', order);
  }

  /** How much past the chats of ws-chat have: { sessionId?, messages?, sessions? }. */
  history(past) {
    return this.#ask('POST', '/history', past);
  }

  /** What happens to connections on their way: see run-server. */
  proxy(order) {
    return this.#ask('POST', '/proxy', order);
  }

  config(change) {
    return this.#ask('POST', '/config', change);
  }

  reset() {
    return this.#ask('POST', '/reset', {});
  }

  /** What a client would have by now that nothing had ever gone wrong with. */
  truthSoFar(sessionId) {
    return this.#ask('GET', `/truth?sessionId=${sessionId}`);
  }

  /** The fault-free result of a run, or of its session's newest, once it has ended at the server. */
  truth(runId, sessionId) {
    return this.#ask('GET', `/truth?${runId ? `runId=${runId}` : `sessionId=${sessionId}`}&waitMs=60000`);
  }

  runs(sessionId) {
    return this.#ask('GET', `/runs?sessionId=${sessionId}`);
  }

  /** The rows of a session's messages, and who writes there. */
  log(sessionId) {
    return this.#ask('GET', `/log?sessionId=${sessionId}`);
  }

  counters(sessionId) {
    return this.#ask('GET', `/counters${sessionId ? `?sessionId=${sessionId}` : ''}`);
  }

  /** Of a session, or of all: a socket belongs to none. @returns {Promise<Request[]>} */
  requests(sessionId) {
    return this.#ask('GET', `/requests${sessionId ? `?sessionId=${sessionId}` : ''}`);
  }

  async #ask(method, path, body) {
    const response = await fetch(`${this.#base}/control${path}`, {
      method,
      headers: body && { 'Content-Type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} /control${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }
}
