export { RunClient, createRunCore, splitIntoTextBlocks } from 'steadystream/url';
