export { cold } from './cold.mjs';
export { memory } from './memory.mjs';
export { live } from './live.mjs';
export { rendered } from './rendered.mjs';
