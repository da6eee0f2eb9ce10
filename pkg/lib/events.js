// The names of the run events on the wire (B-ES-1), and how a raw event of a flush becomes what the user gets.

export const TERMINAL_STREAM_EVENT_TYPES = Object.freeze(['done', 'cancelled', 'error', 'failed']);

export const STREAM_EVENT_TYPES = Object.freeze([
  'chunk', 'content', 'thinking', 'tool_start', 'tool_end', 'text_block_end', 'snapshot', 'interrupt', 'citation', 'usage',
  'ping', 'stream_started', ...TERMINAL_STREAM_EVENT_TYPES,
]);

export const isTerminalEvent = (name) => TERMINAL_STREAM_EVENT_TYPES.includes(name);

// B-ES-2: a payload without a type gets the SSE event's name; B-PARSE-4 decides where even that says nothing.
const typeOf = (name, data) => (name && name !== 'message' ? name : 'content' in data ? 'content' : 'error');

const cursors = new WeakMap();

/** The id that the server gave an event, or null. */
export const cursorOf = (event) => cursors.get(event) ?? null;

/** `raw`: `{name, id, data}` or `{malformed: true, name, id}`, as a flush carries them. */
export const toRunEvent = ({ name, id, data, malformed }) => {
  // B-ES-4: one broken frame is one error event, never the end of the stream. The code tells it from the server's own.
  if (malformed) {
    return { type: 'error', error: `The server sent a malformed ${name || 'message'} event.`, code: 'malformed-event' };
  }
  const payload = data ?? {};
  if (!payload.type) payload.type = typeOf(name, payload);
  if (id) cursors.set(payload, id);
  return payload;
};
