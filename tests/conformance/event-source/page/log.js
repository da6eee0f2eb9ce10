// What a source has dispatched, in order.

const STATES = ['connecting', 'open', 'closed'];

export class Log {
  /** Each with the state that the source was in at that moment. */
  entries = [];
  #waiting = new Set();

  /** `names`: beside open, message and error. */
  constructor(source, names = []) {
    for (const type of new Set(['open', 'message', 'error', ...names])) {
      source.addEventListener(type, (event) => this.#note(event, source.readyState));
    }
  }

  #note(event, readyState) {
    const { type, data, lastEventId } = event;
    this.entries.push({ type, data, lastEventId, readyState, event });
    for (const look of this.#waiting) look();
  }

  /** "open", "message a", "error connecting". */
  get lines() {
    return this.entries.map(({ type, data, readyState }) => {
      if (data !== undefined) return `${type} ${data}`;
      return type === 'error' ? `error ${STATES[readyState]}` : type;
    });
  }

  /** Of those events that the server sent. */
  get messages() {
    return this.entries.filter(({ data }) => data !== undefined).map(({ type, data, lastEventId }) => ({ type, data, lastEventId }));
  }

  get data() {
    return this.messages.map(({ data }) => data);
  }

  count(type) {
    return this.entries.filter((entry) => entry.type === type).length;
  }

  /** Resolves with the last of them, within the task of its listener, once there are `times` events of this type. */
  until(type, times = 1) {
    return new Promise((resolve) => {
      const look = () => {
        if (this.count(type) < times) return;
        this.#waiting.delete(look);
        resolve(this.entries.filter((entry) => entry.type === type)[times - 1].event);
      };
      this.#waiting.add(look);
      look();
    });
  }
}
