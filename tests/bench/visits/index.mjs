export { cold } from './cold.mjs';
