// Where a dev server moves our modules and not what lies beside them (Vite up to 7), the page names the file.
import wasm from 'steadystream/engine.wasm?url';
import { init } from 'steadystream/url';
import { feed, report } from './report.js';
import { use } from './use.js';

report([init(wasm).then(() => use(feed()))]);
