// The run-server's control API: what the next runs are like, what goes wrong, what really happened. Its own port is spoken
// to, not the page's: that one may be offline, because somebody pressed the button, and none of this is to be counted.

const LIMIT_MS = 4000;

// Asked once. Without an answer the page's own port has to do.
const addresses = fetch('/control/addresses', { signal: AbortSignal.timeout(LIMIT_MS) })
  .then((response) => response.json())
  .then(({ control, proxy }) => ({ control, isProxied: proxy === location.origin }), () => ({ control: '', isProxied: false }));

const call = async (method, path, body) => {
  const response = await fetch(`${(await addresses).control}/control/${path}`, {
    method,
    ...(body && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  if (!response.ok) throw new Error(`control/${path}: HTTP ${response.status}`);
  return response.json();
};

/** Makes something happen now, to everybody; or ends all of that. */
export const happen = (body) => call('POST', 'now', body);
/** What happens to each request of a kind, from now on; or to none any more. */
export const script = ({ path, steps }) => call('POST', 'faults', { scope: { path }, steps, loop: true });
export const dropScripts = () => call('DELETE', 'faults');
/** What the TCP proxy does, if this page came through it. */
export const orderProxy = (order) => call('POST', 'proxy', order);
export const isProxied = async () => (await addresses).isProxied;
/** What runs are like from now on. */
export const setRecipe = (recipe) => call('POST', 'runs', recipe);
export const readCounters = () => call('GET', 'counters');
/** The run as a perfect connection would have shown it; `of`: `{ runId }`, or `{ sessionId }` for the newest of a session. */
export const readTruth = (of) => call('GET', `truth?${new URLSearchParams(of)}`);
