export { cold } from './cold.mjs';
export { memory } from './memory.mjs';
