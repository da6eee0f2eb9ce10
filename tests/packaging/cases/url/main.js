import { init } from 'steadystream/url';
import { feed, report } from './report.js';
import { use } from './use.js';

report([init().then(() => use(feed()))]);
