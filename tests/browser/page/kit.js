// What the tests of this folder may use: `kit` in the page.

import * as world from './world.js';
import * as scripted from './client.js';
import * as alarm from '/pkg/lib/browser/alarm.js';
import * as driver from '/pkg/lib/browser/driver.js';
import * as fetchStream from '/pkg/lib/browser/fetch-stream.js';
import * as eventSource from '/pkg/lib/browser/event-source.js';
import * as frame from '/pkg/lib/browser/frame.js';
import * as signals from '/pkg/lib/browser/signals.js';
import * as instance from '/pkg/lib/instance.js';
import * as headers from '/pkg/lib/headers.js';
import * as window from '/pkg/lib/window.js';
import * as steadystream from '/pkg/index.js';

const show = (value) => JSON.stringify(value, (_, held) => (held === undefined ? 'undefined' : held));

/** Throws unless both are the same as JSON. */
const same = (actual, expected, what = '') => {
  const [one, other] = [show(actual), show(expected)];
  if (one !== other) throw new Error(`${what}\n  is     ${one?.slice(0, 2000)}\n  not    ${other?.slice(0, 2000)}`);
};
const ok = (value, what = 'not so') => {
  if (!value) throw new Error(what);
};

/** Runs one test; it must leave nothing behind, and nothing uncaught. */
const play = async (test) => {
  world.reset();
  const before = world.left();
  await test(globalThis.kit);
  await world.settle();
  same([world.takeUncaught(), world.left()], [[], before], 'left behind');
};

globalThis.kit = {
  ...world, ...scripted, ...alarm, ...driver, ...fetchStream, ...eventSource, ...frame, ...signals, ...instance, ...headers,
  ...window, ...steadystream, same, ok, play,
};
