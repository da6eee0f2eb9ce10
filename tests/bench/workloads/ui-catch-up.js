// The same as catch-up for an answer in the AI SDK's own protocol.
import { measureFeeding } from '../lib/feeding.js';
import { createUiRun } from '../lib/ui-wire.js';

const CHUNKS = [65536, 200];
const sizes = (quick) => (quick ? [2000, 10_000] : [2000, 10_000, 50_000]);

export const uiCatchUp = {
  name: 'ui-catch-up',
  cases: ({ quick }) => sizes(quick).flatMap((events) => CHUNKS.map((chunk) => ({ events, wire: 'UI message stream', chunk }))),
  measure: ({ events, chunk }, contestants, options) =>
    measureFeeding({ run: createUiRun({ events }), protocol: 'ui-message', chunk }, contestants, options),
};
