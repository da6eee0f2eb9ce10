// Cases that are a stream and what it says.

import { END } from '../page/steps.js';

const event = (given) => {
  const [data, type = 'message', lastEventId = ''] = [given].flat();
  return { type, data, lastEventId };
};

/**
 * A case for a stream that ends after `body`. `says`: for each event its data, or `[data, type, lastEventId]`; `names`: the
 * types to listen for beside "message".
 */
export const saying = (spec) => (id, title, body, says, names = []) => ({
  id,
  title,
  spec,
  async run(t) {
    const source = t.open(t.url([...[body].flat(), END]));
    const log = t.record(source, names);
    // All that the stream says has been said before its end is.
    await log.until('error');
    source.close();
    t.equal(log.messages, says.map(event), 'events');
  },
});
