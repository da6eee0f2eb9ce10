// A protocol that is one function of the page's: `decode` makes our own events of what a server says, and the engine reads those
// like any other stream. Bytes go in and the text of that stream comes out, a network chunk at a time.
import { STREAM_EVENT_TYPES } from './events.js';
import { EventBytes } from './managed/event-bytes.js';

const TYPES = new Set(STREAM_EVENT_TYPES);

/** One event as a frame; what is none of ours as a frame that makes no sense to the engine either. */
const frameOf = (event, name) => {
  if (TYPES.has(event?.type)) {
    try {
      return `data: ${JSON.stringify(event)}\n\n`;
    } catch {
      // As below: JSON cannot hold it.
    }
  }
  return `event: ${name}\ndata: !\n\n`;
};

const listOf = (events) => (Array.isArray(events) ? events : events == null ? [] : [events]);

export class CustomReader {
  #decode;
  #bytes;
  #lastId;
  #isOver = false;

  /** `lastId`: the cursor that the stream was asked for with. */
  constructor(decode, maxEventBytes, lastId) {
    this.#decode = decode;
    this.#bytes = new EventBytes(maxEventBytes);
    this.#lastId = lastId ?? '';
  }

  /** Gives `{ text, isOverflown }`: what these bytes say, and whether an event outgrew the bound, behind which nothing comes. */
  read(bytes) {
    let text = '';
    let isOverflown = false;
    for (const item of this.#bytes.read(bytes)) {
      // What it calls may have closed its own run.
      if (this.#isOver) break;
      if (item.beat) text += ':\n';
      else if (item.retry !== undefined) text += `retry: ${item.retry}\n`;
      else if (item.over) isOverflown = true;
      else text += this.#framesOf(item);
    }
    return { text, isOverflown };
  }

  close() {
    this.#isOver = true;
    try {
      this.#bytes.free();
    } catch {
      // The instance is dead, and this with it.
    }
  }

  // The frames of one wire event stand between two marks with its id, so that all of them count or none: see the engine's
  // `run::stream`. The last of them is the second mark, unless it is a ping, which moves no cursor.
  #framesOf({ type, data, id }) {
    this.#lastId = id ?? this.#lastId;
    const events = data === undefined ? [] : this.#decoded(type, data);
    const frames = events.map((event) => frameOf(event, type));
    if (!id) return frames.join('');
    const mark = `id: ${id}\n`;
    const isMarked = frames.length > 0 && events.at(-1)?.type !== 'ping';
    const last = mark + (isMarked ? frames.pop() : '\n');
    return isMarked && frames.length === 0 ? last : `${mark}\n${frames.join('')}${last}`;
  }

  #decoded(event, data) {
    try {
      return listOf(this.#decode({ event, data, id: this.#lastId }));
    } catch {
      // It may be the way to say that this is no event.
      return [undefined];
    }
  }
}
