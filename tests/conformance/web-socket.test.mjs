// What code written for WebSocket relies on: the same cases for the native class and for ours.

import { conform } from './web-socket/runner.mjs';
import { cases } from './web-socket/cases/index.js';
import { differences } from './web-socket/differences.mjs';
import { startServer } from './web-socket/server.mjs';

const classes = [
  { name: 'WebSocket' },
  { name: 'ManagedWebSocket', module: '/pkg/index.js', options: { retry: false } },
];

for (const target of classes) {
  conform({
    name: target.name,
    target,
    list: '/conformance/cases/index.js',
    cases,
    differences: differences[target.name],
    page: '/conformance/page.html',
    startServer,
  });
}
