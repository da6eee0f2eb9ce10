// What ManagedWebSocket does beyond the standard.

import closeCodes from './close-codes.js';
import limits from './limits.js';
import queue from './queue.js';
import reconnecting from './reconnecting.js';
import wrappers from './wrappers.js';

/** @type {import('../cases/index.js').Case[]} */
export const cases = [reconnecting, closeCodes, queue, limits, wrappers].flat();
