// A server made of the AI SDK's own stream helpers, as an app would write it: what a client of `ui-message` meets in the field.
// Its answers are scripted and go on whether or not anybody reads; its connections break on request.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { Readable, pipeline } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { JsonToSseTransformStream, UI_MESSAGE_STREAM_HEADERS, createUIMessageStream, pipeUIMessageStreamToResponse } from 'ai';
import { answerTo } from './ai-answer.mjs';
import { Gate } from './gate.mjs';

/**
 * Starts one on a free port. `paceMs`: how long after each chunk the next one comes; `answer`: the chunks for a question.
 *
 * `POST /api/chat` streams an answer, `GET /api/chat/:id/stream` replays the chat's newest from its first byte and goes on, or is
 * 204 when it is over. `ids`: each chunk has an id, and who names one is told what follows it.
 */
export async function startAiServer({ paceMs = 5, answer = answerTo, ids = false } = {}) {
  const server = new AiServer(paceMs, answer, ids);
  await server.listen();
  return server;
}

/** One answer: the bytes it has come to, for whoever reads from the beginning. */
class Answer {
  #pieces = [];
  #waiting = [];
  over = false;
  /** Somebody reads it whose connection is not to be cut. */
  isHeard = new Promise((resolve) => { this.hear = resolve; });

  async record(stream) {
    for await (const piece of stream) this.#tell(() => this.#pieces.push(piece));
    this.#tell(() => { this.over = true; });
  }

  async *replay(from = 0) {
    for (let n = from; ; n++) {
      while (n === this.#pieces.length) {
        if (this.over) return;
        await new Promise((resolve) => this.#waiting.push(resolve));
      }
      yield this.#pieces[n];
    }
  }

  #tell(change) {
    change();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

class AiServer {
  /** How long after each chunk the next one comes; may be changed at any time. */
  paceMs;
  /** Between the last byte of a response and its cut: a browser that learns of both at once throws the bytes away. */
  lingerMs = 0;
  /** An answer waits in front of its chunk of this number until somebody reads it who is not cut. */
  holdAt = Infinity;
  /** Every answer passes it before each of its chunks. */
  gate = new Gate();
  /** `{method, path, status, cursor}` of each request, in order. */
  requests = [];
  #answer;
  #ids;
  #answers = new Map();
  #messages = new Map();
  #cuts = [];
  #stopped = new AbortController();
  #http = createServer((request, response) => {
    this.#serve(request, response).catch((error) => response.destroy(error));
  });

  constructor(paceMs, answer, ids) {
    this.paceMs = paceMs;
    this.#answer = answer;
    this.#ids = ids;
  }

  async listen() {
    this.#http.listen(0, '127.0.0.1');
    await once(this.#http, 'listening');
    this.origin = `http://127.0.0.1:${this.#http.address().port}`;
    this.api = `${this.origin}/api/chat`;
  }

  /** The socket of the next response is destroyed behind that many bytes of its body; more than one: of those that follow. */
  cut(...afterBytes) {
    this.#cuts.push(...afterBytes.map((left) => ({ left })));
  }

  /** The same, but the response comes to its end there, as if that were all. */
  end(...afterBytes) {
    this.#cuts.push(...afterBytes.map((left) => ({ left, isClean: true })));
  }

  /** The message that the SDK itself makes of the chat's newest answer, once that is over. */
  message(chatId) {
    return this.#messages.get(chatId);
  }

  /** What waits at `holdAt` goes on, whoever reads it. */
  goOn(chatId) {
    this.#answers.get(chatId).hear();
  }

  async stop() {
    this.#stopped.abort();
    this.gate.open();
    this.#http.closeAllConnections();
    this.#http.close();
    await once(this.#http, 'close');
  }

  async #serve(request, response) {
    allowOrigin(request, response);
    const { pathname } = new URL(request.url, this.origin);
    const cursor = request.headers['last-event-id'] ?? null;
    const record = { method: request.method, path: pathname, cursor };
    this.requests.push(record);
    response.once('close', () => { record.status = response.statusCode; });
    if (request.method === 'OPTIONS') return void response.writeHead(204).end();
    if (request.method === 'POST' && pathname === '/api/chat') return this.#begin(await json(request), response);
    const [, chatId] = /^\/api\/chat\/([^/]+)\/stream$/.exec(pathname) ?? [];
    if (request.method === 'GET' && chatId) return this.#resume(decodeURIComponent(chatId), cursor, response);
    response.writeHead(404).end();
  }

  #begin({ id, messages }, response) {
    const question = messages.at(-1).parts.map(({ text = '' }) => text).join('');
    const answer = new Answer();
    this.#answers.set(id, answer);
    this.#stopped.signal.addEventListener('abort', () => answer.hear());
    let ended;
    this.#messages.set(id, new Promise((resolve) => { ended = resolve; }));
    const stream = createUIMessageStream({
      originalMessages: messages,
      execute: ({ writer }) => this.#write(writer, question, answer),
      onEnd: ({ responseMessage }) => ended(responseMessage),
    });
    this.#cutWhereAsked(response, answer);
    if (this.#ids) {
      void answer.record(stream.pipeThrough(new JsonToSseTransformStream()));
      return this.#replay(answer, null, response);
    }
    return pipeUIMessageStreamToResponse({ response, stream, consumeSseStream: ({ stream: copy }) => void answer.record(copy) });
  }

  async #write(writer, question, answer) {
    let n = 0;
    for (const chunk of this.#answer(question)) {
      n += 1;
      if (n === this.holdAt) await answer.isHeard;
      await this.gate.pass();
      if (this.#stopped.signal.aborted) return;
      writer.write(chunk);
      // Who stops the server does not wait for an answer.
      await sleep(this.paceMs, null, { signal: this.#stopped.signal }).catch(() => {});
    }
  }

  #resume(chatId, cursor, response) {
    const answer = this.#answers.get(chatId);
    if (!answer || answer.over) return void response.writeHead(204).end();
    this.#cutWhereAsked(response, answer);
    return this.#replay(answer, cursor, response);
  }

  #replay(answer, cursor, response) {
    response.writeHead(200, UI_MESSAGE_STREAM_HEADERS).flushHeaders();
    const from = this.#ids ? Number(cursor) : 0;
    const pieces = answer.replay(from);
    const number = async function* number() {
      let n = from;
      for await (const piece of pieces) yield `id: ${n += 1}\n${piece}`;
    };
    // A reader that goes away ends its replay and nothing else.
    return void pipeline(Readable.from(this.#ids ? number() : pieces), response, () => {});
  }

  #cutWhereAsked(response, answer) {
    const cut = this.#cuts.shift();
    if (!cut) return void answer.hear();
    let { left } = cut;
    const write = response.write.bind(response);
    response.write = (piece, ...rest) => {
      const bytes = Buffer.from(piece);
      if (bytes.length < left) {
        left -= bytes.length;
        return write(bytes, ...rest);
      }
      response.write = () => false;
      response.flushHeaders();
      if (left > 0) write(bytes.subarray(0, left));
      if (cut.isClean) {
        response.end();
        return false;
      }
      // Behind what has just been written, which is to arrive.
      response.socket.write('', () => setTimeout(() => response.socket.destroy(), this.lingerMs));
      return false;
    };
  }
}

/** Pages of other origins may use it. */
export function allowOrigin({ headers }, response) {
  if (!headers.origin) return;
  response.setHeader('Access-Control-Allow-Origin', headers.origin);
  response.setHeader('Access-Control-Allow-Credentials', 'true');
  response.setHeader('Access-Control-Allow-Headers', headers['access-control-request-headers'] ?? '*');
  response.setHeader('Vary', 'Origin');
}
