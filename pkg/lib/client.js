// The public client: checks what it is given, finds the run that is already there, and leaves the rest to the engine.
import { cancelSource, isSource } from './browser/adopted-stream.js';
import { invalid } from './errors.js';
import { dispose } from './dispose.js';
import { EndedRuns } from './ended-runs.js';
import { Feed } from './feed.js';
import { Keeper } from './persist/keeper.js';
import { callPermission, callQuestion, foldAnswers } from './questions.js';
import { parseOptions, requireFunction, requireOneOf, requireSignal, requireString } from './options.js';
import { callGuarded } from './report.js';
import { createRequestId } from './request-id.js';
import { Run } from './run.js';
import { RunStream } from './run-stream.js';
import { initialSnapshot, isSettled } from './snapshot.js';
import { Subscription } from './subscription.js';

// How often resume() looks whether somebody else's run is over (B-RES-5).
const PASSIVE_POLL_MS = 2000;

// The server has said that there is nothing to go on with.
const IS_GONE = new Set(['run-ended', 'run-not-found']);

const pause = (ms, signal) => new Promise((resolve) => {
  const finish = () => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', finish);
    resolve();
  };
  const timer = setTimeout(finish, ms);
  signal?.addEventListener('abort', finish);
});

// Waiting ends with the caller's patience; what was asked may still be answered.
const orAborted = (promise, signal) => new Promise((resolve, reject) => {
  const giveUp = () => resolve(null);
  signal?.addEventListener('abort', giveUp);
  promise.then(resolve, reject).finally(() => signal?.removeEventListener('abort', giveUp));
});

// Of each protocol: what a message says unless it says otherwise, what it always says, and what one is that is mere text.
const FIELDS = {
  bichat: (sessionId, requestId) => [{ debugMode: false, attachments: [] }, { sessionId, requestId }],
  chunks: (sessionId, requestId) => [{ role: 'user', txid: requestId }, { messageId: requestId }],
  custom: (sessionId, requestId) => [{}, { sessionId, requestId }],
  envelope: (sessionId, requestId) => [{}, { chat_id: sessionId, request_id: requestId }, (prompt) => ({ prompt })],
  'ui-message': (sessionId, requestId) => [{ trigger: 'submit-message' }, { id: sessionId, requestId }, (text) => (
    { messages: [{ id: requestId, role: 'user', parts: [{ type: 'text', text }] }] })],
  'ws-chat': (sessionId, requestId) => [{}, { session_id: sessionId, request_id: requestId }],
};

const encodeMessage = (protocol, message, sessionId, requestId) => {
  if (message === null || (typeof message !== 'string' && typeof message !== 'object') || Array.isArray(message)) {
    throw invalid('message', message, 'a string or an object');
  }
  try {
    const [defaults, ids, ofText] = FIELDS[protocol](sessionId, requestId);
    const fields = typeof message === 'string' ? ofText?.(message) ?? { content: message } : message;
    return JSON.stringify({ ...defaults, ...fields, ...ids });
  } catch (error) {
    throw invalid('message', message, 'something JSON can hold', error);
  }
};

const encodeParts = (parts) => {
  if (parts === undefined) return undefined;
  if (!Array.isArray(parts)) throw invalid('parts', parts, 'an array of parts');
  try {
    return JSON.stringify({ parts });
  } catch (error) {
    throw invalid('parts', parts, 'something JSON can hold', error);
  }
};

// Checks what names a run; gives what is held of it, for the engine.
const requireKey = ({ sessionId, runId, cursor, parts }) => {
  requireString('sessionId', sessionId);
  if (runId !== undefined) requireString('runId', runId);
  if (cursor !== undefined) requireString('cursor', cursor);
  return encodeParts(parts);
};

const fitsKey = (sessionId, runId) => (run) => run.sessionId === sessionId && (runId === undefined || run.runId === runId);

// B-STAT-1, B-STOP-1: a server that answers badly or late is worth a warning; it changes nothing for the caller.
const tolerate = (error) => {
  if (error.code === 'aborted') return;
  if (error.code !== 'http-status' && error.code !== 'unauthorized' && error.code !== 'request-timeout') throw error;
  if (error.status !== 404) console.warn(`steadystream: ${error.message}`);
};

export class RunClient {
  #options;
  #feed;
  #keeper = null;         // what is held over a reload
  #ended;

  constructor(options) {
    this.#options = parseOptions(options);
    this.#feed = new Feed(this.#options);
    this.#ended = new EndedRuns(this.#options.replay);
    const { persist, raw: { baseUrl, protocol } } = this.#options;
    if (persist) {
      this.#keeper = new Keeper(persist, `${baseUrl}|${protocol}`, {
        runs: () => this.#feed.runs().filter(({ key }) => key === null),
        describe: (run) => run.store.peek(),
        store: (run) => this.#feed.store(run),
      });
    }
    const { subscribe, getSnapshot, getServerSnapshot } = this.#feed.connection;
    this.connection = Object.freeze({ subscribe, getSnapshot, getServerSnapshot });
  }

  send(sessionId, message, { requestId = createRequestId(), parts, signal, notify } = {}) {
    requireString('sessionId', sessionId);
    requireString('requestId', requestId);
    const body = encodeMessage(this.#options.raw.protocol, message, sessionId, requestId);
    const held = encodeParts(parts);
    const shared = this.#share((run) => run.sessionId === sessionId && run.requestId === requestId, true, signal);
    if (shared) return shared;
    // Sent by the page that was here before this one.
    const kept = this.#keeper?.glance(sessionId);
    if (kept?.requestId === requestId) return this.#takeUp(sessionId, kept, { signal, notify });
    const begin = (raw, now) => raw.send(sessionId, requestId, body, held, now);
    return this.#start(initialSnapshot(sessionId, null, requestId), { begin, body, notify }, signal);
  }

  open({ sessionId, runId, cursor, parts } = {}, { signal, notify } = {}) {
    const held = requireKey({ sessionId, runId, cursor, parts });
    const shared = this.#share(fitsKey(sessionId, runId), runId !== undefined, signal);
    if (shared) return shared;
    const kept = held === undefined && cursor === undefined ? this.#keeper?.glance(sessionId) : null;
    if (kept && this.#isMeant(kept, runId)) return this.#takeUp(sessionId, kept, { signal, notify });
    const begin = (raw, now) => raw.open(sessionId, runId, cursor, held, now);
    return this.#start(initialSnapshot(sessionId, runId ?? null, null), { begin, notify }, signal);
  }

  adopt({ sessionId, runId, cursor, parts } = {}, source, { signal, notify } = {}) {
    const held = requireKey({ sessionId, runId, cursor, parts });
    const isOpener = typeof source === 'function';
    if (!isOpener && !isSource(source)) throw invalid('source', source, 'a ReadableStream, an async iterable, or a function that gives one');
    const shared = this.#share(fitsKey(sessionId, runId), runId !== undefined, signal);
    if (shared) {
      if (!isOpener) cancelSource(source);
      return shared;
    }
    const key = createRequestId();
    this.#feed.adopt(key, isOpener ? source : () => source);
    const begin = (raw, now) => raw.adopt(sessionId, runId, cursor, held, key, isOpener, now);
    const run = new Run(this.#feed, initialSnapshot(sessionId, runId ?? null, null), {
      begin, notify, key, onEnd: this.#handleEnd, canRetry: (status) => isOpener && status === 'interrupted',
    });
    run.start(signal);
    return new RunStream(run, async () => this.#feed.act((raw, now) => raw.cancel(run.slot, now)));
  }

  async resume(sessionId, { runId, signal, notify } = {}) {
    requireString('sessionId', sessionId);
    requireSignal('signal', signal);
    const kept = this.#keeper && await this.#findKeptHere(sessionId, runId);
    if (kept && !signal?.aborted && !this.#feed.isOver) return this.#takeUp(sessionId, kept, { signal, notify });
    if (!this.#hasStatus) return this.#takePart(sessionId, { signal, notify });
    while (!signal?.aborted && !this.#feed.isOver) {
      const status = await orAborted(this.#status(sessionId), signal);
      const running = status?.runId ?? status?.pending_message_id ?? status?.message_id ?? status?.activeMessageId;
      const isActive = status?.active ?? status?.has_active_task ?? status?.activeMessageId;
      if (!isActive || typeof running !== 'string' || signal?.aborted) return null;
      if (runId === undefined || runId === running) return this.open({ sessionId, runId: running }, { signal, notify });
      await pause(PASSIVE_POLL_MS, signal);
    }
    return null;
  }

  get held() {
    const live = this.#feed.runs().map((run) => this.#feed.heldBytes(run));
    const bytes = [...live, ...this.#ended.bytes];
    return Object.freeze({ runs: bytes.length, bytes: bytes.reduce((sum, each) => sum + each, 0) });
  }

  async forget(sessionId) {
    if (sessionId !== undefined) requireString('sessionId', sessionId);
    await this.#keeper?.forget(sessionId);
  }

  async stop(sessionId) {
    requireString('sessionId', sessionId);
    await this.#feed.ask((raw, now) => raw.stop(sessionId, now)).catch(tolerate);
  }

  async subscribeRunEvents(sessionId, runId, { lastEventId, onChunk, onError, signal }) {
    requireString('sessionId', sessionId);
    requireString('runId', runId);
    if (lastEventId !== undefined && typeof lastEventId !== 'string') throw invalid('lastEventId', lastEventId, 'a string');
    requireFunction('onChunk', onChunk);
    if (onError !== undefined) requireFunction('onError', onError);
    requireSignal('signal', signal);
    if (signal?.aborted) return;
    const subscription = new Subscription(this.#feed, { onChunk, onError, signal });
    subscription.start((raw, now) => raw.subscribe(sessionId, runId, lastEventId || undefined, now));
    await subscription.finished;
  }

  submitAnswers(sessionId, checkpointId, answers, { signal } = {}) {
    return callQuestion(this.#options, signal, 'bichat.question.submit', () => ({
      sessionId: requireString('sessionId', sessionId),
      checkpointId: requireString('checkpointId', checkpointId),
      answers: foldAnswers(answers),
    }));
  }

  rejectQuestion(sessionId, { signal } = {}) {
    return callQuestion(this.#options, signal, 'bichat.question.reject', () => ({
      sessionId: requireString('sessionId', sessionId),
    }));
  }

  answerPermission(sessionId, permissionId, { optionId, alternativeInstruction, userAnswers } = {}, { signal } = {}) {
    return callPermission(this.#options, signal, () => {
      requireOneOf('protocol', this.#options.raw.protocol, ['envelope']);
      const [chat, request] = [requireString('sessionId', sessionId), requireString('permissionId', permissionId)].map(encodeURIComponent);
      return {
        path: `/chat/chats/${chat}/permissions/${request}/respond`,
        optionId: requireString('optionId', optionId), alternativeInstruction, userAnswers,
      };
    });
  }

  close() {
    this.#ended.clear();
    this.#keeper?.save();
    this.#keeper?.stop();
    this.#feed.close();
  }

  [dispose]() {
    this.close();
  }

  get #hasStatus() {
    return !['ui-message', 'custom'].includes(this.#options.raw.protocol);
  }

  // ---- what another page of ours has kept ----

  // Where runs have no names, what was kept last is what runs, if anything does.
  #isMeant(kept, runId) {
    return runId === undefined ? !this.#hasStatus : kept.runId === runId;
  }

  async #findKeptHere(sessionId, runId) {
    if (this.#share(fitsKey(sessionId, runId), false)) return null;
    const kept = this.#keeper.glance(sessionId) ?? await this.#keeper.find(sessionId);
    return kept && (runId === undefined || kept.runId === runId) ? kept : null;
  }

  #takeUp(sessionId, { runId, requestId, held }, { signal, notify }) {
    const shared = this.#share(fitsKey(sessionId, runId ?? undefined), false, signal);
    if (shared) return shared;
    const begin = (raw, now) => raw.open(sessionId, runId ?? undefined, undefined, held, now);
    return this.#start(initialSnapshot(sessionId, runId, requestId), { begin, notify }, signal);
  }

  // Whether something runs is told by the stream alone: there is one, or nothing.
  #takePart(sessionId, options) {
    const stream = this.open({ sessionId }, options);
    return new Promise((resolve) => {
      const leave = stream.subscribe(({ connection, status, error }) => {
        if (connection.state !== 'open' && !isSettled(status)) return;
        queueMicrotask(() => leave());
        resolve(error?.code === 'run-not-found' || error?.code === 'aborted' ? null : stream);
      }, { notify: 'sync' });
    });
  }

  #status(sessionId) {
    return this.#feed.ask((raw, now) => raw.status(sessionId, now)).catch(tolerate);
  }

  // No run has two connections: who asks for a live one again gets the stream that is there.
  #share(fits, isNamed, signal) {
    requireSignal('signal', signal);
    const run = this.#feed.runs().find((live) => fits(live.store.peek()));
    run?.follow(signal);
    return run?.stream ?? (isNamed ? this.#ended.find(fits) : undefined);
  }

  #handleEnd = (run, stream) => {
    const { onSettled } = this.#options;
    const snapshot = run.store.peek();
    if (run.key === null) this.#keeper?.settle(run, snapshot.status === 'interrupted' && !IS_GONE.has(snapshot.error?.code));
    if (snapshot.status !== 'interrupted' && !this.#feed.isOver) {
      // Text that nobody has read is not in the snapshot, but in the engine.
      this.#ended.add(stream, snapshot, snapshot.text.length + this.#feed.heldBytes(run));
    }
    if (onSettled) callGuarded(onSettled, stream);
  };

  #start(snapshot, options, signal) {
    const run = new Run(this.#feed, snapshot, { ...options, onEnd: this.#handleEnd });
    run.start(signal);
    this.#keeper?.start();
    return new RunStream(run, (sessionId) => this.stop(sessionId));
  }
}
