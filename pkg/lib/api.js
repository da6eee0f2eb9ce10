// Every public name, once: both entries re-export this list.
export { ActiveRuns } from './active-runs/active-runs.js';
export { createActiveRunsCore } from './active-runs/core.js';
export { ChunkBatcher } from './batching/chunk-batcher.js';
export { Generation } from './batching/generation.js';
export { RunClient } from './client.js';
export { RunEventsConnectError, SteadyStreamError } from './errors.js';
export { isTerminalEvent, STREAM_EVENT_TYPES, TERMINAL_STREAM_EVENT_TYPES } from './events.js';
export { preload } from './instance.js';
export { ManagedEventSource } from './managed/managed-event-source.js';
export { ManagedWebSocket } from './managed/managed-web-socket.js';
export { keepScroll } from './pages/keep-scroll.js';
export { Pages } from './pages/pages.js';
export { createRequestId } from './request-id.js';
export { createRunCore } from './run-core.js';
export { RunStream } from './run-stream.js';
export { readTextBlockOffsets, splitIntoTextBlocks } from './text-blocks.js';
