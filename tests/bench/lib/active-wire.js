// The bytes of a feed of active runs as a server sends them (PROTOCOLS 1.8): the index as it is, then what becomes of some of its
// sessions; and what a client must show after each event.
import { createChance } from './chance.js';

const FIRST_MS = 1_762_000_000_000;
const HEARTBEAT_EVERY = 1000;

const uuid = (kind, number) => `${kind}${number.toString(16).padStart(7, '0')}-7c1d-4a57-9a53-3b1f${(number * 40503 >>> 0).toString(16).padStart(8, '0')}`;

/**
 * `rows` sessions, then `updates` of the first `sessions` of them. `bytes`: all of it; `ends[i]`: where event i ends; `counts[i]`: how
 * many runs are active after it; `after(i)`: which, as `[sessionId, runId, status, updatedAt]`, in no order.
 *
 * Of the updates one in fifty is nothing new: it comes twice or too late, or is the end of the session's run before.
 */
export const createActiveRuns = ({ rows, updates, sessions, seed = 7 }) => {
  const chance = createChance(seed);
  const encoder = new TextEncoder();
  const pieces = [encoder.encode(': stream-open\n\n')];
  const ends = new Uint32Array(rows + updates);
  const counts = new Uint32Array(rows + updates);
  const changes = [];         // of each event: [session, row or null], or nothing where it changes nothing
  let size = pieces[0].length;
  let ms = FIRST_MS;
  let lastRun = 0;
  let active = 0;

  const emit = (event, row, change) => {
    const at = changes.length;
    const heartbeat = at % HEARTBEAT_EVERY === HEARTBEAT_EVERY - 1 ? ': ping\n\n' : '';
    const [sessionId, runId, status, updatedAt] = row;
    const bytes = encoder.encode(`${heartbeat}event: ${event}\ndata: ${JSON.stringify({ sessionId, runId, status, updatedAt })}\n\n`);
    pieces.push(bytes);
    size += bytes.length;
    ends[at] = size;
    counts[at] = active;
    changes.push(change);
  };
  const nextRun = () => uuid('2', ++lastRun);

  const held = Array.from({ length: rows }, (_, session) => {
    ms += chance.between(0, 3);
    active += 1;
    const row = [uuid('1', session), nextRun(), chance.next() < 0.1 ? 'queued' : 'streaming', ms];
    emit('snapshot', row, [session, row]);
    return { row, past: undefined };
  });

  const tell = (session, status) => {
    const it = held[session];
    ms += chance.between(1, 3);
    const [sessionId, runId] = it.row;
    if (status === 'queued') {
      it.past = it.row;
      it.row = [sessionId, nextRun(), status, ms];
      active += 1;
    } else {
      it.row = [sessionId, runId, status, ms];
    }
    const isOver = status !== 'queued' && status !== 'streaming';
    if (isOver) active -= 1;
    emit('update', it.row, [session, isOver ? null : it.row]);
  };
  const repeat = ({ row, past }) => {
    const [sessionId, runId, status, updatedAt] = row;
    const kind = chance.between(0, 2);
    if (kind === 0) emit('update', row);
    else if (kind === 1 || !past) emit('update', [sessionId, runId, status, updatedAt - 1]);
    else emit('update', [sessionId, past[1], 'completed', updatedAt + 1]);
  };

  for (let left = updates; left > 0; left--) {
    const session = chance.between(0, sessions - 1);
    const status = held[session].row[2];
    if (status === 'queued') tell(session, 'streaming');
    else if (status !== 'streaming') tell(session, 'queued');
    else if (chance.next() < 0.02) repeat(held[session]);
    else if (chance.next() < 0.2) tell(session, chance.pick(['completed', 'completed', 'cancelled', 'failed']));
    else tell(session, 'streaming');
  }

  const bytes = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  const after = (count) => {
    const shown = new Map();
    for (const change of changes.slice(0, count)) {
      if (!change) continue;
      const [session, row] = change;
      if (row) shown.set(session, row);
      else shown.delete(session);
    }
    return [...shown.values()];
  };
  return { bytes, ends, counts, after };
};
