// The generations of one client: one at a time in each session (S-RUN-1).
import { invalid } from '../errors.js';
import { headerSource } from '../headers.js';
import { requireBoolean, requireNumber, requireOneOf, requireSignal, requireString } from '../options.js';
import { createRequestId } from '../request-id.js';
import { Generation } from './generation.js';
import { readFunctions, readGathering, readWatchdog } from './options.js';

const OURS = [
  'messageId', 'actorId', 'role', 'watchdog', 'whenBusy', 'waitMs', 'requestTimeoutMs', 'finishTimeoutMs', 'segments', 'onDrop', 'signal',
];

const read = (given) => {
  if (typeof given !== 'object' || given === null) throw invalid('options', given, 'an object');
  const gathering = readGathering('', given, OURS);
  readFunctions('', given, ['onDrop']);
  const number = (name, fallback) => requireNumber(name, given[name] ?? fallback);
  return {
    gathering,
    messageId: requireString('messageId', given.messageId ?? createRequestId()),
    actorId: requireString('actorId', given.actorId),
    role: requireOneOf('role', given.role ?? 'assistant', ['assistant', 'user', 'system']),
    watchdog: readWatchdog(given.watchdog ?? {}, [30000, 45000]),
    whenBusy: requireOneOf('whenBusy', given.whenBusy ?? 'fail', ['fail', 'wait']),
    waitMs: number('waitMs', 30000),
    requestTimeoutMs: number('requestTimeoutMs', 15000),
    finishTimeoutMs: number('finishTimeoutMs', 30000),
    segments: requireBoolean('segments', given.segments ?? true),
    onDrop: given.onDrop,
    signal: requireSignal('signal', given.signal),
  };
};

export class Generations {
  #server;
  #active = new Map();      // sessionId -> the newest generation there

  /** `options`: a client's, parsed. */
  constructor({ raw: { baseUrl, credentials }, headers }) {
    this.#server = { baseUrl, credentials, headers: headerSource(headers) };
  }

  start(sessionId, given) {
    requireString('sessionId', sessionId);
    const options = read(given);
    const older = this.#active.get(sessionId);
    const server = { ...this.#server, timeoutMs: options.requestTimeoutMs };
    const generation = new Generation(server, sessionId, options, older?.giveWay());
    this.#active.set(sessionId, generation);
    void generation.finished.then(() => {
      if (this.#active.get(sessionId) === generation) this.#active.delete(sessionId);
    });
    return generation;
  }

  /** Ends what is written in a session, as its user would: a promise, or nothing where nothing is. */
  abort(sessionId) {
    return this.#active.get(sessionId)?.abort();
  }

  close() {
    for (const generation of this.#active.values()) void generation.abort();
  }
}
