// A server of `chunks` that is written to, behind `fetch`: it keeps the numbers, registers who writes, and fails as it is told.

const json = (status, body, headers) => new Response(JSON.stringify(body), { status, headers });

export class FakeWriting {
  /** Each request: 'METHOD call', and what it said. */
  requests = [];
  log = [];
  active = null;
  isKnown = true;
  /** call -> what happens to its next requests: a status, a Response, 'lost' behind the effect, 'stuck', or null for nothing. */
  faults = {};
  /** Told of each request, before anything happens. */
  onRequest = () => {};
  #written = new Map();
  #fetch = globalThis.fetch;

  install() {
    globalThis.fetch = (url, init) => this.#serve(new URL(url), init);
  }

  uninstall() {
    globalThis.fetch = this.#fetch;
  }

  /** What was asked for, in order. */
  get calls() {
    return this.requests.map(({ call }) => call);
  }

  /** The types of the chunks that were written, deltas as they are. */
  get told() {
    return this.log.map(({ type, delta }) => delta ?? type);
  }

  async #serve({ pathname }, { method, body, headers, signal }) {
    const [, , , call = ''] = /^\/v1\/(sessions)\/([^/]+)\/?(.*)$/.exec(pathname) ?? [];
    const name = `${method} ${call}`;
    const said = body === undefined ? undefined : JSON.parse(body);
    this.requests.push({ call: name, said, token: headers.get('authorization'), type: headers.get('content-type') });
    this.onRequest(name, said);
    const fault = this.faults[name]?.shift() ?? null;
    if (fault === 'stuck') return this.#hang(signal);
    if (typeof fault === 'number') return json(fault, { error: 'refused' });
    if (fault instanceof Response) return fault;
    const response = this.#answer(method, call, said);
    if (fault === 'lost') throw new TypeError('the reply is lost');
    return response;
  }

  #hang(signal) {
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  }

  #answer(method, call, said) {
    if (method === 'PUT') {
      this.isKnown = true;
      return json(200, { sessionId: 's' });
    }
    if (!this.isKnown) return json(404, { error: 'Session not found', code: 'SESSION_NOT_FOUND' });
    if (call === 'generations/finish') {
      if (this.active === said.messageId) this.active = null;
      return json(200, { ok: true, messageId: said.messageId });
    }
    const { chunks = [said], firstSeq } = said;
    const { messageId } = chunks[0];
    if (this.active !== null && this.active !== messageId) {
      return json(409, { error: 'Generation mismatch', code: 'GENERATION_MISMATCH', messageId, activeMessageId: this.active });
    }
    this.active = messageId;
    const known = this.#written.get(messageId) ?? 0;
    const fresh = firstSeq === undefined ? chunks : chunks.slice(known - firstSeq);
    if (firstSeq > known) return json(409, { error: 'hole', code: 'SEQUENCE_GAP' });
    this.log.push(...fresh.map(({ chunk }) => chunk));
    if (firstSeq !== undefined) this.#written.set(messageId, Math.max(known, firstSeq + chunks.length));
    return json(200, { ok: true, count: chunks.length });
  }
}
