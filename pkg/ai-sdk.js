// A ChatTransport for the AI SDK. Connections, retries and resumption are the engine's; here is what the SDK asks for, and one
// memory of what each chat's run has said.
import { RunClient } from './index.js';
import { ChatRun, aborted } from './lib/chat-run.js';
import { dispose } from './lib/dispose.js';
import { SteadyStreamError, invalid } from './lib/errors.js';

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
  #isClosed = false;

  constructor({ api, client, prepareBody, replay, onAbort = 'stop', ...rest } = {}) {
    requireFunction('prepareBody', prepareBody);
    if (!ON_ABORT.includes(onAbort)) throw invalid('onAbort', onAbort, `one of ${ON_ABORT.join(', ')}`);
    this.#replay = parseReplay(replay);
    this.#client = clientOf(client, api, rest);
    this.#isOwn = client === undefined;
    this.#prepareBody = prepareBody;
    this.#onAbort = onAbort;
  }

  async sendMessages({ chatId, abortSignal, headers, ...request }) {
    this.#requireOpen();
    requireChat(chatId);
    refuseHeaders(headers);
    if (abortSignal?.aborted) throw aborted();
    const before = this.#runs.get(chatId);
    const run = this.#keep(chatId);
    const stream = run.read(abortSignal);
    try {
      // At once, unless the last one is being stopped.
      await before?.replace();
      const message = await this.#bodyOf(chatId, request);
      if (run.isOver || abortSignal?.aborted) throw aborted();
      run.begin(this.#client.send(chatId, message));
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
    const run = this.#keep(chatId);
    try {
      run.begin(this.#client.open({ sessionId: chatId }));
    } catch (error) {
      run.fail(error);
      throw error;
    }
    return run.find(abortSignal);
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

  #keep(chatId) {
    const { ttlMs } = this.#replay;
    const run = new ChatRun(this.#onAbort, (error) => {
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
