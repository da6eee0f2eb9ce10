// The page's side of the modules beside this file. What takes the page's API many small calls is here, because each of them
// costs an import, a shim and its glue when it is made from Rust. No policy here either.
//
// `tell` is a closure of Rust: `tell(what, value)`. It is gone as soon as its value in Rust is dropped, which calls the `stop`
// given for it: after that nothing is told. What it throws is a trap, and must reach the page's error event.

const [HEAD, CHUNK, ENDED, FAILED] = [0, 1, 2, 3];
const [OPENED, MESSAGE, LAST_MESSAGE, LOST, REFUSED] = [0, 1, 2, 3, 4];

const urlOf = ({ baseUrl, streamEndpoint }, path) => baseUrl + streamEndpoint + path;

/** Makes a request, a POST if it has a body; gives `stop`. Nothing is told before this returns. */
export const openStream = (options, hooks, path, accept, body, cursor, tell) => {
  const abort = new AbortController();
  const { signal } = abort;
  // A stream that is over is aborted as well: that does nothing, and says so to whatever still comes.
  const stop = () => {
    if (signal.aborted) return false;
    hooks.closed(abort);
    abort.abort();
    return true;
  };
  const end = (how) => {
    if (stop()) tell(how);
  };
  const fail = () => end(FAILED);
  const ask = async (given) => {
    const headers = given instanceof Headers ? given : new Headers();
    headers.set('Accept', accept);
    if (cursor !== undefined) {
      try {
        headers.set('Last-Event-ID', cursor);
      } catch {
        // A header takes no character beyond Latin-1. The cursor is in the query, too.
      }
    }
    const init = { headers, credentials: options.credentials, cache: 'no-store', signal };
    if (body !== undefined) {
      headers.set('Content-Type', 'application/json');
      init.method = 'POST';
      init.body = body;
      // A stop outlives the page that asked for it.
      init.keepalive = accept === 'application/json';
    }
    return fetch(urlOf(options, path), init);
  };
  const askHeaders = async () => hooks.headers();
  const read = (reader) => reader.read().then(({ done, value }) => {
    if (done) return end(ENDED);
    if (signal.aborted) return;
    tell(CHUNK, value);
    if (!signal.aborted) read(reader);
  }, fail);
  const start = (given) => {
    if (!signal.aborted) ask(given).then(takeHead, fail);
  };
  const takeHead = (response) => {
    if (signal.aborted) return;
    tell(HEAD, response);
    if (signal.aborted) return;
    if (!response.body) return end(ENDED);
    let reader;
    try {
      reader = response.body.getReader();
    } catch {
      // A page may wrap `fetch` and read the response itself: no reader can be had then.
      return fail();
    }
    read(reader);
  };
  hooks.opened(abort);
  // Without headers of the user's no turn of the event loop is lost.
  if (hooks.headers) askHeaders().then(start, fail);
  else start();
  return stop;
};

export const header = (response, name) => response.headers.get(name);

/** Copies the part of `chunk` at `at` that `space` can hold. */
export const copyPart = (chunk, at, space) => {
  // At the window's start and in one piece: that copy is aligned, and many times faster than one which is not.
  space.set(at === 0 && chunk.length === space.length ? chunk : chunk.subarray(at, at + space.length));
};

/** Connects; gives the source, or nothing where there cannot be one. */
export const openSource = (options, hooks, path, names, terminal, tell) => {
  let source;
  try {
    source = new EventSource(urlOf(options, path), { withCredentials: options.credentials === 'include' });
  } catch {
    return undefined;
  }
  let frames = '';
  let last = { id: '' };
  const all = names.split(' ');
  const listen = ({ type, data, lastEventId }) => {
    // Only a frame of the server has string data: an `error` without it is the transport's own (W-3, B-ES-9).
    if (typeof data === 'string') {
      // The browser repeats the last id on every later message. It was this frame's own if it is new, or if the whole
      // message is the last one again: a duplicate, which its id gives away.
      if (last.id !== lastEventId || (lastEventId !== '' && last.data === data)) frames += `id: ${lastEventId}\n`;
      last = { id: lastEventId, data };
      frames += `event: ${type}\ndata: ${data.replaceAll('\n', '\ndata: ')}\n\n`;
      tell(terminal.split(' ').includes(type) ? LAST_MESSAGE : MESSAGE);
    } else if (type === 'open') {
      tell(OPENED);
    } else {
      const isRefused = source.readyState === 2;
      source.close();
      tell(isRefused ? REFUSED : LOST);
    }
  };
  for (const name of all) source.addEventListener(name, listen);
  hooks.opened(source);
  return {
    /** Writes what was gathered, as the text of an event stream; as much of it as `space` can hold. */
    take(space) {
      const { read, written } = encoder.encodeInto(frames, space);
      frames = frames.slice(read);
      return written;
    },
    stop() {
      for (const name of all) source.removeEventListener(name, listen);
      source.close();
      hooks.closed(source);
    },
  };
};

const encoder = new TextEncoder();
export const take = (source, space) => source.take(space);
export const stopSource = (source) => source.stop();

/** Our own JS catches what users' callbacks throw. */
export const wake = (hooks) => {
  try {
    hooks.wake();
  } catch {
    // Said where it happened.
  }
};
export const call = (stop) => stop();

/** Bits: offline, hidden. Where nothing is said, neither. */
export const weather = () => (globalThis.navigator?.onLine === false ? 1 : 0) | (globalThis.document?.hidden ? 2 : 0);

const SIGNALS = ['online', 'offline', 'visible', 'hidden', 'freeze', 'resume', 'pagehide', 'pageshow'];
const OF_PAGE = ['online', 'offline', 'pagehide', 'pageshow'];
const OF_DOCUMENT = ['visibilitychange', 'freeze', 'resume'];

/** Tells the numbers of signals until `stop`, which it gives, is called. */
export const watchPage = (tell) => {
  const listen = ({ type }) => {
    tell(SIGNALS.indexOf(type === 'visibilitychange' ? (document.hidden ? 'hidden' : 'visible') : type));
  };
  const each = (act) => {
    for (const name of OF_PAGE) globalThis[act]?.(name, listen);
    for (const name of OF_DOCUMENT) globalThis.document?.[act](name, listen);
  };
  each('addEventListener');
  return () => each('removeEventListener');
};

/** Calls `tell` with the next frame, and after `late` ms; after `frameless` where there are no frames. Gives `stop`. */
export const requestFrame = (tell, late, frameless) => {
  const fire = () => tell(0);
  const hasFrames = typeof requestAnimationFrame === 'function';
  const frame = hasFrames ? requestAnimationFrame(fire) : 0;
  const timer = setTimeout(fire, hasFrames ? late : frameless);
  return () => {
    clearTimeout(timer);
    if (hasFrames) cancelAnimationFrame(frame);
  };
};
