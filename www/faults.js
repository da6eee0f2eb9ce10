// What can be broken, and how the server is told. `lastsMs`: how long it holds, for the bar that runs out under the button.
import { dropScripts, happen, isProxied, orderProxy, script } from './control.js';

export const ONCE = [
  {
    id: 'cut', icon: 'cut', label: 'Cut now', hint: 'Reset all streams',
    start: () => happen({ do: 'cut', how: 'rst' }),
  },
  {
    id: 'close', icon: 'busy', label: 'Close 1013', hint: 'Come back later',
    start: () => happen({ do: 'cut', how: 'fin', code: 1013, reason: 'try again later' }),
  },
  {
    id: '503', icon: 'refuse', label: '503 for 5\u00a0s', hint: 'Cut, then refuse',
    async start() {
      await happen({ do: 'status', code: 503, ms: 5000 });
      // What is open already would go on.
      await happen({ do: 'cut', how: 'rst' });
    },
    lastsMs: 5000,
  },
  {
    id: 'restart', icon: 'restart', label: 'Restart', hint: 'Down for 1.5\u00a0s',
    start: () => happen({ do: 'restart', keepLog: true, ms: 1500 }), lastsMs: 1500,
  },
];

// Where a fault is kept at the server. It can only clear all of a place: what else is on there is put back.
const NOW = () => happen({ do: 'clear' });
const SCRIPTS = dropScripts;
const PROXY = async () => {
  // As a network that is back does with what it has forgotten.
  if (await isProxied()) await orderProxy({ clear: true, cut: { how: 'rst', idleMs: 1000 } });
};
export const PLACES = [NOW, SCRIPTS, PROXY];

// While these hold the page cannot be loaded again, so that nobody may be left without the button that ends them.
const AWAY_MS = 30_000;

// What holds until it is switched off, or for `lastsMs`. `needsProxy`: only where the page came through it.
export const LASTING = [
  {
    id: 'away', icon: 'offline', label: 'Server away', hint: 'For 30\u00a0s at most', place: NOW,
    start: () => happen({ do: 'offline', ms: AWAY_MS }), lastsMs: AWAY_MS,
  },
  {
    id: 'cut-every', icon: 'cuts', label: 'Cut often', hint: 'Every second', place: NOW,
    start: () => happen({ do: 'cutEvery', ms: 1000, how: 'rst' }),
  },
  {
    id: 'stall', icon: 'stall', label: 'Stall', hint: 'Open, but silent', place: NOW,
    start: () => happen({ do: 'stall' }),
  },
  {
    id: 'no-websocket', icon: 'wall', label: 'No sockets', hint: 'Upgrades get 403', place: SCRIPTS,
    async start() {
      await script({ path: 'ws', steps: [{ status: { code: 403 } }] });
      // The sockets that are open already.
      await happen({ do: 'cut', how: 'rst' });
    },
  },
  {
    id: 'buffer', icon: 'buffer', label: 'Buffering', hint: 'Held until the end', place: SCRIPTS,
    start: () => script({ path: ['stream', 'events', 'resume', 'chat-events', 'ui-send', 'ui-stream', 'env-stream'], steps: [{ buffer: {} }] }),
  },
  // The last, so that none moves when it turns out that there is a proxy.
  {
    id: 'blackhole', icon: 'hole', label: 'Blackhole', hint: 'Bytes vanish', place: PROXY, needsProxy: true,
    start: () => orderProxy({ blackhole: {}, ms: AWAY_MS }), lastsMs: AWAY_MS,
  },
];
