// A ChatTransport for the AI SDK. Connections, retries and resumption are the engine's; here is what the SDK asks for, and one
// memory of what each chat's run has said.
import { RunClient, createRequestId, createRunCore } from './index.js';
import { ChatRun, aborted } from './lib/chat-run.js';
import { dispose } from './lib/dispose.js';
import { SteadyStreamError, invalid } from './lib/errors.js';
import { Keeper } from './lib/persist/keeper.js';

const ON_ABORT = ['stop', 'detach'];
// The longest that a timer can wait.
const MAX_TTL_MS = 2 ** 31 - 1;

const requireFunction = (path, value) => {
  if (value !== undefined && typeof value !== 'function') throw invalid(path, value, 'a function');
};

const parseReplay = (replay = {}) => {
  if (typeof replay !== 'object' || replay === null) throw invalid('replay', replay, 'an object');
  const { ttlMs = 30_000, maxBytes = 16_777_216 } = replay;
  for (const [name, value] of Object.entries({ ttlMs, maxBytes })) {
    if (typeof value !== 'number' || !(value >= 0)) throw invalid(`replay.${name}`, value, 'a number >= 0, Infinity allowed');
  }
  return { ttlMs, maxBytes };
};

const clientOf = (client, api, rest) => {
  for (const name of ['baseUrl', 'protocol']) if (name in rest) throw invalid(name, rest[name], 'no option of this name');
  // What has ended is kept here, as chunks.
  if (client === undefined) return new RunClient({ ...rest, baseUrl: api ?? '/api/chat', protocol: 'ui-message', replay: { ttlMs: 0 } });
  if (!(client instanceof RunClient)) throw invalid('client', client, 'a RunClient of protocol ui-message');
  const [name] = api === undefined ? Object.keys(rest) : ['api'];
  if (name !== undefined) throw invalid(name, rest[name] ?? api, 'no such option beside client, which has its own');
  return client;
};

// The parts that a reducer makes of chunks: what the engine has to know to go on behind them.
const partsOf = (chunks) => {
  if (chunks.length === 0) return [];
  const core = createRunCore({ protocol: 'ui-message' });
  for (const chunk of chunks) core.push(`data: ${JSON.stringify(chunk)}\n\n`);
  const { parts } = core.snapshot();
  core.free();
  return parts;
};

const requireChat = (chatId) => {
  if (typeof chatId !== 'string' || chatId === '') throw invalid('chatId', chatId, 'a non-empty string');
};

// The transport's own headers are asked anew for each attempt; those of one call could not be.
const refuseHeaders = (headers) => {
  const names = headers instanceof Headers ? [...headers.keys()] : Object.keys(headers ?? {});
  if (names.length > 0) throw invalid('headers', headers, 'none with a call: the headers option of the transport may be a function');
};

export class SteadyChatTransport {
  /** What reconnectToStream() gives begins with the message's first chunk. */
  resumeStreamIsReplay = true;

  #client;
  #isOwn;
  #prepareBody;
  #replay;
  #onAbort;
  #runs = new Map();
  #keeper = null;
  #isClosed = false;

  constructor({ api, client, prepareBody, replay, onAbort = 'stop', persist = false, ...rest } = {}) {
    requireFunction('prepareBody', prepareBody);
    if (!ON_ABORT.includes(onAbort)) throw invalid('onAbort', onAbort, `one of ${ON_ABORT.join(', ')}`);
    if (persist !== false && persist !== 'session') throw invalid('persist', persist, 'session or false');
    this.#replay = parseReplay(replay);
    this.#client = clientOf(client, api, rest);
    this.#isOwn = client === undefined;
    this.#prepareBody = prepareBody;
    this.#onAbort = onAbort;
    if (persist) {
      this.#keeper = new Keeper(persist, `chunks|${api ?? ''}`, {
        runs: () => [...this.#runs].filter(([, run]) => !run.isOver),
        describe: ([sessionId]) => ({ sessionId, runId: null, requestId: null }),
        store: ([, run]) => run.store(),
      });
    }
  }

  async sendMessages({ chatId, abortSignal, headers, ...request }) {
    this.#requireOpen();
    requireChat(chatId);
    refuseHeaders(headers);
    if (abortSignal?.aborted) throw aborted();
    const before = this.#runs.get(chatId);
    this.#keeper?.forget(chatId);
    const run = this.#keep(chatId);
    const stream = run.read(abortSignal);
    try {
      // At once, unless the last one is being stopped.
      await before?.replace();
      const message = await this.#bodyOf(chatId, request);
      if (run.isOver || abortSignal?.aborted) throw aborted();
      // Whoever asks for the same again means it.
      run.begin(this.#client.send(chatId, message, { requestId: createRequestId() }));
    } catch (error) {
      run.fail(error);
      throw error;
    }
    return stream;
  }

  async reconnectToStream({ chatId, abortSignal, headers }) {
    this.#requireOpen();
    requireChat(chatId);
    refuseHeaders(headers);
    if (abortSignal?.aborted) return null;
    const kept = this.#runs.get(chatId);
    if (kept) return kept.find(abortSignal);
    const { cursor, chunks } = this.#kept(chatId);
    const run = this.#keep(chatId);
    try {
      // Chunks are what is told here: what a client itself has kept over a reload would be parts.
      const runId = chunks.find(({ type }) => type === 'start')?.messageId;
      run.begin(this.#client.open({ sessionId: chatId, runId, cursor, parts: partsOf(chunks) }), chunks, cursor);
    } catch (error) {
      run.fail(error);
      throw error;
    }
    const found = await run.find(abortSignal);
    // What was kept is over; another answer may run.
    if (found || chunks.length === 0 || abortSignal?.aborted || this.#isClosed) return found;
    this.#keeper.forget(chatId);
    return this.reconnectToStream({ chatId, abortSignal, headers });
  }

  async stop(chatId) {
    this.#requireOpen();
    requireChat(chatId);
    const run = this.#runs.get(chatId);
    if (run && !run.isSettled) await run.stop();
    else await this.#client.stop(chatId);
  }

  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#keeper?.save();
    this.#keeper?.stop();
    for (const run of this.#runs.values()) run.close();
    this.#runs.clear();
    if (this.#isOwn) this.#client.close();
  }

  [dispose]() {
    this.close();
  }

  #requireOpen() {
    if (this.#isClosed) throw new SteadyStreamError('invalid-state', { got: 'the transport is closed', expected: 'an open one' });
  }

  // What the page before this one has kept.
  #kept(chatId) {
    const kept = this.#keeper?.glance(chatId);
    try {
      const { cursor, chunks } = JSON.parse(kept.held);
      if (typeof cursor === 'string' && Array.isArray(chunks)) return { cursor, chunks };
    } catch {
      // Not there, or not what was written.
    }
    return { chunks: [] };
  }

  #keep(chatId) {
    const { ttlMs } = this.#replay;
    const run = new ChatRun(this.#onAbort, (error) => {
      if (error?.code !== 'aborted') this.#keeper?.forget(chatId);
      // The chat may have another one by now.
      const forget = () => this.#runs.get(chatId) === run && this.#runs.delete(chatId);
      // What the server has not told to its end, it may still tell.
      if (!forget() || error || ttlMs === 0) return;
      // Behind those that ended before.
      this.#runs.set(chatId, run);
      if (ttlMs <= MAX_TTL_MS) setTimeout(forget, ttlMs).unref?.();
      this.#shed();
    });
    this.#runs.set(chatId, run);
    this.#keeper?.start();
    return run;
  }

  // What has ended longest ago goes first.
  #shed() {
    const ended = [...this.#runs].filter(([, { isOver }]) => isOver);
    let size = ended.reduce((sum, [, run]) => sum + run.size, 0);
    for (const [chatId, run] of ended) {
      if (size <= this.#replay.maxBytes) return;
      size -= run.size;
      this.#runs.delete(chatId);
    }
  }

  async #bodyOf(id, { trigger, messageId, messages, body, metadata }) {
    const request = { id, messages, trigger, messageId };
    return await this.#prepareBody?.({ ...request, body, requestMetadata: metadata }) ?? { ...body, ...request };
  }
}
