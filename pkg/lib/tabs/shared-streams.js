// The streams that a client shares with the other tabs of its origin, by name. Without locks or channels (an insecure page, an old
// browser) there are none: each tab connects for itself.
import { createRequestId } from '../request-id.js';
import { Channel, VERSION } from './channel.js';
import { SharedStream } from './shared-stream.js';

export const canShare = () => typeof globalThis.navigator?.locks?.request === 'function' && typeof globalThis.BroadcastChannel === 'function';

export class SharedStreams {
  #scope;
  #host;
  #from = createRequestId();
  #channel = null;
  #streams = new Map();

  /** `scope`: what tabs have to agree on. `host`: see SharedStream. */
  static create(scope, host) {
    return canShare() ? new SharedStreams(scope, host) : null;
  }

  constructor(scope, host) {
    this.#scope = scope;
    this.#host = host;
  }

  /** See SharedStream. Gives what closes it. */
  open(name, wanted) {
    const stream = this.#streams.get(name) ?? this.#add(name);
    // Two of one page want it: one of them takes part.
    if (stream.isWantedBesides(wanted.slot)) return wanted.begin(wanted.tell);
    stream.open(wanted);
    return () => stream.close(wanted.task);
  }

  /** A slot needs the stream of this name no more. `isGoing`: the page goes to sleep. */
  leave(name, slot, isGoing) {
    const stream = this.#streams.get(name);
    if (stream?.slot !== slot) return;
    stream.leave(isGoing);
    this.#streams.delete(name);
    if (this.#streams.size === 0) this.#hangUp();
  }

  close() {
    for (const stream of this.#streams.values()) stream.leave();
    this.#streams.clear();
    this.#hangUp();
  }

  #add(name) {
    this.#channel ??= new Channel(this.#scope, this.#from, (message) => this.#streams.get(message.stream)?.hear(message));
    const channel = this.#channel;
    const stream = new SharedStream({
      from: this.#from,
      lock: `steadystream/${VERSION}/${this.#scope}/${name}`,
      post: (kind, message) => channel.post(name, kind, message),
      mark: () => channel.mark(name),
      echo: (fn) => channel.echo(fn),
      host: this.#host,
    });
    this.#streams.set(name, stream);
    return stream;
  }

  // An open channel may keep a page out of the back/forward cache.
  #hangUp() {
    this.#channel?.close();
    this.#channel = null;
  }
}
