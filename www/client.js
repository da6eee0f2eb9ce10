// The library's client, one for each transport: a run keeps the client it was sent with.
import { RunClient } from '/pkg/index.js';

const clients = new Map();

/** `transport`: 'fetch' or 'eventsource'. */
export const clientFor = (transport) => {
  if (!clients.has(transport)) {
    clients.set(transport, new RunClient({
      baseUrl: '/bi-chat',
      protocol: 'bichat',
      transports: [transport],
      // Nobody wants to watch a demo wait for half a minute, which is the default.
      retry: { capMs: 4000 },
      // The runs of this demo speak all the time, so silence means something sooner than behind a real server, whose
      // heartbeat (15 s here) is the only sound it makes while a tool works. Leave this option out there.
      liveness: { stallMs: 8000 },
    }));
  }
  return clients.get(transport);
};
