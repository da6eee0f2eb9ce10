// What a run has said so far, for any number of readers: each gets all of it, and then what follows, at its own speed. Readers read
// from here and queue nothing, so a slow one costs no memory, and what it missed comes in fewer chunks.

// By chunk type: what names the stretch, and the text that grows.
const DELTAS = {
  'text-delta': ['id', 'delta'],
  'reasoning-delta': ['id', 'delta'],
  'tool-input-delta': ['toolCallId', 'inputTextDelta'],
};
const deltaOf = ({ type }) => (Object.hasOwn(DELTAS, type) ? DELTAS[type] : null);

// In UTF-16 units. A reader flattens what has grown since its last look, so without a bound that would cost the square of a message.
const JOINED = 4096;

/** What may reach a prototype is taken out, as the AI SDK's own parser refuses it. */
const disarm = (value) => {
  if (typeof value !== 'object' || value === null) return value;
  delete value.__proto__;
  if (Object.hasOwn(value, 'constructor') && Object.hasOwn(value.constructor ?? {}, 'prototype')) delete value.constructor;
  for (const member of Object.values(value)) disarm(member);
  return value;
};

export class Replay {
  #entries = [];              // { chunk, pieces: how many of the wire's chunks it is }
  #waiting = [];
  #isOver = false;
  #error = null;
  /** What it holds, roughly, in characters. */
  size = 0;

  get isOver() {
    return this.#isOver;
  }

  /** All chunks so far, as few as they can be. */
  get chunks() {
    return this.#entries.map(({ chunk }) => chunk);
  }

  append(chunk) {
    const text = deltaOf(chunk)?.[1];
    this.size += text ? chunk[text].length : JSON.stringify(chunk).length;
    if (!this.#join(disarm(chunk))) this.#entries.push({ chunk, pieces: 1 });
    this.#tell();
  }

  /** No more will come; with an error every reader is thrown it behind the last chunk. */
  end(error = null) {
    this.#isOver = true;
    this.#error = error;
    this.#tell();
  }

  /** All chunks from the first one on. `signal` closes this stream, and cancelling it changes nothing for the others. */
  read(signal) {
    const reader = { at: 0, pieces: 0, length: 0 };
    let isLeft = false;
    let stop = () => {};
    const leave = () => {
      isLeft = true;
      signal?.removeEventListener('abort', stop);
    };
    return new ReadableStream({
      start: (controller) => {
        stop = () => {
          leave();
          controller.close();
        };
        if (signal?.aborted) stop();
        else signal?.addEventListener('abort', stop);
      },
      pull: async (controller) => {
        for (;;) {
          if (isLeft) return;
          const chunk = this.#next(reader);
          if (chunk) {
            controller.enqueue(chunk);
            return;
          }
          if (this.#isOver) break;
          await new Promise((resolve) => { this.#waiting.push(resolve); });
        }
        leave();
        if (this.#error) controller.error(this.#error);
        else controller.close();
      },
      cancel: leave,
    }, { highWaterMark: 0 });
  }

  // Joined only with what came right before it, so that the order of everything else stays.
  #join(chunk) {
    const held = this.#entries.at(-1);
    const delta = deltaOf(chunk);
    if (!delta || held?.chunk.type !== chunk.type) return false;
    const [id, text] = delta;
    if (held.chunk[id] !== chunk[id] || held.chunk[text].length + chunk[text].length > JOINED) return false;
    if (chunk.type === 'tool-input-delta' && !this.#isInPart(chunk.toolCallId)) return false;
    const providerMetadata = chunk.providerMetadata ?? held.chunk.providerMetadata;
    held.chunk = { ...held.chunk, ...chunk, [text]: held.chunk[text] + chunk[text], ...(providerMetadata && { providerMetadata }) };
    held.pieces += 1;
    return true;
  }

  // The SDK's reducer has two ways with the input of a call from an earlier step: the first delta makes a part, the others fill it.
  #isInPart(toolCallId) {
    const before = this.#entries.at(-2)?.chunk;
    return before?.toolCallId === toolCallId && (before.type === 'tool-input-start' || before.type === 'tool-input-delta');
  }

  #next(reader) {
    if (reader.pieces > 0 && this.#entries[reader.at].pieces === reader.pieces) {
      if (reader.at === this.#entries.length - 1) return null;
      Object.assign(reader, { at: reader.at + 1, pieces: 0, length: 0 });
    }
    const entry = this.#entries[reader.at];
    if (!entry) return null;
    const { chunk, pieces } = entry;
    const delta = deltaOf(chunk);
    const { length } = reader;
    reader.pieces = pieces;
    // A reader's own: the SDK's reducer keeps chunks as parts, and changes them.
    if (!delta) return structuredClone(chunk);
    reader.length = chunk[delta[1]].length;
    return { ...chunk, [delta[1]]: chunk[delta[1]].slice(length) };
  }

  #tell() {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
