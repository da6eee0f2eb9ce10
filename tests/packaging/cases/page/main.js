import { feed, report } from './report.js';
import { use } from './use.js';

report([use(feed())]);
