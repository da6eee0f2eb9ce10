// The bare page's side of the tests: starts runs with the package as a user would, and holds everything that a user could
// see of them against what the library promises. The tests drive it through `window.lab`.

import * as steadystream from '/pkg/index.js';

const { RunClient } = steadystream;
const SETTLED = new Set(['completed', 'cancelled', 'failed', 'interrupted']);

const plainError = (error) => error && {
  name: error.name, code: error.code, message: error.message, retryable: error.retryable,
  status: error.status, closeCode: error.closeCode, attempts: error.attempts, serverCode: error.serverCode, detail: error.detail,
};

const plainSnapshot = ({ error, connection, ...rest }) => ({
  ...rest,
  error: plainError(error),
  connection: { ...connection, error: plainError(connection.error) },
});

// An offset has no order for a reader, and after a loss an earlier one may say the same.
const isOffset = (id) => /[_/]/.test(id);

const compareIds = (a, b) => {
  if (isOffset(a) || isOffset(b)) return 0;
  const [x, y] = [a, b].map((id) => id.split('-').map(Number));
  return x[0] - y[0] || (x[1] ?? 0) - (y[1] ?? 0);
};

/** For the message of a test that fails. */
const tellTrace = ({ at, what, transport, n, ...rest }) => [what, transport, ...Object.values(rest)].join(' ');

/** Notes a client's badge as `state transport code`, each once in a row, from its first connection on. */
const watchConnection = (connection) => {
  const history = [];
  connection.subscribe(({ state, transport, error }) => {
    const shown = [state, transport, error?.code].filter(Boolean).join(' ');
    if (history.length === 0 ? state !== 'closed' : history.at(-1) !== shown) history.push(shown);
  }, { notify: 'sync' });
  return history;
};

/** One run under observation. */
class Observed {
  violations = [];
  notifications = 0;
  /** Each state of the connection that was seen, with the error that explained it. */
  connections = [];
  statuses = [];
  settlings = 0;
  /** Finished text blocks that were replaced by an equal object. */
  replaced = 0;
  frames = { time: -1, notifications: 0, most: 0 };
  outcomes = [];

  constructor(stream, options) {
    this.stream = stream;
    this.isDone = new Promise((resolve) => { this.done = resolve; });
    this.startedFrames = frameCount;
    if (options?.countsFrames) countFrames();
    this.unsubscribe = stream.subscribe((snapshot) => this.check(snapshot), options?.notify && { notify: options.notify });
    stream.finished.then(
      (outcome) => this.outcomes.push({ ...outcome, error: plainError(outcome.error) }),
      (error) => this.outcomes.push({ rejected: plainError(error) }),
    );
  }

  expect(holds, what) {
    if (!holds && this.violations.length < 20) this.violations.push(what);
  }

  check(next) {
    const last = this.last;
    this.last = next;
    this.notifications += 1;
    this.countFrame(next);
    this.expect(Object.isFrozen(next), 'a snapshot is not frozen');
    this.expect(next === this.stream.getSnapshot(), 'subscribe and getSnapshot disagree');
    if (last) {
      this.expect(next !== last, 'notified without a change');
      this.expect(!SETTLED.has(last.status), `notified after it had settled as ${last.status}: now ${next.status}`);
      this.expect(next.text.startsWith(last.text), `text of ${last.text.length} units was not extended but replaced`);
      this.expect(last.cursor === null || next.cursor !== null && compareIds(next.cursor, last.cursor) >= 0,
        `cursor moved back from ${last.cursor} to ${next.cursor}`);
      last.blocks.forEach((block, i) => {
        if (block.state === 'done' && next.blocks[i] !== block) this.replaced += 1;
      });
    }
    this.expect(next.text === next.blocks.map((block) => block.text).join(''), 'text is not the sum of the blocks');
    this.expect(next.blocks.every((block, i) => block.seq === i), 'blocks are not numbered in order');
    if (next.status !== last?.status) this.statuses.push(next.status);
    this.noteConnection(next.connection);
    if (!SETTLED.has(next.status)) return;
    this.settlings += 1;
    this.settledAt = performance.now();
    this.done();
  }

  noteConnection({ state, attempt, retryAt, transport, error }) {
    const last = this.connections.at(-1);
    const now = { state, attempt, transport, code: error?.code ?? null, status: error?.status ?? null };
    if (last && Object.keys(now).every((key) => now[key] === last[key])) return;
    this.connections.push({ ...now, waitMs: retryAt === null ? null : retryAt - Date.now() });
  }

  countFrame({ status }) {
    if (SETTLED.has(status)) return;            // settling does not wait for a frame
    const time = document.timeline.currentTime;
    if (performance.now() - time > 90) return;  // no frame for so long, and the timer takes over
    // A busy browser gives two frames one time: ours were counted, too.
    if (time !== this.frames.time || frameCount !== this.frames.count) {
      this.frames = { ...this.frames, time, count: frameCount, notifications: 0 };
    }
    this.frames.most = Math.max(this.frames.most, ++this.frames.notifications);
  }

  report() {
    const { violations, notifications, connections, statuses, settlings, replaced, outcomes, frames, history } = this;
    return {
      snapshot: plainSnapshot(this.stream.getSnapshot()),
      violations, notifications, connections, statuses, settlings, replaced, outcomes, history,
      trace: this.stream.trace.getSnapshot().map(tellTrace),
      mostInOneFrame: frames.most, frames: frameCount - this.startedFrames,
    };
  }
}

// Only while somebody asks: sixty frames a second in every page are most of the tests' work.
let frameCount = 0;
let isCounting = false;
const countFrames = () => {
  if (isCounting) return;
  isCounting = true;
  requestAnimationFrame(function next() {
    frameCount += 1;
    isCounting = lab.unsettled().length > 0;
    if (isCounting) requestAnimationFrame(next);
  });
};

/** One subscribeRunEvents() call under observation. */
class Subscribed {
  chunks = [];
  errors = [];
  settlings = 0;
  outcomes = [];

  constructor(client, { sessionId, runId, lastEventId, signal, onChunk, onError }) {
    this.isDone = client.subscribeRunEvents(sessionId, runId, {
      lastEventId,
      signal,
      onChunk: (chunk, id) => {
        this.chunks.push({ type: chunk.type, id, code: chunk.code, chunk, late: this.settlings > 0 });
        onChunk?.(chunk);
      },
      onError: (error) => {
        this.errors.push(plainError(error));
        onError?.(error);
      },
    }).then(
      () => this.outcomes.push('resolved'),
      (error) => this.outcomes.push({ rejected: plainError(error) }),
    ).then(() => { this.settlings += 1; });
  }

  report() {
    const { chunks, errors, outcomes, settlings } = this;
    const text = chunks.map(({ chunk }) => (chunk.type === 'content' || chunk.type === 'chunk' ? chunk.content : '')).join('');
    return { chunks: chunks.map(({ chunk, ...rest }) => rest), errors, outcomes, settlings, text };
  }
}

const lab = {
  steadystream,
  clients: new Map(),
  /** Of each client: everything that its badge has shown. */
  histories: new Map(),
  subjects: new Map(),
  hangs: [],

  client({ name = 'main', options = {} } = {}) {
    const existing = this.clients.get(name);
    if (existing) return existing;
    const { decode, ...rest } = options;
    // A function comes here as its source.
    const protocol = decode && { protocol: { decode: (0, eval)(`(${decode})`) } };
    const client = new RunClient({ baseUrl: '/bi-chat', replay: { ttlMs: 0 }, ...rest, ...protocol });
    this.clients.set(name, client);
    this.histories.set(client, watchConnection(client.connection));
    return client;
  },

  /** Begins observing a run under `key`. `via`: send, open, resume or subscribe. */
  async start({ key, via = 'send', client, sessionId, runId, cursor, message = 'Hello', requestId, notify, countsFrames, lastEventId }) {
    const on = this.client(client);
    if (via === 'subscribe') {
      this.subjects.set(key, new Subscribed(on, { sessionId, runId, lastEventId }));
      return;
    }
    const stream = via === 'send' ? on.send(sessionId, message, { requestId })
      : via === 'open' ? on.open({ sessionId, runId, cursor })
      : await on.resume(sessionId);
    if (stream === null) return null;
    this.observe(key, stream, { notify, countsFrames });
    this.subjects.get(key).history = this.histories.get(on);
  },

  /** Opens a run once for each of `steps`, with that fault waiting for it, and gives the reports. */
  async openAll({ control, scope, steps, client, run, timeoutMs }) {
    const reports = [];
    for (const step of steps) {
      await machinery.control(`${control}/faults`, { scope, steps: [step], loop: false });
      const key = crypto.randomUUID();
      await this.start({ key, via: 'open', client, ...run });
      const report = await this.settled(key, timeoutMs);
      this.subjects.get(key).unsubscribe();
      this.subjects.delete(key);
      reports.push(report);
      if (report.timedOut || report.hangs.length > 0) break;
    }
    return reports;
  },

  observe(key, stream, options) {
    this.subjects.set(key, new Observed(stream, options));
  },

  stream(key) {
    return this.subjects.get(key).stream;
  },

  snapshot(key) {
    return plainSnapshot(this.stream(key).getSnapshot());
  },

  report(key) {
    return { ...this.subjects.get(key).report(), hangs: this.hangs, doubled: machinery.doubled };
  },

  /** The report once `key` has settled, or with `timedOut` if it has not in time. */
  async settled(key, timeoutMs) {
    const subject = this.subjects.get(key);
    const timedOut = await Promise.race([
      subject.isDone.then(() => false),
      machinery.pause(timeoutMs).then(() => true),
    ]);
    // One turn more, for the promise that settles beside the notification.
    await machinery.pause();
    return { ...this.report(key), timedOut };
  },

  unsettled() {
    return [...this.subjects.values()].filter((subject) => subject.settlings === 0);
  },

  /** Ends everything of a test; what is left over afterwards is a leak. */
  async clear() {
    for (const client of this.clients.values()) client.close();
    this.clients.clear();
    this.histories.clear();
    // What one test has found blocked must not spare the next one the attempt.
    localStorage.clear();
    for (const subject of this.subjects.values()) subject.unsubscribe?.();
    this.subjects.clear();
    await machinery.pause();
    const left = { timers: machinery.timers(), connections: machinery.connections() };
    this.hangs = [];
    machinery.doubled.length = 0;
    machinery.urls.length = 0;
    return left;
  },
};

machinery.watch(() => {
  if (machinery.timers() > 0 || machinery.connections() > 0 || lab.hangs.length > 0) return;
  for (const subject of lab.unsettled()) {
    lab.hangs.push(`unsettled with neither timer nor connection: ${JSON.stringify(subject.report().snapshot?.connection ?? 'subscription')}`);
  }
});

window.lab = lab;
