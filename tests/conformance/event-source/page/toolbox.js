// What a case is given: the class under test, URLs of the scripted server, what the server saw, records and assertions.

import * as assertions from './assertions.js';
import { Log } from './log.js';

const { protocol, hostname } = location;
const encode = (value) => btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(value))))
  .replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
const nameOf = (url) => new URL(url, location.href).pathname.slice('/s/'.length);

export class Toolbox {
  #sources = [];
  #logs = [];
  #urls = 0;
  #prefix;

  /** `prefix` keeps the names of this case's URLs apart from all others. */
  constructor(EventSource, prefix, otherPort) {
    Object.assign(this, assertions);
    this.EventSource = EventSource;
    this.origin = location.origin;
    this.otherOrigin = `${protocol}//${hostname}:${otherPort}`;
    this.#prefix = prefix;
  }

  /**
   * A URL of the page's own origin, with what the server answers to the first, the second, … request for it: a body (a step
   * or a list of them) or a Response. Later requests get a 204.
   */
  url(...responses) {
    return this.#script(this.origin, { responses: responses.map(toResponse) });
  }

  /** The same from another origin of the same site; `preflight`: headers that grant leave to ask. */
  otherUrl(...responses) {
    return this.#script(this.otherOrigin, { responses: responses.map(toResponse) });
  }

  otherUrlWithPreflight(preflight, ...responses) {
    return this.#script(this.otherOrigin, { preflight, responses: responses.map(toResponse) });
  }

  #script(origin, script) {
    this.#urls += 1;
    return `${origin}/s/${this.#prefix}.${this.#urls}?${encode(script)}`;
  }

  /** A source that is closed when the case is over. */
  open(url, ...rest) {
    return this.track(new this.EventSource(url, ...rest));
  }

  track(source) {
    this.#sources.push(source);
    return source;
  }

  record(source, names) {
    const log = new Log(source, names);
    this.#logs.push(log);
    return log;
  }

  /** Waits for a condition that no event announces; `what` it is says the message when time runs out. */
  async until(holds, what) {
    this.awaited = what;
    while (!await holds()) await this.pause(5);
    this.awaited = null;
  }

  /** For showing that something does not happen; for nothing else. */
  pause(ms) {
    return new Promise((resolve) => { setTimeout(resolve, ms); });
  }

  /** What the server saw so far: `{ method, headers, at, hasLeft }`, headers in lower case, `at` in ms of one clock. */
  requests(url) {
    return fixture('requests', nameOf(url));
  }

  /** The same, once there are `count` of them. */
  arrived(url, count) {
    return fixture('arrived', nameOf(url), count);
  }

  /** The same, once so many of its connections are over. */
  left(url, count) {
    return fixture('left', nameOf(url), count);
  }

  /** Lets the response go on behind `gate(name)`. */
  release(url, gate) {
    return fixture('open', nameOf(url), gate);
  }

  /** Expects that `error` is thrown by a listener and so reported to the window; gives the list of those reports. */
  expectReports(error) {
    const reports = [];
    expected.set(error, reports);
    return reports;
  }

  get lines() {
    return this.#logs.map((log) => log.lines);
  }

  close() {
    for (const source of this.#sources) source.close();
    dismiss(this.#prefix);
  }
}

// Several at a time: each call takes as long as a small case.
let over = [];
const dismiss = (prefix) => {
  if (over.length === 0) {
    setTimeout(() => {
      fixture('dismiss', over);
      over = [];
    }, 50);
  }
  over.push(prefix);
};

const toResponse = (given) => {
  if (typeof given === 'string') return { body: [given] };
  return Array.isArray(given) ? { body: given } : given;
};

const expected = new Map();

/** Errors that reached the window and that no case expected. */
export const strays = [];

addEventListener('error', (event) => {
  const reports = expected.get(event.error);
  if (!reports) {
    strays.push(event.message);
    return;
  }
  reports.push(event);
  event.preventDefault();
});
addEventListener('unhandledrejection', ({ reason }) => strays.push(String(reason)));

