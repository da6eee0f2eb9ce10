// What happened on one socket.

export function show(value) {
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (value && Object.getPrototypeOf(value) === Object.prototype) {
    return `{ ${Object.entries(value).map(([key, each]) => `${key}: ${show(each)}`).join(', ')} }`;
  }
  if (value instanceof ArrayBuffer) return `ArrayBuffer ${[...new Uint8Array(value)]}`;
  return String(value);
}

const describe = {
  open: () => 'open',
  error: () => 'error',
  message: ({ data }) => `message ${typeof data === 'string' ? data : data instanceof Blob ? `Blob of ${data.size}` : show(data)}`,
  close: ({ code, reason, wasClean }) => `close ${code}${reason && ` ${reason}`}${wasClean ? '' : ', not clean'}`,
};

export class Log {
  /** In order, with the `readyState` that their listener saw. */
  entries = [];
  #t;

  constructor(socket, t) {
    this.#t = t;
    for (const type of Object.keys(describe)) {
      socket.addEventListener(type, (event) => this.entries.push({ type, event, readyState: socket.readyState }));
    }
  }

  /** Each event in a few words. */
  get story() {
    return this.entries.map(({ type, event }) => describe[type](event));
  }

  events(type) {
    return this.entries.filter((entry) => entry.type === type).map(({ event }) => event);
  }

  get data() {
    return this.events('message').map(({ data }) => data);
  }

  /** Gives the event, once there are so many of its type. */
  async until(type, count = 1) {
    await this.#t.until(() => this.events(type).length >= count, `${count} ${type}`);
    return this.events(type)[count - 1];
  }
}
