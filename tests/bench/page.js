// Runs in the browser. What there is to run is put together by bundle.mjs from the folders' contents.

/** `workloads` and `contestants`: all that the folders hold. */
export const start = (workloads, contestants) => {
  const find = (name) => workloads.find((workload) => workload.name === name);
  globalThis.bench = {
    isPreciseClock: globalThis.crossOriginIsolated,
    list: (options) => workloads.map(({ name, cases }) => ({ name, cases: cases(options) })),
    /** `options.contestants`: names; these run alone. */
    measure: (name, params, options) => find(name).measure(
      params, contestants.filter(({ name }) => !options.contestants || options.contestants.includes(name)), options),
  };
};
