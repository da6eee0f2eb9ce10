// The browser's own `WebSocket`, told like a stream: its text frames are written out as the frames of an event stream and read
// many at a time, because a call into the engine for each would cost more than reading it.

// Frames that begin alike are more of the same, and wait for the flush; one that does not may be the last.
const ALIKE = 16;

// A frame that is no text is no event either: the engine reports it.
const NO_TEXT = 'data: \u0000\n\n';

const encodeToken = (token) => btoa(String.fromCharCode(...new TextEncoder().encode(token)))
  .replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');

const tokenOf = (headers) => /^bearer +(.+)$/i.exec(headers?.get('authorization') ?? '')?.[1];

/** `ws:` for `http:`, and absolute: not every browser takes another. */
export const toSocketUrl = (url) => {
  const absolute = new URL(url, globalThis.location?.href);
  absolute.protocol = absolute.protocol.replace(/^http/, 'ws');
  return absolute.href;
};

/**
 * `request`: { url, auth: 'frame' | 'subprotocol' }. `headers`: as for openFetch; the bearer token in them is all that a socket
 * can carry. `tell`: { opened(), frame(text, isUrgent), end(how, code) }; at most one end, and none before this returns. Gives
 * { close, send }; nothing is told after `close()`.
 */
export const openSocket = ({ url, auth }, headers, tell) => {
  let socket;
  let isOver = false;
  let start = '';
  const end = (how, code) => {
    if (isOver) return;
    isOver = true;
    tell.end(how, code);
  };
  const connect = (given) => {
    if (isOver) return;
    const token = tokenOf(given);
    const inProtocol = token !== undefined && auth === 'subprotocol';
    socket = new WebSocket(toSocketUrl(url), inProtocol ? ['ws-chat.v1', `bearer.${encodeToken(token)}`] : []);
    socket.onopen = () => {
      if (isOver) return;
      if (token !== undefined && !inProtocol) socket.send(JSON.stringify({ type: 'auth', token }));
      tell.opened();
    };
    socket.onmessage = ({ data }) => {
      if (isOver) return;
      if (typeof data !== 'string') {
        tell.frame(NO_TEXT, false);
        return;
      }
      const begins = data.slice(0, ALIKE);
      tell.frame(`data: ${data.replace(/\r\n|\r|\n/g, '\ndata: ')}\n\n`, begins !== start);
      start = begins;
    };
    socket.onclose = ({ code }) => end('failed', code);
  };
  const fail = () => end('failed');
  const begin = async (given) => connect(given);
  // Asynchronous in any case: what cannot be opened must not fail inside the call that asked for it.
  (headers ? headers().then(begin) : begin()).catch(fail);
  return {
    close() {
      isOver = true;
      socket?.close();
    },
    send(text) {
      socket.send(text);
    },
  };
};
