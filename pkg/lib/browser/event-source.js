// The browser's own `EventSource`: GET only, its cursor and its HTTP status hidden (W-6, W-10). Its messages are strings
// already: they are written out again as the frames they came from and read like the bytes of a `fetch`, many at a time, because
// a call into the engine for each would cost more than reading it.
//
// The browser's own reconnection is not used: it hides the status, knows no budget and ends at the first HTTP error (B-ES-10).
// On an error the source is closed, and the engine decides.

// A listener per event name is needed: a named frame reaches no other (W-5, B-ES-1).
const NAMES = ['open', 'error', 'message', 'stream', 'chunk', 'content', 'thinking', 'tool_start', 'tool_end', 'text_block_end',
  'snapshot', 'interrupt', 'citation', 'usage', 'ping', 'stream_started', 'done', 'cancelled', 'failed', 'update'];
const TERMINAL = new Set(['done', 'cancelled', 'error', 'failed']);

/**
 * `tell`: { opened(), frame(text, isUrgent), end(how) }; at most one end, and none before this returns. Gives what closes the
 * source; nothing is told after that. Throws where the browser would not even begin.
 */
export const openSource = ({ url, credentials }, tell) => {
  const source = new EventSource(url, { withCredentials: credentials === 'include' });
  let last = { id: '' };
  const close = () => {
    for (const name of NAMES) source.removeEventListener(name, listen);
    source.close();
  };
  const listen = ({ type, data, lastEventId }) => {
    // Only a frame of the server has string data: an `error` without it is the transport's own (W-3, B-ES-9).
    if (typeof data === 'string') {
      // The browser repeats the last id on every later message. It was this frame's own if it is new, or if the whole
      // message is the last one again: a duplicate, which its id gives away.
      const hasId = last.id !== lastEventId || (lastEventId !== '' && last.data === data);
      last = { id: lastEventId, data };
      tell.frame(`${hasId ? `id: ${lastEventId}\n` : ''}event: ${type}\ndata: ${data.replaceAll('\n', '\ndata: ')}\n\n`, TERMINAL.has(type));
    } else if (type === 'open') {
      tell.opened();
    } else {
      const isRefused = source.readyState === 2;
      close();
      tell.end(isRefused ? 'refused' : 'failed');
    }
  };
  for (const name of NAMES) source.addEventListener(name, listen);
  return close;
};
