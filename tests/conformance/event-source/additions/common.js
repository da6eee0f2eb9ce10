// What the cases of our additions share.

/** Waits that a case can wait for. */
export const QUICK = { retry: { baseMs: 20, capMs: 60 } };

/** The typed errors, by their codes. */
export const codes = (log) => log.entries.filter(({ type }) => type === 'error').map(({ event }) => event.error.code);

export const errorOf = (log, n = 0) => log.entries.filter(({ type }) => type === 'error')[n].event.error;

const PASSING = 'x-token';
export const tokens = (requests) => requests.map(({ headers }) => headers[PASSING] ?? null);
/** A source of headers that gives another token each time. */
export const newTokens = () => {
  let asked = 0;
  return async () => ({ [PASSING]: String(asked += 1) });
};
