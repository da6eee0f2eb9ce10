// A stream that somebody else has opened, or opens when it is asked to: over IPC, in a test, by a framework.

const encoder = new TextEncoder();

/** What came, as the bytes of an SSE stream: bytes and text are taken as they are, anything else is an event's JSON. */
const toBytes = (chunk) => {
  if (chunk instanceof Uint8Array) return chunk;
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  return encoder.encode(typeof chunk === 'string' ? chunk : `data: ${JSON.stringify(chunk)}\n\n`);
};

/** `next()` and `cancel()` of a ReadableStream or an async iterable. */
const readerOf = (stream) => {
  if (typeof stream.getReader === 'function') {
    const reader = stream.getReader();
    return { next: () => reader.read(), cancel: () => reader.cancel() };
  }
  const iterator = stream[Symbol.asyncIterator]();
  return { next: () => iterator.next(), cancel: () => iterator.return?.() };
};

/** Lets go of a stream that nobody reads. Whose it is may fail to cancel it: it is none of ours any more. */
const cancel = async (reader) => {
  try {
    await reader.cancel();
  } catch {
    // As above.
  }
};

export const cancelSource = (stream) => cancel(readerOf(stream));

export const isSource = (value) => typeof value?.getReader === 'function' || typeof value?.[Symbol.asyncIterator] === 'function';

/**
 * `open(cursor)` gives the stream, or a promise of it, or nothing where there is none any more. `tell`: as of `openFetch`.
 * Gives what cancels it; nothing is told after that.
 */
export const openAdopted = (open, cursor, tell) => {
  let isOver = false;
  let reader = null;
  const end = (how) => {
    if (isOver) return;
    isOver = true;
    tell.end(how);
  };
  const run = async () => {
    const stream = await open(cursor);
    if (isOver) {
      if (stream) cancelSource(stream);
      return;
    }
    tell.head({ status: stream ? 200 : 204, headers: new Headers({ 'content-type': 'text/event-stream' }) });
    if (isOver || !stream) return;
    reader = readerOf(stream);
    for (;;) {
      const { done, value } = await reader.next();
      if (isOver) return;
      if (done) break;
      tell.chunk(toBytes(value));
      if (isOver) return;
    }
    end('ended');
  };
  // Never before this returns: whoever opens it has to hold it first.
  Promise.resolve().then(run).catch(() => end('failed'));
  return () => {
    if (isOver) return;
    isOver = true;
    if (reader) cancel(reader);
  };
};
