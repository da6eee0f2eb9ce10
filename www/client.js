// The library's client, one for each ladder: a run keeps the client it was sent with.
import { RunClient } from '/pkg/index.js';
import { findLadder } from './ladders.js';

const BASES = { bichat: '/bi-chat', 'ws-chat': '', 'ui-message': '/api/chat', envelope: '/api/v1' };
const clients = new Map();
const listeners = new Set();
const tell = () => listeners.forEach((listener) => listener());

/** `id`: of a ladder, see ladders.js. */
export const clientFor = (id) => {
  const ladder = findLadder(id);
  if (!clients.has(ladder)) {
    const client = new RunClient({
      baseUrl: BASES[ladder.protocol],
      protocol: ladder.protocol,
      transports: ladder.transports,
      // A reload has the answer so far in its first frame.
      persist: 'session',
      // Nobody wants to watch a demo wait for half a minute, which is the default.
      retry: { capMs: 4000 },
      // The runs of this demo speak all the time, so silence means something sooner than behind a real server, whose
      // heartbeat (15 s here) is the only sound it makes while a tool works. Leave this option out there.
      liveness: { stallMs: 8000 },
    });
    clients.set(ladder, client);
    client.outbox.subscribe(tell);
  }
  return clients.get(ladder);
};

/** Calls `listener()` whenever something becomes of a message that was sent. */
export const onSends = (listener) => {
  listeners.add(listener);
};

/** What has become of a turn's question: 'pending', 'sent', 'confirmed', 'failed', or null where nobody needs to know any more. */
export const sendOf = ({ via, requestId }) => (
  clientFor(via).outbox.getSnapshot().messages.find((sent) => sent.requestId === requestId)?.status ?? null);
