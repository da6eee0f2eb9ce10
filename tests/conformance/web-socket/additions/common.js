// What the cases of our additions share.

/** Waits that a case can wait for. */
export const QUICK = { baseMs: 10, capMs: 40 };

/** A socket with our options, what happens on it, and for each script a URL and its peer. */
export function manage(t, scripts, options = {}, protocols = undefined) {
  const urls = scripts.map((script) => t.url(script));
  let asked = 0;
  // One URL stays one; of several each attempt takes the next, and the last one for ever.
  const url = urls.length === 1 ? urls[0] : () => urls[Math.min(asked++, urls.length - 1)];
  const socket = t.open(url, protocols, { retry: QUICK, ...options });
  return { socket, log: t.record(socket), urls, peers: urls.map((each) => t.peer(each)) };
}

/** The typed errors of an event type, by their codes. */
export const codes = (log, type = 'error') => log.events(type).map(({ error }) => error?.code ?? null);
