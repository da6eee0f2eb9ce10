// The immutable picture of a run: the engine's state and the transcript in one frozen object.
import { toError } from './errors.js';
import { EMPTY } from './delta.js';

export const CLOSED = Object.freeze({ state: 'closed', attempt: 0, retryAt: null, transport: null, latency: null, error: null });

const SETTLED = new Set(['completed', 'cancelled', 'failed', 'interrupted']);
export const isSettled = (status) => SETTLED.has(status);

export const initialSnapshot = (sessionId, runId, requestId) => Object.freeze({
  sessionId, runId, requestId, status: 'pending', connection: CLOSED, ...EMPTY,
  cursor: null, error: null, startedAt: null, updatedAt: null,
});

// The same error said twice is the same object, or every state change would look like a new failure to a memoised view.
export const nextError = (raw, old) => {
  const error = toError(raw);
  const isSame = error && old && ['code', 'retryable', 'status', 'closeCode', 'attempts', 'detail'].every((key) => error[key] === old[key]);
  return isSame ? old : error;
};

export const nextConnection = (raw, old, toUnix) => {
  const next = { ...raw, retryAt: toUnix(raw.retryAt), error: nextError(raw.error, old.error) };
  // A deadline converted twice may differ by the rounding of two clocks.
  if (old.retryAt !== null && Math.abs(next.retryAt - old.retryAt) < 5) next.retryAt = old.retryAt;
  return Object.keys(next).every((key) => next[key] === old[key]) ? old : Object.freeze(next);
};

// What a delta says word after word. With its members by name: of a frozen object, a copy by `...` takes six times as long.
const grown = (old, { text, parts, blocks, usage, metadata }, { cursor = old.cursor, updatedAt = old.updatedAt }) => Object.freeze({
  sessionId: old.sessionId, runId: old.runId, requestId: old.requestId, status: old.status, connection: old.connection,
  text, parts, blocks, usage, metadata, cursor, error: old.error, startedAt: old.startedAt, updatedAt,
});

/**
 * The next snapshot, or the same when nothing changed. `state`: the members that the engine says have changed.
 * `toUnix`: engine ms (or null) -> unix ms (or null).
 */
export const nextSnapshot = (old, view, state, toUnix) => {
  const { text, parts, blocks, usage, metadata } = view;
  if (!state && text === old.text && parts === old.parts && usage === old.usage && metadata === old.metadata) return old;
  const isMore = !state || Object.keys(state).every((key) => key === 'cursor' || key === 'updatedAt');
  if (isMore && old.sessionId !== undefined) return grown(old, view, state ?? {});
  // Whose decision an end was is for the outcome, and what has become of a message for the outbox; a snapshot says what is.
  const { by, sent, ...rest } = state ?? {};
  const next = { ...old, ...rest, text, parts, blocks, usage, metadata };
  // The engine need not know what a run was asked by where another tab asked.
  if (next.requestId === null) next.requestId = old.requestId;
  if (rest.connection) next.connection = nextConnection(rest.connection, old.connection, toUnix);
  if ('error' in rest) next.error = nextError(rest.error, old.error);
  return Object.freeze(next);
};
