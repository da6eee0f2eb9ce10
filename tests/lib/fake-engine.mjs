// A scripted stand-in for the generated module, injected through provide(), the door that index.js uses too. It keeps the
// promises of the raw boundary (who is told what and when), and does nothing by itself: tests say what the engine says.
import { lives, provide } from '../../pkg/lib/instance.js';

export class FakeRaw {
  static latest;

  calls = [];
  #slots = new Map();       // slot -> { pace, kept: deltas with text nobody has read }
  #pending = [];
  #next = 1;
  #ticket = 1;
  trap = null;

  #orders = [];

  constructor(numbers) {
    this.numbers = numbers;
    FakeRaw.latest = this;
  }

  #call(name, ...args) {
    if (this.trap === name) throw new WebAssembly.RuntimeError('unreachable');
    this.calls.push([name, ...args]);
  }

  #open(name, ...args) {
    this.#call(name, ...args);
    const slot = this.#next++;
    this.#slots.set(slot, { pace: -1, kept: [], isLive: !/activeruns/i.test(name) });
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

  /** A frame: the driver wakes its client, as the last thing it does. */
  frame() {
    for (const life of [...lives]) life.wake(true);
  }

  /** Something urgent, before the frame. */
  hurry() {
    for (const life of [...lives]) life.wake(false);
  }

  /** What the driver must carry out after the next call. */
  order(order) {
    this.#orders.push(order);
  }

  /** A frame in which this happened. */
  tell(slot, delta, tail) {
    this.emit(slot, delta, tail);
    this.frame();
  }

  // What comes last is the time, which no test depends on.
  send(...args) { return this.#open('send', ...args.slice(0, -1)); }
  open(...args) { return this.#open('open', ...args.slice(0, -1)); }
  subscribe(...args) { return this.#open('subscribe', ...args.slice(0, -1)); }
  activeRuns(...args) { return this.#open('activeRuns', ...args.slice(0, -1)); }
  subscribeActiveRuns(...args) { return this.#open('subscribeActiveRuns', ...args.slice(0, -1)); }
  attend(slot, pace) { this.#call('attend', slot, pace); }
  listen(slot, on) { this.#call('listen', slot, on); }
  trace(slot, on) { this.#call('trace', slot, on); }
  limit(slot, first, inactivity) { this.#call('limit', slot, first, inactivity); }
  learned() {}
  held(slot) { return this.heldBytes?.[slot] ?? 0; }
  watchStates(areUrgent) { this.#call('watchStates', areUrgent); }
  status(session) { this.#call('status', session); return this.#ticket++; }
  stop(session) { this.#call('stop', session); return this.#ticket++; }
  reset(session, presence) { this.#call('reset', session, presence); return this.#ticket++; }
  delete(session) { this.#call('delete', session); return this.#ticket++; }
  store() { return ''; }
  expect(session) { this.#call('expect', session); }
  stopExpecting(session) { this.#call('stopExpecting', session); }
  takeOver(slot, ...args) { this.#call('takeOver', slot, ...args.slice(0, -1)); return false; }
  withdraw(slot) { this.#call('withdraw', slot); return false; }
  page(path) { this.#call('page', path); return this.#ticket++; }
  forget(ticket) { this.#call('forget', ticket); }
  head(task, status) { this.#call('head', task, status); }
  chunk(task, length) { this.#call('chunk', task, length); }
  end(task, how, code) { this.#call('end', task, how, code); }
  timeout() { this.#call('timeout'); }
  free() { this.#call('free'); }
  signal() {}
  chunk_ptr() { return 2048; }
  chunk_size() { return 16384; }
  due() { return this.#orders.length > 0 ? 1 : 0; }
  orders() { return JSON.stringify(this.#orders.splice(0)); }
  deadline() { return Infinity; }

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

const glue = {
  RawHost: FakeRaw,
  initSync: () => ({ memory: new WebAssembly.Memory({ initial: 1 }) }),
};

/** Makes the fake the engine of this process. */
export const useFakeEngine = () => provide(glue, () => new Uint8Array());

export const textPart = (seq, state = 'streaming') => ({ type: 'text', seq, state });

/** One text delta: opens the part when `isNew`. */
export const appended = (i, text, isNew = false) => ({
  parts: [...(isNew ? [{ i, part: textPart(i) }] : []), { i, add: text.length }],
});

/** Everything queued as a microtask has run. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));
