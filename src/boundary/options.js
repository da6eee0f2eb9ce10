// The numbers among the options, in the order of `options.rs`: one crossing instead of one for each.
export const numbersOf = (options) => Float64Array.of(
  options.retryBaseMs, options.retryCapMs, options.retryStableMs, options.retryBudgetMs, options.retryMaxAttempts,
  options.stallMs, options.livenessFloorMs, options.connectGraceMs, options.connectTimeoutMs, options.statusTimeoutMs,
  options.stopTimeoutMs, options.maxEventBytes, options.retryJitter, options.eventLog, options.transport === 'eventsource',
);
