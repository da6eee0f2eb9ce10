// The page's line to the fixture server: what each peer sees arrives here, and `go` leaves. It is a native WebSocket,
// whatever class is under test.

const Native = globalThis.WebSocket;

/** What the server saw of one URL. */
export class PeerView {
  /** @type {{ method: string, target: string, headers: Record<string, string>, frames: object[], messages: unknown[], isGone: boolean }[]} */
  connections = [];
  #go;

  constructor(go) {
    this.#go = go;
  }

  go() {
    this.#go();
  }

  get request() {
    return this.connections[0];
  }

  get frames() {
    return this.connections.flatMap(({ frames }) => frames);
  }

  /** What the page has sent: text, or an array of bytes, or of long ones the number of bytes. */
  get messages() {
    return this.connections.flatMap(({ messages }) => messages);
  }

  /** The Close frame, as far as it counts. */
  get close() {
    const found = this.frames.find(({ opcode }) => opcode === 'close');
    return found && { code: found.code, reason: found.reason };
  }

  get isGone() {
    return this.connections.length > 0 && this.connections.every(({ isGone }) => isGone);
  }

  take({ n, arrived, frame, message, gone }) {
    if (arrived) this.connections[n] = { ...arrived, frames: [], messages: [], isGone: false };
    if (frame) this.connections[n].frames.push(frame);
    if (message !== undefined) this.connections[n].messages.push(message);
    if (gone) this.connections[n].isGone = true;
  }
}

export class Channel {
  #socket;
  #peers = new Map();
  #echoes = new Map();

  static async open() {
    const channel = new Channel();
    channel.#socket = new Native('/control');
    channel.#socket.onmessage = ({ data }) => channel.#take(JSON.parse(data));
    await new Promise((resolve, reject) => {
      channel.#socket.onopen = resolve;
      channel.#socket.onerror = () => reject(new Error('the fixture server is not there'));
    });
    return channel;
  }

  peer(id) {
    if (!this.#peers.has(id)) this.#peers.set(id, new PeerView(() => this.#tell({ go: id })));
    return this.#peers.get(id);
  }

  /** Over when the server has answered: all that it had noted before is here then. */
  roundTrip() {
    const echo = crypto.randomUUID();
    return new Promise((resolve) => {
      this.#echoes.set(echo, resolve);
      this.#tell({ echo });
    });
  }

  #tell(order) {
    this.#socket.send(JSON.stringify(order));
  }

  #take({ echo, id, ...note }) {
    if (echo) this.#echoes.get(echo)();
    else this.peer(id).take(note);
  }
}
