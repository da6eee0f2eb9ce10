// The default entry: the wasm travels inline and is instantiated synchronously on first use, so there is nothing to await
// and nothing to configure in a bundler. This import has a side effect (it hands the bytes over), which package.json's
// `sideEffects` declares: without that, production bundlers drop the line below.
import { RawActiveRuns, RawBatcher, RawEventStream, RawHost, RawLink, RawRunCore, cut_points, initSync, judge_status } from './wasm/engine.js';
import { packed } from './wasm/inline.js';
import { provide } from './lib/instance.js';
import { unpackWasm } from './lib/packed-wasm.js';

// By name: the loader that only `steadystream/url` needs stays out of the bundle.
provide({ RawActiveRuns, RawBatcher, RawEventStream, RawHost, RawLink, RawRunCore, cut_points, initSync, judge_status }, () => unpackWasm(packed));

export * from './lib/api.js';
