// A driver with the real engine below it, and in the place of the package's own side one that notes what it is told, and
// what must never happen.

import { Driver } from '/pkg/lib/browser/driver.js';
import { headerSource } from '/pkg/lib/headers.js';
import { engine } from '/pkg/lib/instance.js';
import { parseOptions } from '/pkg/lib/options.js';

export const content = (at, text) => `id: ${at}-0\nevent: content\ndata: ${JSON.stringify({ type: 'content', content: text })}\n\n`;
export const done = (at) => `id: ${at}-0\nevent: done\ndata: {"type":"done"}\n\n`;
export const STARTED = 'event: stream_started\ndata: {"type":"stream_started","runId":"r"}\n\n';

export const QUICK = { baseMs: 1, capMs: 1, jitter: 'none' };

export class Client {
  raw;
  driver;
  deltas = [];
  texts = [];
  wakes = 0;
  faults = [];
  #isInside = false;
  #isOver = false;

  /** `onWake(client)` stands for the users' callbacks. */
  constructor(baseUrl, { onWake = () => {}, retry, ...options } = {}) {
    const { raw, numbers, headers } = parseOptions({ baseUrl, retry: { ...QUICK, ...retry }, ...options });
    this.raw = new (engine().RawHost)(numbers, 0.5);
    // Everything at the base itself, so that a blob can be one.
    this.driver = new Driver(this.raw, { ...raw, baseUrl, streamEndpoint: '' }, headerSource(headers), () => {
      if (this.#isInside) this.faults.push('woken inside a call of ours');
      this.wakes += 1;
      this.flush();
      if (!this.#isOver && this.driver.flush() !== '') this.faults.push('a second flush had something');
      onWake(this);
    });
  }

  /** A call of our own code, and the flush that always follows it. */
  call(fn, via = 'call') {
    this.#isInside = true;
    try {
      const given = this.driver[via](fn);
      this.flush();
      return given;
    } finally {
      this.#isInside = false;
    }
  }

  flush() {
    if (!this.#isOver) this.#take(this.driver.flush());
  }

  read(slot) {
    const before = this.texts.length;
    this.#take(this.driver.read(slot));
    return this.texts.slice(before).join('');
  }

  #take(flush) {
    if (flush === '') return;
    const at = flush.indexOf('\n');
    this.deltas.push(...JSON.parse(flush.slice(0, at)));
    this.texts.push(flush.slice(at + 1));
  }

  open(pace, session = 's', run = 'r') {
    return this.call((raw, now) => {
      const slot = raw.open(session, run, undefined, undefined, now);
      raw.watch(slot, pace);
      return slot;
    }, 'begin');
  }

  /** All text of all slots, in the order it came. */
  get text() {
    return this.texts.join('');
  }

  /** The newest of a member of the slot's state. */
  state(slot, member) {
    return this.deltas.findLast((delta) => delta.slot === slot && delta.state?.[member] !== undefined)?.state[member];
  }

  isOpen(slot) {
    return this.state(slot, 'connection')?.state === 'open';
  }

  ends(slot) {
    return this.deltas.filter((delta) => delta.slot === slot && delta.end).length;
  }

  answer(ticket) {
    return this.deltas.find(({ ask }) => ask === ticket);
  }

  /** As the package ends it; throws what was wrong before. */
  over() {
    this.call((raw, now) => raw.shutdown(now));
    this.driver.close();
    this.#isOver = true;
    // Outside of any call of ours: this may itself be running inside one.
    queueMicrotask(() => this.raw.free());
    if (this.faults.length > 0) throw new Error(this.faults.join('\n'));
  }
}
