// What code written for WebSocket relies on: the same cases for the native class and for ours.

import { conform } from './web-socket/runner.mjs';
import { cases } from './web-socket/cases/index.js';
import { differences } from './web-socket/differences.mjs';
import { startServer } from './web-socket/server.mjs';

const ours = { name: 'ManagedWebSocket', module: '/pkg/index.js' };
// So long that no case sees another attempt: what one sees would be chance.
const A_MINUTE = { minReconnectionDelay: 60_000, maxReconnectionDelay: 60_000 };

const classes = {
  WebSocket: { name: 'WebSocket' },
  ManagedWebSocket: { ...ours, options: { retry: false } },
  'ManagedWebSocket, reconnecting': { ...ours, options: A_MINUTE },
};

for (const [name, target] of Object.entries(classes)) {
  conform({
    name,
    target,
    list: '/conformance/cases/index.js',
    cases,
    differences: differences[name],
    page: '/conformance/page.html',
    startServer,
  });
}
