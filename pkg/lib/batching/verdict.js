// What the failure of a send means, by its status, its own word or its name, never by its text.
import { engine, guard } from '../instance.js';

/** On an error: what was missing is there again, and all attempts with it (S-RQ-5). */
export const RENEWED = Symbol('renewed');

const [FINAL, RENEW] = [NaN, -2];

/** NaN: it will not pass. -1: fresh credentials may help. -2: what was missing is there again. Else the ms to wait at the least. */
export const verdictOf = (error) => {
  if (error?.[RENEWED]) return RENEW;
  // S-CB-6
  if (error?.name === 'AbortError' || error?.code === 'aborted') return FINAL;
  const response = error?.response ?? error;
  const status = error?.status ?? response?.status;
  if (typeof status !== 'number' || status === 0) return error?.retryable === false ? FINAL : 0;
  const { judge_status: judge } = engine();
  return guard(() => judge(status, response?.headers?.get?.('retry-after') ?? undefined, Date.now()));
};
