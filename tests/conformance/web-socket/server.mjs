// Serves the page, the cases and the package, and is the other end of every connection that a case opens.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FrameReader, encodeFrame } from './framing.mjs';
import { Peer, answer } from './peer.mjs';

const FOLDERS = { '/conformance/': new URL('.', import.meta.url), '/pkg/': new URL('../../../pkg/', import.meta.url) };
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };

async function serveFile(request, response) {
  const { pathname } = new URL(request.url, 'http://localhost');
  const [prefix, folder] = Object.entries(FOLDERS).find(([start]) => pathname.startsWith(start)) ?? [];
  const type = TYPES[extname(pathname)];
  const body = folder && type && await readFile(fileURLToPath(new URL(pathname.slice(prefix.length), folder))).catch(() => null);
  response.writeHead(body ? 200 : 404, { 'Content-Type': body ? type : 'text/plain', 'Cache-Control': 'no-store' });
  response.end(body || '');
}

/** The channel by which the page hears what the peers see, and says `go`. */
class Control {
  #socket;

  constructor(request, socket, hear) {
    const reader = new FrameReader();
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      for (const { opcode, payload } of reader.push(bytes)) {
        if (opcode === 'text') hear(JSON.parse(payload));
        if (opcode === 'close') socket.end();
      }
    });
    socket.setNoDelay(true);
    socket.write(answer(request));
  }

  end() {
    this.#socket.destroy();
  }

  tell(note) {
    if (this.#socket.writable) this.#socket.write(encodeFrame({ opcode: 'text', payload: Buffer.from(JSON.stringify(note)) }));
  }
}

class Server {
  #http = [];
  #control = null;
  #peers = new Map();
  /** Said before the connection came. */
  #early = new Set();

  async open(lanes) {
    await Promise.all(Array.from({ length: lanes + 1 }, () => {
      const http = createServer(serveFile).on('upgrade', (request, socket) => this.#upgrade(request, socket));
      this.#http.push(http);
      return new Promise((resolve) => { http.listen(0, '127.0.0.1', resolve); });
    }));
    [this.port, ...this.lanes] = this.#http.map((http) => http.address().port);
  }

  async close() {
    for (const end of [...this.#peers.values()].flat()) end.end();
    this.#control?.end();
    await Promise.all(this.#http.map((http) => new Promise((resolve) => {
      http.close(resolve);
      http.closeAllConnections();
    })));
  }

  #upgrade(request, socket) {
    const { pathname, search } = new URL(request.url, 'http://localhost');
    if (pathname === '/control') {
      this.#control = new Control(request, socket, (order) => this.#obey(order));
      return;
    }
    const id = pathname.replace('/peer/', '');
    const connections = this.#peers.get(id) ?? [];
    this.#peers.set(id, connections);
    const n = connections.length;
    this.#control?.tell({ id, n, arrived: { method: request.method, target: request.url, headers: request.headers } });
    const script = search ? JSON.parse(decodeURIComponent(search.slice(1))) : {};
    const peer = new Peer(request, socket, script, (note) => this.#control?.tell({ id, n, ...note }));
    connections.push(peer);
    if (this.#early.delete(id)) peer.signal('go');
  }

  #obey({ go, echo }) {
    if (go && !this.#peers.has(go)) this.#early.add(go);
    for (const peer of this.#peers.get(go) ?? []) peer.signal('go');
    if (echo !== undefined) this.#control.tell({ echo });
  }
}

/** `lanes`: so many ports more, since a browser makes one handshake at a time with each. */
export async function startServer({ lanes }) {
  const server = new Server();
  await server.open(lanes);
  return server;
}
