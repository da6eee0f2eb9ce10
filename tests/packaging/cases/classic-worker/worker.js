import { settled } from './report.js';
import { use } from './use.js';

self.onmessage = async ({ data }) => postMessage(await settled(use(data)));
