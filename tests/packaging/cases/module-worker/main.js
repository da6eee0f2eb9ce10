// The page and its worker both use the package: what splits code has something to share.
import { ask, feed, report } from './report.js';
import { use } from './use.js';

report([use(feed()), ask(new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }))]);
