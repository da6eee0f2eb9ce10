// An entry of a run's trace in words: for the eye, and as a line of text for a bug report.
import { transportName } from './ladders.js';

const seconds = (ms) => (ms < 1000 ? `${ms}\u00a0ms` : `${(ms / 1000).toFixed(1)}\u00a0s`);
const cause = ({ code, status }) => [code, status].filter(Boolean).join(' ');

const WORDS = {
  attempt: ({ attempt }) => ['Connecting', attempt > 0 ? `after ${attempt} failed` : ''],
  opened: () => ['Open', ''],
  'first-token': ({ ms }) => ['First text', `after ${seconds(ms)}`],
  lost: (entry) => ['Lost', cause(entry)],
  waiting: ({ ms }) => ['Waiting', seconds(ms)],
  parked: () => ['Parked', 'until the network is back'],
  switched: ({ transport }) => ['Switched', `to ${transportName(transport)}`],
  duplicates: ({ count }) => ['Dropped', `${count.toLocaleString('en')} that came again`],
  gap: () => ['Gap', 'what is missing is asked for'],
  malformed: () => ['Malformed', 'one event skipped'],
  asked: () => ['Asking', 'how the run stands'],
  settled: ({ outcome }) => ['Settled', outcome],
};

/** `[what, detail]`. A kind that a later library adds is shown by its name. */
export const wordsOf = (entry) => WORDS[entry.what]?.(entry) ?? [entry.what, ''];

/** How it looks: 'good', 'bad', 'wait' or 'plain'. */
export const moodOf = ({ what, outcome }) => {
  if (what === 'opened' || what === 'first-token' || outcome === 'completed') return 'good';
  if (what === 'lost' || what === 'gap' || what === 'malformed' || outcome === 'failed') return 'bad';
  return what === 'waiting' || what === 'parked' || what === 'switched' || outcome === 'interrupted' ? 'wait' : 'plain';
};

/** In the library's own terms, since that is what its maintainers know. */
const lineOf = ({ n, at, transport, what, ...rest }) =>
  [new Date(at).toISOString(), transport.padEnd(11), what.padEnd(11),
    ...Object.entries(rest).map(([name, value]) => `${name}=${value}`)].join(' ').trimEnd();

/** `run`: `{ sessionId, runId, via }`. */
export const textOf = (trace, { sessionId, runId, via }) =>
  [`session ${sessionId} run ${runId ?? '–'} over ${via}`, ...trace.map(lineOf), ''].join('\n');
