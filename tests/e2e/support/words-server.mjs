// A server of a protocol of its own: answers that go on whether or not anybody reads, and connections that break on request.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { allowOrigin } from './ai-server.mjs';
import { Gate } from './gate.mjs';
import { answerOf } from './words.mjs';

/** How many events an answer has. */
export const EVENTS = 140;
/**
 * An answer waits in front of this one for a reader whose connection is not to be cut, and one that is to be cut is so there at the
 * latest: what has ended may be forgotten.
 */
const HOLD_AT = 120;

/** Starts one on a free port. */
export async function startWordsServer() {
  const server = new WordsServer();
  await server.listen();
  return server;
}

/** One answer's frames, for whoever reads from any of them on. */
class Answer {
  frames = [];
  over = false;
  #waiting = [];
  isHeard = new Promise((resolve) => { this.hear = resolve; });

  add(frame) {
    this.frames.push(frame);
    this.#tell();
  }

  end() {
    this.over = true;
    this.#tell();
  }

  async *from(at, to) {
    for (let n = at; n < to; n++) {
      while (n === this.frames.length) {
        if (this.over) return;
        await new Promise((resolve) => this.#waiting.push(resolve));
      }
      yield this.frames[n];
    }
  }

  #tell() {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

class WordsServer {
  /** `{method, path, cursor, status}` of each request, in order. */
  requests = [];
  started = 0;
  /** Every answer passes it before each of its events. */
  gate = new Gate();
  #answers = new Map();
  #plans = new Map();
  #stopped = new AbortController();
  #http = createServer((request, response) => {
    this.#serve(request, response).catch((error) => response.destroy(error));
  });

  async listen() {
    this.#http.listen(0, '127.0.0.1');
    await once(this.#http, 'listening');
    this.api = `http://127.0.0.1:${this.#http.address().port}/ask`;
  }

  async stop() {
    this.#stopped.abort();
    this.gate.open();
    for (const answer of this.#answers.values()) answer.hear();
    this.#http.closeAllConnections();
    this.#http.close();
    await once(this.#http, 'close');
  }

  /**
   * How a session's answer is told. `ids`: 'all', 'some' or 'none'. `paceMs` between two events. `steps`, one for each response:
   * `{ bytes }` cuts it there, `how` is 'rst' or 'fin'; `back` tells so many events again; `pieces`: in pieces of so many bytes.
   */
  plan(sessionId, { seed = 0, ids = 'all', paceMs = 0, steps = [] }) {
    this.#plans.set(sessionId, { seed, ids, paceMs, steps: [...steps] });
  }

  async #serve(request, response) {
    allowOrigin(request, response);
    const { pathname } = new URL(request.url, 'http://localhost');
    const record = { method: request.method, path: pathname, cursor: request.headers['last-event-id'] };
    if (request.method === 'OPTIONS') return void response.writeHead(204).end();
    this.requests.push(record);
    response.once('close', () => { record.status = response.statusCode; });
    if (request.method === 'POST' && pathname === '/ask') return this.#begin(await json(request), response);
    const [, id, what] = /^\/ask\/([^/]+)\/(stream|stop)$/.exec(pathname) ?? [];
    const answer = this.#answers.get(id);
    if (what === 'stop') {
      answer?.stop();
      return void response.writeHead(204).end();
    }
    if (what === 'stream' && answer) return this.#resume(id, answer, record.cursor, response);
    return void response.writeHead(what ? 204 : 404).end();
  }

  #begin({ sessionId, requestId, content }, response) {
    if (!requestId || content === undefined) return void response.writeHead(400).end();
    const answer = new Answer();
    this.#answers.set(sessionId, answer);
    this.started += 1;
    this.#make(answer, this.#plans.get(sessionId));
    return this.#tell(sessionId, answer, 0, response);
  }

  async #make(answer, { seed, ids, paceMs }) {
    let isStopped = false;
    answer.stop = () => { isStopped = true; };
    let n = 0;
    for (const [event, data] of answerOf(seed, EVENTS)) {
      if (n === HOLD_AT) await answer.isHeard;
      await this.gate.pass();
      if (isStopped || this.#stopped.signal.aborted) break;
      const hasId = ids === 'all' || (ids === 'some' && n % 3 === 1);
      const head = `${hasId ? `id: ${n + 1}\n` : ''}${event && `event: ${event}\n`}`;
      answer.add(`${n % 10 === 0 ? ': still here\n' : ''}${head}data: ${data.replaceAll('\n', '\ndata: ')}\n\n`);
      n += 1;
      if (paceMs > 0) await sleep(paceMs);
    }
    answer.end();
  }

  #resume(id, answer, cursor, response) {
    const at = Number(cursor ?? 0);
    if (answer.over && (at === 0 || at >= answer.frames.length)) return void response.writeHead(204).end();
    return this.#tell(id, answer, at, response);
  }

  async #tell(id, answer, at, response) {
    const step = this.#plans.get(id).steps.shift();
    if (step?.bytes === undefined) answer.hear();
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.flushHeaders();
    const isCut = step?.bytes !== undefined;
    let left = isCut ? step.bytes : Infinity;
    for await (const frame of answer.from(Math.max(0, at - (step?.back ?? 0)), isCut ? HOLD_AT : Infinity)) {
      if (response.destroyed) return;
      const whole = Buffer.from(frame);
      const bytes = whole.subarray(0, left);
      left -= bytes.length;
      for (let from = 0; from < bytes.length; from += step?.pieces ?? bytes.length) {
        await new Promise((resolve) => { response.write(bytes.subarray(from, from + (step?.pieces ?? bytes.length)), resolve); });
      }
      if (left <= 0) break;
    }
    if (isCut && step.how === 'rst') response.destroy();
    else response.end();
  }
}
