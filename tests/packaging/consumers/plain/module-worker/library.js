// By its path: a page's import map does not reach its workers.
export { RunClient, createRunCore, splitIntoTextBlocks } from '/node_modules/steadystream/index.js';
