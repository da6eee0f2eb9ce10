// A scripted stand-in for the generated module, injected through provide(), the door that index.js uses too. It keeps the
// promises of the raw boundary (who is told what and when), and does nothing by itself: tests say what the engine says.
import { provide } from '../../pkg/lib/instance.js';

export class FakeRaw {
  static latest;

  calls = [];
  #slots = new Map();       // slot -> { pace, kept: deltas with text nobody has read }
  #pending = [];
  #next = 1;
  #ticket = 1;
  trap = null;

  constructor(options, hooks) {
    this.options = options;
    this.hooks = hooks;
    FakeRaw.latest = this;
  }

  #call(name, ...args) {
    if (this.trap === name) throw new WebAssembly.RuntimeError('unreachable');
    this.calls.push([name, ...args]);
  }

  #open(name, ...args) {
    this.#call(name, ...args);
    const slot = this.#next++;
    this.#slots.set(slot, { pace: -1, kept: [], isLive: true });
    return slot;
  }

  /** The arguments of every call of this name. */
  made(name) {
    return this.calls.filter((call) => call[0] === name).map((call) => call.slice(1));
  }

  /** The engine has something to say about a slot. */
  emit(slot, delta, tail = '') {
    this.#pending.push({ delta: { slot, ...delta }, tail });
    if (delta.end) this.#slots.get(slot).isLive = false;
  }

  answer(ticket, reply) {
    this.#pending.push({ delta: { ask: ticket, ok: true, body: null, error: null, ...reply }, tail: '' });
  }

  /** A frame: the driver calls out, as the last thing it does. */
  frame() {
    this.hooks.wake();
  }

  /** A frame in which this happened. */
  tell(slot, delta, tail) {
    this.emit(slot, delta, tail);
    this.frame();
  }

  send(...args) { return this.#open('send', ...args); }
  open(...args) { return this.#open('open', ...args); }
  subscribe(...args) { return this.#open('subscribe', ...args); }
  listen(...args) { this.#call('listen', ...args); }
  status(...args) { this.#call('status', ...args); return this.#ticket++; }
  stop(...args) { this.#call('stop', ...args); return this.#ticket++; }
  now() { return 1000; }
  free() { this.#call('free'); }

  watch(slot, pace) {
    this.#call('watch', slot, pace);
    const state = this.#slots.get(slot);
    if (state) state.pace = pace;
  }

  retry(slot, requestId, body) {
    this.#call('retry', slot, requestId, body);
    this.#slots.get(slot).isLive = true;
  }

  close(slot) {
    this.#call('close', slot);
    this.#abort(slot);
  }

  release(slot) {
    this.#call('release', slot);
    this.#slots.delete(slot);
  }

  shutdown() {
    this.#call('shutdown');
    for (const slot of this.#slots.keys()) this.#abort(slot);
  }

  #abort(slot) {
    if (!this.#slots.get(slot)?.isLive) return;
    this.emit(slot, { state: { status: 'interrupted', by: 'user', error: { code: 'aborted', retryable: true } }, end: true });
  }

  flush() {
    this.#call('flush');
    const out = [];
    for (const item of this.#pending.splice(0)) {
      const { slot, parts, ...rest } = item.delta;
      const state = this.#slots.get(slot);
      if (!parts || !state || state.pace >= 0) {
        out.push(item);
        continue;
      }
      state.kept.push({ delta: { slot, parts }, tail: item.tail });
      if (Object.keys(rest).length > 0) out.push({ delta: { slot, ...rest }, tail: '' });
    }
    return this.#write(out);
  }

  read(slot) {
    this.#call('read', slot);
    const mine = this.#pending.filter(({ delta }) => delta.slot === slot);
    this.#pending = this.#pending.filter(({ delta }) => delta.slot !== slot);
    return this.#write([...(this.#slots.get(slot)?.kept.splice(0) ?? []), ...mine]);
  }

  #write(items) {
    if (items.length === 0) return '';
    return `${JSON.stringify(items.map(({ delta }) => delta))}\n${items.map(({ tail }) => tail).join('')}`;
  }
}

export const glue = {
  RawClient: FakeRaw,
  stack: 0,
  depth: () => glue.stack,
  initSync: () => ({ memory: new WebAssembly.Memory({ initial: 1 }) }),
};

/** Makes the fake the engine of this process. */
export const useFakeEngine = () => provide(glue, '');

export const textPart = (seq, state = 'streaming') => ({ type: 'text', seq, state });

/** One text delta: opens the part when `isNew`. */
export const appended = (i, text, isNew = false) => ({
  parts: [...(isNew ? [{ i, part: textPart(i) }] : []), { i, add: text.length }],
});

/** Everything queued as a microtask has run. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));
