// In Node, as a module that imports. `node main.js FEED` prints what came of it.
import { settled } from './report.js';
import { use } from './use.js';

console.log(JSON.stringify([await settled(use(process.argv[2]))]));
