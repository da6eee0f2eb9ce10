// The public client: checks what it is given, finds the run that is already there, and leaves the rest to the engine.
import { Sidebars } from './active-runs/active-runs.js';
import { ActiveRunsSubscription } from './active-runs/subscription.js';
import { Generations } from './batching/generations.js';
import { readWatchdog } from './batching/options.js';
import { cancelSource, isSource } from './browser/adopted-stream.js';
import { SteadyStreamError, invalid } from './errors.js';
import { dispose } from './dispose.js';
import { EndedRuns } from './ended-runs.js';
import { Feed } from './feed.js';
import { Newest } from './newest.js';
import { Kept } from './outbox/kept.js';
import { Outbox } from './outbox/outbox.js';
import { Records } from './outbox/records.js';
import { Keeper } from './persist/keeper.js';
import { Histories } from './pages/histories.js';
import { callPermission, callQuestion, foldAnswers } from './questions.js';
import { parseOptions, requireBoolean, requireFunction, requireNumber, requireOneOf, requireSignal, requireString } from './options.js';
import { callGuarded } from './report.js';
import { createRequestId } from './request-id.js';
import { Run } from './run.js';
import { RunStream } from './run-stream.js';
import { requireGrace } from './run-view.js';
import { RunViews } from './run-views.js';
import { initialSnapshot, isSettled } from './snapshot.js';
import { requirePolicy } from './store.js';
import { Subscription } from './subscription.js';
import { News, nameOf } from './tabs/news.js';

// How often resume() looks whether somebody else's run is over (B-RES-5).
const PASSIVE_POLL_MS = 2000;

// How long a run is kept open for who left it, in ms: past StrictMode's second mount and the click on the wrong chat.
const GRACE_MS = 1000;

// Among the options of open(): it is opened by a view, which is nobody's claim to it and no news to other views.
const VIEWED = Symbol('viewed');

// The server has said that there is nothing to go on with.
const IS_GONE = new Set(['run-ended', 'run-not-found']);

// Of a row of the index: it goes on.
const ACTIVE = new Set(['queued', 'streaming']);

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

// A run with limits of its own for the silence of its maker.
const limited = (limits, begin) => (limits === undefined ? begin : (raw, now) => {
  const slot = begin(raw, now);
  raw.limit(slot, ...limits, now);
  return slot;
});

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
  #sidebars;
  #generations;
  #keeper = null;         // what is held over a reload
  #ended;
  #views = new RunViews();
  #kept = null;           // what another page has left unsent
  #outbox;
  #histories;
  #news;                  // what other tabs do, or null
  #over = new Newest(100);    // name of a run that is none of ours any more -> whether it has ended

  constructor(options) {
    this.#options = parseOptions(options);
    this.#feed = new Feed(this.#options);
    this.#generations = new Generations(this.#options);
    this.#ended = new EndedRuns(this.#options.replay);
    this.#sidebars = new Sidebars(this.#feed, this.#options.raw.protocol === 'bichat', this.#lookAt);
    const { persist, raw: { baseUrl, protocol, share } } = this.#options;
    this.#histories = new Histories(protocol, (path, signal) => this.#feed.page(path, signal), () => this.#news?.join());
    if (persist) {
      this.#keeper = new Keeper(persist, `${baseUrl}|${protocol}`, {
        runs: () => this.#feed.runs().filter(({ key }) => key === null),
        describe: (run) => run.store.peek(),
        store: (run) => this.#feed.store(run),
      });
    }
    const records = persist ? new Records(persist, `${baseUrl}|${protocol}`) : null;
    this.#news = share === null ? null : News.create(share, {
      runs: () => this.#feed.runs().filter(this.#isNews).map(this.#named),
      onSend: (sessionId) => this.#histories.noteSend(sessionId),
      onRun: (run) => this.#offer(run),
      onEnd: (run) => this.#hearEnd(run),
    });
    this.#outbox = new Outbox(records, this.#options.doubleSendMs, this.#news);
    this.outbox = this.#outbox.store;
    this.#histories.overlay((sessionId) => this.#outbox.overlay(sessionId));
    if (records) {
      this.#kept = new Kept(records, this.#feed, (record) => this.#sendKept(record));
      // It goes out by itself, or with the first message if that is earlier.
      queueMicrotask(() => this.#kept.takeUp());
    }
    const { subscribe, getSnapshot, getServerSnapshot } = this.#feed.connection;
    this.connection = Object.freeze({ subscribe, getSnapshot, getServerSnapshot });
  }

  send(sessionId, message, { requestId: givenId, parts, signal, notify, watchdog } = {}) {
    requireString('sessionId', sessionId);
    const requestId = givenId === undefined ? createRequestId() : requireString('requestId', givenId);
    const limits = readWatchdog(watchdog);
    const body = encodeMessage(this.#options.raw.protocol, message, sessionId, requestId);
    const held = encodeParts(parts);
    this.#kept?.takeUp();
    const isOwn = givenId === undefined;
    const twin = isOwn ? this.#outbox.findTwin(sessionId, message, parts) : undefined;
    if (twin) return this.#share(({ requestId: id }) => id === twin.getSnapshot().requestId, true, signal) ?? twin;
    const shared = this.#share((run) => run.sessionId === sessionId && run.requestId === requestId, true, signal);
    if (shared) return shared;
    // Sent by the page that was here before this one.
    const kept = this.#keeper?.glance(sessionId);
    if (kept?.requestId === requestId) return this.#takeUp(sessionId, kept, { signal, notify });
    this.#kept?.precede(sessionId);
    return this.#send({ sessionId, requestId, message, parts }, { body, held, signal, notify, isOwn, limits });
  }

  open({ sessionId, runId, cursor, parts } = {}, { signal, notify, watchdog, [VIEWED]: isViewed = false } = {}) {
    const limits = readWatchdog(watchdog);
    const held = requireKey({ sessionId, runId, cursor, parts });
    const shared = this.#share(fitsKey(sessionId, runId), runId !== undefined, signal, isViewed);
    if (shared) return shared;
    const kept = held === undefined && cursor === undefined ? this.#keeper?.glance(sessionId) : null;
    if (kept && this.#isMeant(kept, runId)) return this.#takeUp(sessionId, kept, { signal, notify, [VIEWED]: isViewed });
    const begin = limited(limits, (raw, now) => raw.open(sessionId, runId, cursor, held, now));
    return this.#start(initialSnapshot(sessionId, runId ?? null, null), { begin, notify, isViewed }, signal);
  }

  run({ sessionId, runId } = {}, { graceMs = GRACE_MS, notify = 'frame' } = {}) {
    requireKey({ sessionId, runId });
    requirePolicy(notify);
    return this.#views.get({ sessionId, runId }, { graceMs: requireGrace(graceMs), notify }, {
      find: (key) => {
        const fits = fitsKey(key.sessionId, key.runId);
        const live = this.#feed.runs().findLast((run) => fits(run.store.peek()));
        return live?.stream ?? (key.runId === undefined ? undefined : this.#ended.find(fits));
      },
      open: (key) => this.open(key, { notify, [VIEWED]: true }),
      takeUp: (run) => this.#takeUp(sessionId, run, { notify, [VIEWED]: true }),
      resume: (id, signal, wanted) => this.resume(id, { runId: wanted, signal, notify, [VIEWED]: true }),
      onMount: () => this.#news?.join(),
      close: (stream) => this.#closeViewed(stream),
      stop: (id) => this.stop(id),
    });
  }

  adopt({ sessionId, runId, cursor, parts } = {}, source, { signal, notify, watchdog } = {}) {
    const limits = readWatchdog(watchdog);
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
    const begin = limited(limits, (raw, now) => raw.adopt(sessionId, runId, cursor, held, key, isOpener, now));
    const run = new Run(this.#feed, initialSnapshot(sessionId, runId ?? null, null), {
      begin, notify, key, onEnd: this.#handleEnd, onStream: this.#announce, canRetry: (status) => isOpener && status === 'interrupted',
    });
    run.start(signal);
    const stream = new RunStream(run, async () => this.#feed.act((raw, now) => raw.cancel(run.slot, now)));
    run.announce();
    return stream;
  }

  async resume(sessionId, { runId, signal, notify, [VIEWED]: isViewed = false } = {}) {
    requireString('sessionId', sessionId);
    requireSignal('signal', signal);
    // A view that waits no longer closes what came too late: others may have it by then.
    const options = { signal: isViewed ? undefined : signal, notify, [VIEWED]: isViewed };
    this.#kept?.takeUp();
    const isUnsent = (run) => run.outgoing && run.sent < 2 && fitsKey(sessionId, runId)(run.store.peek());
    // The server knows nothing of it, and there need be no second one.
    if (!signal?.aborted && this.#feed.runs().some(isUnsent)) return this.#share(fitsKey(sessionId, runId), false, options.signal, isViewed);
    const kept = this.#keeper && await this.#findKeptHere(sessionId, runId);
    if (kept && !signal?.aborted && !this.#feed.isOver) return this.#takeUp(sessionId, kept, options);
    if (signal?.aborted) return null;
    if (!this.#hasStatus) return this.#takePart(sessionId, options);
    while (!signal?.aborted && !this.#feed.isOver) {
      const status = await orAborted(this.#status(sessionId), signal);
      const running = status?.runId ?? status?.pending_message_id ?? status?.message_id ?? status?.activeMessageId;
      const isActive = status?.active ?? status?.has_active_task ?? status?.activeMessageId;
      if (!isActive || typeof running !== 'string' || signal?.aborted) return null;
      if (runId === undefined || runId === running) return this.open({ sessionId, runId: running }, options);
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
    await Promise.all([this.#keeper?.forget(sessionId), this.#outbox.forget(sessionId)]);
  }

  async stop(sessionId) {
    requireString('sessionId', sessionId);
    this.#kept?.takeUp();
    this.#kept?.drop(sessionId);
    await this.#feed.ask((raw, now) => raw.stop(sessionId, now)).catch(tolerate);
  }

  async reset(sessionId, { clearPresence = false } = {}) {
    requireBoolean('clearPresence', clearPresence);
    await this.#clear(sessionId, (raw, now) => raw.reset(sessionId, clearPresence, now));
  }

  async delete(sessionId) {
    await this.#clear(sessionId, (raw, now) => raw.delete(sessionId, now));
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

  activeRuns({
    retainTerminalMs = 0, emptyStateTimeoutMs = 250, verifyAfterMs = 60000, enabled = true, onError, notify = 'frame',
  } = {}) {
    for (const [path, value] of Object.entries({ retainTerminalMs, emptyStateTimeoutMs, verifyAfterMs })) {
      requireNumber(path, value, true);
    }
    requireBoolean('enabled', enabled);
    if (onError !== undefined) requireFunction('onError', onError);
    return this.#sidebars.get({ retainTerminalMs, emptyStateTimeoutMs, verifyAfterMs, enabled, notify, onError });
  }

  messages(sessionId, options) {
    requireString('sessionId', sessionId);
    this.#requireOpen();
    return this.#histories.messages(sessionId, options, () => {
      const runs = this.#feed.runs().filter((run) => run.sessionId === sessionId);
      return runs.map((run) => [run, run.stream]);
    });
  }

  sessions(options) {
    this.#requireOpen();
    return this.#histories.sessions(options);
  }

  async subscribeActiveRuns({ onEvent, onError, signal } = {}) {
    requireOneOf('protocol', this.#options.raw.protocol, ['bichat']);
    requireFunction('onEvent', onEvent);
    if (onError !== undefined) requireFunction('onError', onError);
    requireSignal('signal', signal);
    if (signal?.aborted) return;
    const subscription = new ActiveRunsSubscription(this.#feed, { onEvent, onError, signal });
    subscription.start();
    await subscription.finished;
  }

  generation(sessionId, options) {
    requireOneOf('protocol', this.#options.raw.protocol, ['chunks']);
    this.#requireOpen();
    return this.#generations.start(sessionId, options);
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
    this.#news?.close();
    this.#views.clear();
    this.#ended.clear();
    this.#keeper?.save();
    this.#keeper?.stop();
    this.#sidebars.close();
    this.#generations.close();
    this.#outbox.isClosed = true;
    this.#histories.close();
    this.#feed.close();
    this.#outbox.release();
  }

  [dispose]() {
    this.close();
  }

  #requireOpen() {
    if (this.#feed.isOver) throw new SteadyStreamError('invalid-state', { got: 'the client is closed', expected: 'an open one' });
  }

  get #hasStatus() {
    return !['ui-message', 'custom'].includes(this.#options.raw.protocol);
  }

  // ---- messages ----

  #send({ sessionId, requestId, message, parts, at, isTried }, { body, held, signal, notify, limits, isOwn }) {
    const outgoing = this.#outbox.add({ sessionId, requestId, message, parts, at });
    const begin = limited(limits, (raw, now) => raw.send(sessionId, requestId, body, held, isTried, now));
    try {
      const stream = this.#start(initialSnapshot(sessionId, null, requestId), { begin, body, notify, outgoing, isOwn }, signal);
      this.#histories.noteSend(sessionId);
      return stream;
    } catch (error) {
      this.#outbox.abandon(outgoing);
      throw error;
    }
  }

  // Sent again before it was found, it is that message: the same click, or its own name (PROTOCOLS 6.1-18).
  #sendKept(record) {
    if (this.#feed.isOver) return;
    const { sessionId, requestId, message, parts, isTried } = record;
    const body = encodeMessage(this.#options.raw.protocol, message, sessionId, requestId);
    const fits = (run) => run.requestId === requestId;
    const stream = this.#share(fits, false) ?? this.#outbox.findTwin(sessionId, message, parts);
    const run = this.#feed.runs().find((live) => live.stream === stream);
    if (run?.outgoing?.takeOver(run, record, body) || this.#share(fits, false)) return;
    this.#send(record, { body, held: encodeParts(parts), isOwn: true });
  }

  // Nothing of the session stays, here or anywhere that we keep it.
  async #clear(sessionId, ask) {
    requireString('sessionId', sessionId);
    requireOneOf('protocol', this.#options.raw.protocol, ['chunks']);
    // What is still being written there would make the session anew.
    const writing = this.#generations.abort(sessionId);
    if (writing) await writing;
    // What was left there and is found meanwhile stands before it, and goes with the session.
    this.#kept?.takeUp();
    this.#kept?.precede(sessionId);
    await this.#feed.ask(ask);
    this.#kept?.drop(sessionId);
    this.#outbox.drop(sessionId);
    this.#ended.drop(fitsKey(sessionId));
    await this.#keeper?.forget(sessionId);
  }

  // ---- what another page of ours has kept ----

  // Where runs have no names, what was kept last is what runs, if anything does.
  #isMeant(kept, runId) {
    return runId === undefined ? !this.#hasStatus : kept.runId === runId;
  }

  async #findKeptHere(sessionId, runId) {
    if (this.#share(fitsKey(sessionId, runId), false, undefined, true)) return null;
    const kept = this.#keeper.glance(sessionId) ?? await this.#keeper.find(sessionId);
    return kept && (runId === undefined || kept.runId === runId) ? kept : null;
  }

  #takeUp(sessionId, { runId, requestId, held }, { signal, notify, [VIEWED]: isViewed }) {
    const shared = this.#share(fitsKey(sessionId, runId ?? undefined), false, signal, isViewed);
    if (shared) return shared;
    const begin = (raw, now) => raw.open(sessionId, runId ?? undefined, undefined, held, now);
    return this.#start(initialSnapshot(sessionId, runId, requestId), { begin, notify, isViewed }, signal);
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
  #share(fits, isNamed, signal, isViewed = false) {
    requireSignal('signal', signal);
    const run = this.#feed.runs().find((live) => fits(live.store.peek()));
    run?.follow(signal);
    if (run && !isViewed) run.isClaimed = true;
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
    const isEnd = snapshot.status !== 'interrupted' || IS_GONE.has(snapshot.error?.code);
    this.#noteOver(this.#named(run), isEnd);
    this.#histories.noteEnd(run.sessionId);
    if (onSettled) callGuarded(onSettled, stream);
    if (this.#feed.isOver) return;
    // What began elsewhere meanwhile is the next to be shown.
    for (const other of this.#news?.runs(run.sessionId) ?? []) this.#offer(other);
    this.#sidebars.tellRows();
  };

  // ---- what others do ----

  // Where runs have names of their own, others open them by that.
  #named = (run) => {
    const { sessionId, runId, requestId } = run.store.peek();
    return { sessionId, runId: this.#hasStatus ? runId : null, requestId };
  };

  // Others can have it: the server knows of it, and it has a name.
  #isNews = (run) => {
    const { status, runId, requestId } = run.store.peek();
    return run.isLive && run.key === null && (this.#hasStatus ? runId !== null : requestId !== null && (run.sent === 2 || status === 'streaming'));
  };

  #handleState = (run) => {
    if (this.#isNews(run)) this.#news.tellRun(this.#named(run));
  };

  #noteOver(run, isEnd) {
    const name = nameOf(run);
    if (!name) return;
    if (!this.#over.get(name)) this.#news?.tellEnd(run, isEnd);
    this.#over.set(name, isEnd || this.#over.get(name) === true);
  }

  #offer(run) {
    if (this.#over.has(nameOf(run))) return;
    for (const view of this.#views.waiting) if (view.key.sessionId === run.sessionId) view.takeUp(run);
  }

  #hearEnd(run) {
    const name = nameOf(run);
    const isHere = this.#over.get(name) || this.#feed.runs().some((live) => nameOf(this.#named(live)) === name);
    if (isHere) return;
    this.#over.set(name, true);
    this.#histories.noteEnd(run.sessionId);
  }

  // The server's index has runs that began on other devices.
  #lookAt = (find) => {
    const running = (sessionId) => {
      const row = find(sessionId);
      return row && ACTIVE.has(row.status) ? row.runId : null;
    };
    for (const view of this.#views.waiting) {
      const runId = running(view.key.sessionId);
      if (runId !== null && !this.#over.has(runId)) view.look(runId);
    }
    for (const run of this.#histories.compare(running)) this.#hearEnd(run);
  };

  #announce = (run) => {
    run.outgoing?.note(run);
    this.#histories.noteRun(run, run.stream);
    const { sessionId, runId } = run.store.peek();
    this.#views.announce(run.stream, (key) => key.sessionId === sessionId && (key.runId === undefined || key.runId === runId));
  };

  // Whoever left was the last; what the page has in its own hands goes on.
  #closeViewed(stream) {
    const run = this.#feed.runs().find((live) => live.stream === stream);
    if (!run || run.isClaimed || this.#views.areHolding(stream)) return false;
    run.close();
    return true;
  }

  #start(snapshot, { isViewed = false, outgoing, isOwn, ...options }, signal) {
    const run = new Run(this.#feed, snapshot, {
      ...options, onEnd: this.#handleEnd, onStream: this.#announce, onState: this.#news ? this.#handleState : undefined,
    });
    run.isClaimed = !isViewed;
    run.start(signal);
    this.#keeper?.start();
    const stream = new RunStream(run, (sessionId) => this.stop(sessionId));
    if (outgoing) this.#outbox.begin(outgoing, run, stream, isOwn);
    if (isViewed) this.#histories.noteRun(run, stream);
    else run.announce();
    return stream;
  }
}
