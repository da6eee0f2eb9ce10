// What tabs say to each other: over one BroadcastChannel for each server, in messages of a version that is part of the channel's
// name, so that a tab of another version is never heard. Whatever else comes that way is no message of ours and means nothing.

/** The version of the messages. A change of their shape or meaning is a new one. */
export const VERSION = 1;

const isText = (value) => typeof value === 'string';
const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
const isTextOrNull = (value) => value === null || isText(value);
const isBytes = (value) => value instanceof Uint8Array;
const isHead = (value) => typeof value === 'object' && value !== null && isCount(value.status) && value.status < 1000
  && isTextOrNull(value.contentType) && isTextOrNull(value.retryAfter);
const isEnd = (value) => ['ended', 'failed', 'refused', 'overflown', 'moved', 'crowded'].includes(value);

// kind -> what each member has to be, besides `v`, `kind`, `from` and `stream`. `to`: whom it is for, where it is for one alone.
const SHAPES = {
  /** Someone wants the stream, and holds it up to this cursor. */
  ask: { cursor: isTextOrNull },
  left: {},
  ping: {},
  /** The holder's: it lives, and has no connection at the moment. */
  wait: {},
  /** It lives; `n` is its connection, if it has one. */
  pong: { to: isText, n: isTextOrNull },
  /** It cannot hand over what came so far. */
  alone: { to: isText },
  /** There is another connection, or a first one: it can be asked for. */
  start: { n: isText },
  head: { n: isText, head: isHead },
  chunk: { n: isText, i: isCount, bytes: isBytes },
  /** Its end, or that of the holder's part in it (`moved`). */
  end: { n: isText, how: isEnd },
  /** For one who asked after `cursor`: from chunk `i` on, behind `record` (a run as JSON) and `tail` (what follows that). */
  here: {
    to: isText, cursor: isTextOrNull, n: isText, i: isCount, head: (value) => value === null || isHead(value), record: isText, tail: isBytes,
  },
  /** A tab's word to itself: all that was said before it has been heard. */
  mark: { to: isText },
};

const isMessage = (data, shapes) => {
  if (typeof data !== 'object' || data === null || data.v !== VERSION) return false;
  const shape = isText(data.kind) && Object.hasOwn(shapes, data.kind) ? shapes[data.kind] : null;
  return shape !== null && isText(data.from) && isText(data.stream)
    && Object.entries(shape).every(([name, is]) => is(data[name]));
};

export class Channel {
  #name;
  #channel;
  #from;

  /** `from`: this tab's name. `hear(message)`: for every message that is for it. `shapes`: what messages have to be, as above. */
  constructor(name, from, hear, shapes = SHAPES) {
    this.#name = `steadystream/${VERSION}/${name}`;
    this.#from = from;
    this.#channel = new BroadcastChannel(this.#name);
    // A process has nothing to wait for here.
    this.#channel.unref?.();
    this.#channel.onmessage = ({ data }) => {
      if (isMessage(data, shapes) && (data.to === undefined || data.to === from)) hear(data);
    };
  }

  post(stream, kind, message) {
    this.#channel.postMessage({ ...message, v: VERSION, kind, from: this.#from, stream });
  }

  /** Has `mark` come back to this tab, behind all that other tabs have said by now. */
  mark(stream) {
    // A channel does not hear itself, but another one of the same page.
    const another = new BroadcastChannel(this.#name);
    another.postMessage({ v: VERSION, kind: 'mark', from: this.#from, to: this.#from, stream });
    another.close();
  }

  /** Calls `fn` once all that this tab has said is on its way to those who hear it. */
  echo(fn) {
    const name = `${this.#name}/${this.#from}`;
    const ear = new BroadcastChannel(name);
    ear.onmessage = () => {
      ear.close();
      fn();
    };
    const mouth = new BroadcastChannel(name);
    mouth.postMessage({ v: VERSION, kind: 'echo', from: this.#from, stream: '' });
    mouth.close();
  }

  close() {
    this.#channel.close();
  }
}
