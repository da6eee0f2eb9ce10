import { ask, report } from './report.js';

report([ask(new Worker(new URL('./worker.js', import.meta.url)))]);
