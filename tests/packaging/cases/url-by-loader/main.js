// A tool that copies no files unless it is told to, and then gives their path beside the script.
import wasm from 'steadystream/engine.wasm';
import { init } from 'steadystream/url';
import { feed, report } from './report.js';
import { use } from './use.js';

report([init(new URL(wasm, import.meta.url)).then(() => use(feed()))]);
