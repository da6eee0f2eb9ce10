// Every case, in the order in which they are told.

import closing from './closing.js';
import construction from './construction.js';
import failing from './failing.js';
import listening from './listening.js';
import protocols from './protocols.js';
import receiving from './receiving.js';
import sending from './sending.js';
import shape from './shape.js';
import states from './states.js';

/**
 * @typedef {object} Case
 * @property {string} id subject and name; stays, since lists of differences refer to it
 * @property {string} title the promise
 * @property {string} [spec] where it is made: standard and place
 * @property {boolean} [isSlow] it waits for a limit of the browser's, so it should begin early
 * @property {(t: import('../t.js').T) => void | Promise<void>} run
 */

/** @type {Case[]} */
export const cases = [construction, protocols, shape, states, sending, receiving, closing, failing, listening].flat();

const ids = new Set();
for (const { id } of cases) {
  if (ids.has(id)) throw new Error(`two cases are called ${id}`);
  ids.add(id);
}
