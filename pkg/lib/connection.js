// The badge: one connection state for all of a client's runs, the most worrying one first.
import { CLOSED } from './snapshot.js';

const SEVERITY = ['closed', 'open', 'connecting', 'reconnecting', 'offline', 'failed'];
// Of two alike, the one that still has something to explain: the badge is not calm again before all of them are.
const severity = ({ state, error }) => SEVERITY.indexOf(state) + (error ? 0.5 : 0);

const isSame = (a, b) => Object.keys(a).every((key) => a[key] === b[key]);

/** `old`: the present summary. `holders`: all of them. `changed`: those that just changed, settled ones included. */
export const summarize = (old, holders, changed) => {
  let worst = null;
  for (const { isLive, connection } of holders) {
    if (isLive && (worst === null || severity(connection) > severity(worst))) worst = connection;
  }
  if (worst === null) {
    // Nothing is live: a failure stays on show until something works again, anything else is just closed.
    worst = old.state === 'failed' ? old : CLOSED;
    for (const { connection } of changed) if (connection.state === 'failed') worst = connection;
  }
  return isSame(worst, old) ? old : worst;
};
