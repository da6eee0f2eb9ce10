// All cases: `{ id, title, spec, run(t), connections?, isSlow? }`. Node reads them too, for their names: nothing of the browser
// is touched before run().

/**
 * @typedef {object} Case
 * @property {string} id for the list of differences
 * @property {string} title what holds
 * @property {string} spec the part of the standard that asks for it; "Chromium" where only the browser does
 * @property {(t: import('../page/toolbox.js').Toolbox) => Promise<void>} run
 * @property {number} [connections] that it holds at a time, 1 unless said otherwise
 * @property {boolean} [isSlow] it has to wait for seconds, and so begins first
 */

import { closing } from './closing.js';
import { construction } from './construction.js';
import { cors } from './cors.js';
import { eventProperties } from './event-properties.js';
import { fields } from './fields.js';
import { handlers } from './handlers.js';
import { ids } from './ids.js';
import { lines } from './lines.js';
import { order } from './order.js';
import { reconnection } from './reconnection.js';
import { redirects } from './redirects.js';
import { requests } from './requests.js';
import { responses } from './responses.js';
import { retry } from './retry.js';
import { several } from './several.js';
import { shape } from './shape.js';
import { text } from './text.js';
import { urls } from './urls.js';

/** @type {Case[]} */
export const cases = [
  construction, urls, shape, handlers, eventProperties, lines, fields, ids, text, retry, reconnection, responses, redirects,
  requests, cors, closing, order, several,
].flat();
