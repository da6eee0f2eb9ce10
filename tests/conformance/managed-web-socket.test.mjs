// What ManagedWebSocket does beyond the standard, in Chromium, against a server that really cuts.

import { conform } from './web-socket/runner.mjs';
import { cases } from './web-socket/additions/index.js';
import { cases as weather } from './web-socket/additions/weather.js';
import { startServer } from './web-socket/server.mjs';

const of = { target: { name: 'ManagedWebSocket', module: '/pkg/index.js' }, page: '/conformance/page.html', startServer };

conform({ ...of, name: 'ManagedWebSocket beyond the standard', list: '/conformance/additions/index.js', cases });
conform({ ...of, name: 'ManagedWebSocket in all weather', list: '/conformance/additions/weather.js', cases: weather, lanes: 1 });
