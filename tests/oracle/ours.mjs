// Our side: the same frames as bytes through the engine.

import { createRunCore } from '../../pkg/index.js';
import { plain } from './plain.mjs';

const encoder = new TextEncoder();
const frame = (json) => encoder.encode(`data: ${json}\n\n`);
const LAST = frame('[DONE]');

/** As the `ai` package names it. */
export const messageOf = ({ runId, metadata, parts }) => plain({ id: runId ?? '', metadata: metadata ?? undefined, parts });

export const bytesOf = (frames) => Buffer.concat([...frames.map(frame), LAST]);

const withCore = (act) => {
  const core = createRunCore({ protocol: 'ui-message' });
  try {
    return act(core);
  } finally {
    core.free();
  }
};

/** The snapshot after each frame, and the one after the last of all. */
export const playOurs = (frames) => withCore((core) => {
  const snapshots = frames.map((json) => {
    core.push(frame(json));
    return core.snapshot();
  });
  core.push(LAST);
  core.end();
  return { snapshots, last: core.snapshot() };
});

/** The last snapshot of bytes that came in these pieces; somebody looks after each where `isWatched`. */
export const fold = (pieces, isWatched = false) => withCore((core) => {
  for (const piece of pieces) {
    core.push(piece);
    if (isWatched) core.snapshot();
  }
  core.end();
  return core.snapshot();
});
