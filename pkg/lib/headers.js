// The user's `headers` option, asked anew for every attempt, so that a refreshed token is used by the next reconnect.

/**
 * A function returning a promise of fresh `Headers`, or undefined when the option was not given. Attempts that are made at the
 * same time share one answer: a token that has to be refreshed is refreshed once for all runs.
 */
export const headerSource = (option) => {
  if (option === undefined) return undefined;
  const ask = async () => {
    // One turn later: the engine asks from inside a call, and user code must never run there.
    await null;
    return typeof option === 'function' ? option() : option;
  };
  let asked;
  return async () => {
    asked ??= ask().finally(() => { asked = undefined; });
    return new Headers(await asked);
  };
};
