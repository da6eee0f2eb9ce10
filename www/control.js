// The run-server's control API: what the next runs are like, what goes wrong, what really happened.

const LIMIT_MS = 4000;

const call = async (method, path, body) => {
  const response = await fetch(`/control/${path}`, {
    method,
    ...(body && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  if (!response.ok) throw new Error(`control/${path}: HTTP ${response.status}`);
  const text = await response.text();
  return text ? JSON.parse(text) : null;
};

/** Makes something happen now, to everybody. */
export const happen = (body) => call('POST', 'now', body);
/** What runs are like from now on. */
export const setRecipe = (recipe) => call('POST', 'runs', recipe);
export const readCounters = () => call('GET', 'counters');
/** The run as a perfect connection would have shown it. */
export const readTruth = (runId) => call('GET', `truth?runId=${encodeURIComponent(runId)}`);
