// A page comes back to a run that is far ahead: all its bytes at once, to the final transcript, with a look at the state
// every 64 KiB.
import { translateToAgUi } from '../lib/ag-ui-wire.js';
import { measureFeeding } from '../lib/feeding.js';
import { WIRES, createRun } from '../lib/wire.js';

const measure = ({ events, wire, chunk }, contestants, options) =>
  measureFeeding({ run: createRun({ events, wire }), protocol: 'bichat', chunk }, contestants, options);

const CHUNKS = [65536, 16384, 200];
const sizes = (quick) => (quick ? [2000, 10_000] : [2000, 10_000, 50_000]);

/** Every run length and chunk size on the usual wire. */
export const catchUp = {
  name: 'catch-up',
  cases: ({ quick }) => sizes(quick).flatMap((events) => CHUNKS.map((chunk) => ({ events, wire: 'canonical', chunk }))),
  measure({ events, wire, chunk }, contestants, options) {
    const run = createRun({ events, wire });
    return measureFeeding({ run, protocol: 'bichat', chunk, translations: { 'ag-ui': translateToAgUi(run) } }, contestants, options);
  },
};

/** Every other wire, without the peers: how they do is told by the usual one. */
export const wires = {
  name: 'wires',
  cases: ({ quick }) => Object.keys(WIRES).filter((wire) => wire !== 'canonical')
    .flatMap((wire) => (quick ? [65536, 200] : CHUNKS).map((chunk) => ({ events: 10_000, wire, chunk }))),
  measure: (params, contestants, options) => measure(params, contestants.filter(({ role }) => role !== 'peer'), options),
};
