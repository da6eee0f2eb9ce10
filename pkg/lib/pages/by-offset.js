// Paging by offset, counted from the newest: what an offset means shifts with everything that comes and goes meanwhile. So each page
// is asked for with an overlap of one, and joined where it knows an item; where it knows none, another one is asked for. Each `yield`
// is an ask, and is given its reply, { values (oldest first), hasMore }.
import { SteadyStreamError } from '../errors.js';

// More asks than that for one page, and the list moves faster than it can be read, or the server does not know `offset`.
const MOST_ASKS = 100;
const pageOf = (values, hasMore) => ({ values, before: null, next: hasMore ? true : null });

// In pages that can be given up one by one, the newest first.
const pagesOf = (values, hasMore, limit) => {
  const pages = [];
  for (let end = values.length; end > 0 || pages.length === 0; end -= limit) {
    const start = Math.max(0, end - limit);
    pages.push(pageOf(values.slice(start, end), hasMore || start > 0));
  }
  return pages;
};

function* ask(plan) {
  for (let asks = 0; asks < MOST_ASKS; asks += 1) {
    const offset = plan.offset();
    const { values, hasMore } = yield { offset };
    const isKnown = (value) => plan.stretch.rowOf(value) !== undefined;
    if (plan.take({ offset, values, hasMore, oldest: values.findIndex(isKnown), newest: values.findLastIndex(isKnown) })) return;
  }
  throw new SteadyStreamError('malformed-page', { detail: `nothing new in ${MOST_ASKS} pages` });
}

export function* older(stretch, limit) {
  if (stretch.isLoaded && stretch.next === null) return;
  let at = Math.max(0, stretch.skipped + stretch.size - 1);
  yield* ask({
    stretch,
    offset: () => at,
    take: ({ offset, values, hasMore, oldest }) => {
      const step = Math.max(1, (values.length || limit) - 1);
      if (oldest < 0 && stretch.size > 0) {
        if (offset === 0) {
          stretch.replace([pageOf(values, hasMore)], true);
          return true;
        }
        // What is held has moved towards the newest.
        at = Math.max(0, offset - step);
        return false;
      }
      const fresh = oldest < 0 ? values : values.slice(0, oldest);
      if (fresh.length > 0 || !hasMore) {
        stretch.addOlder(pageOf(fresh, hasMore));
        return true;
      }
      // It has moved away from it.
      at = offset + step;
      return false;
    },
  });
}

/** What was given up at the newer end, or, where nothing was, the newest again. */
export function* newer(stretch, limit) {
  if (!stretch.isLoaded) {
    yield* older(stretch, limit);
    return;
  }
  if (stretch.hasNewer) yield* givenUp(stretch, limit);
  else yield* top(stretch, limit);
}

function* givenUp(stretch, limit) {
  let begun = stretch.skipped;
  let at = Math.max(0, begun - limit + 1);
  let gathered = [];
  let isBeyond = false;       // what is held has moved towards the newest
  yield* ask({
    stretch,
    offset: () => at,
    take: ({ offset, values, hasMore, newest }) => {
      gathered = isBeyond ? values.slice(newest + 1) : [...values.slice(newest + 1), ...gathered];
      if (newest < 0) {
        isBeyond ||= !hasMore;
        if (isBeyond && offset > 0) {
          at = Math.max(0, offset - Math.max(1, (values.length || limit) - 1));
          return false;
        }
        if (hasMore && !isBeyond && !stretch.isTooMuch(gathered.length)) {
          at = offset + Math.max(1, values.length - 1);
          return false;
        }
        stretch.replace(pagesOf(gathered, hasMore, limit), offset === 0);
        stretch.setSkipped(Math.max(0, offset + values.length - stretch.size));
        return true;
      }
      // The place of what is held as the server counts now.
      const held = stretch.list();
      const place = held.length - 1 - held.indexOf(stretch.rowOf(values[newest]));
      const skipped = Math.max(0, offset + values.length - 1 - newest - place);
      stretch.setSkipped(skipped);
      if (gathered.length === 0 && skipped > 0 && skipped !== begun) {
        [at, begun] = [Math.max(0, skipped - limit + 1), skipped];
        return false;
      }
      if (gathered.length > 0) stretch.setSkipped(skipped - stretch.addNewer(pagesOf(gathered, true, limit)));
      return true;
    },
  });
}

function* top(stretch, limit) {
  let at = 0;
  let gathered = [];
  yield* ask({
    stretch,
    offset: () => at,
    take: ({ offset, values, hasMore, oldest }) => {
      gathered = [...values, ...gathered];
      // What is known may have been raised to the top; the last of a page has not.
      if (oldest === 0) stretch.addNewer(pagesOf(gathered, hasMore, limit));
      else if (!hasMore || stretch.isTooMuch(gathered.length)) stretch.replace(pagesOf(gathered, hasMore, limit), true);
      else {
        at = offset + Math.max(1, values.length - 1);
        return false;
      }
      return true;
    },
  });
}

/** The newest page, whatever is held. */
export function* newest(stretch, limit) {
  if (!stretch.hasNewer) {
    yield* newer(stretch, limit);
    return;
  }
  const { values, hasMore } = yield { offset: 0 };
  stretch.replace([pageOf(values, hasMore)], true);
}
