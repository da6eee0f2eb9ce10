// The engine's reader of event streams, seen from outside: bytes in, a list of what they said out.
import { readFlush } from '../delta.js';
import { engine, guard, memory } from '../instance.js';

export class EventBytes {
  #raw;

  constructor(maxEventBytes) {
    const { RawEventStream } = engine();
    this.#raw = guard(() => new RawEventStream(maxEventBytes));
  }

  restart() {
    guard(() => this.#raw.restart());
  }

  /** Gives `{ type, data, id }`, where `id` may be missing, and `{ id }`, `{ retry }`, `{ beat }`, `{ over }` as they came. */
  read(bytes) {
    const { deltas, take } = readFlush(guard(() => {
      const at = this.#raw.room(bytes.length);
      new Uint8Array(memory().buffer, at, bytes.length).set(bytes);
      return this.#raw.push(bytes.length);
    }));
    return deltas.map((item) => {
      if (typeof item === 'number') return { type: 'message', data: take(item) };
      if (!Array.isArray(item)) return item;
      const [length, type, id] = item;
      return { type: type || 'message', data: take(length), id };
    });
  }

  free() {
    const raw = this.#raw;
    this.#raw = undefined;
    if (raw) guard(() => raw.free());
  }
}
