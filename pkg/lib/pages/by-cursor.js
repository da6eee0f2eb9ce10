// Paging by cursor: a page is what comes before something. What is to be asked next, one ask at a time: each `yield` is an ask, and
// is given its reply, { values (oldest first), next }.
import { SteadyStreamError } from '../errors.js';

// A server that gives the same page for ever must not be asked for ever.
const requireProgress = (next, before) => {
  if (next === before) throw new SteadyStreamError('malformed-page', { detail: 'the cursor of a page is its own' });
};

export function* older(stretch) {
  let before = stretch.isLoaded ? stretch.next : null;
  if (stretch.isLoaded && before === null) return;
  for (;;) {
    const { values, next } = yield { before };
    if (next !== null) requireProgress(next, before);
    if (stretch.addOlder({ values, next, before }) > 0 || next === null) return;
    before = next;
  }
}

/** What was given up at the newer end, or, where nothing was, the newest page again. */
export function* newer(stretch) {
  if (!stretch.isLoaded) {
    yield* older(stretch);
    return;
  }
  const { hasNewer } = stretch;
  const isNewest = !hasNewer || stretch.nearest === null;
  const pages = [];
  let count = 0;
  for (let before = hasNewer ? stretch.nearest : null; ;) {
    const { values, next } = yield { before };
    pages.push({ values, next, before });
    count += values.length;
    const isConnected = values.some((value) => stretch.rowOf(value)) || (hasNewer && next === stretch.before);
    if (isConnected) {
      if (hasNewer) stretch.popNewer();
      stretch.addNewer(pages, true);
      return;
    }
    if (next === null || stretch.isTooMuch(count)) {
      if (hasNewer) stretch.popNewer();
      stretch.replace(pages, isNewest);
      return;
    }
    requireProgress(next, before);
    before = next;
  }
}

/** The newest page, whatever is held. */
export function* newest(stretch) {
  if (!stretch.hasNewer) {
    yield* newer(stretch);
    return;
  }
  const { values, next } = yield { before: null };
  stretch.replace([{ values, next, before: null }], true);
}
