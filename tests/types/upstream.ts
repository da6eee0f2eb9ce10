// Batches and generations: what users write must compile, and what they must not write must not.
import { ChunkBatcher, Generation, RunClient, SteadyStreamError } from 'steadystream';
import type { BatchAttempt, ChunkBatcherSnapshot, ErrorCode, GenerationOutcome, GenerationSnapshot, Store } from 'steadystream';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
const same = <A, B>(_: Equal<A, B>): void => {};

// ---- use ----

interface Row { readonly id: number; readonly text: string }

const batcher = new ChunkBatcher<Row>({
  send: async (batch, attempt) => {
    same<typeof batch, readonly Row[]>(true);
    same<typeof attempt, BatchAttempt>(true);
    const response = await fetch('/rows', { method: 'POST', body: JSON.stringify(batch), signal: attempt.signal });
    if (!response.ok) throw response;
  },
  lingerMs: 5, maxBatchSize: 50, maxBufferSize: 2000, maxRetries: Infinity, baseDelayMs: 50, abortFlushMs: 0,
  coalesce: (one, other) => (one.id === other.id ? { id: one.id, text: one.text + other.text } : null),
  isControl: ({ text }) => text === '',
  onFatalError: (error) => same<typeof error, SteadyStreamError>(true),
  onDrop: (chunks, { reason, droppedCount }) => {
    same<typeof chunks, readonly Row[]>(true);
    same<typeof reason, 'full' | 'failed' | 'aborted'>(true);
    same<typeof droppedCount, number>(true);
  },
  signal: new AbortController().signal,
});
batcher.push({ id: 1, text: 'a' });
batcher.flush();
const drained: Promise<void> = batcher.drain();
const over: Promise<void> = batcher.abort();
void [drained, over, batcher.isHealthy, batcher.droppedCount, batcher.pending];

const client = new RunClient({ baseUrl: '/v1', protocol: 'chunks', watchdog: { firstEventMs: 30_000 } });
client.send('s', 'why?', { watchdog: { inactivityMs: Infinity } });
client.open({ sessionId: 's' }, { watchdog: {} });
const generation: Generation = client.generation('s', { actorId: 'agent', role: 'assistant', whenBusy: 'wait', watchdog: { firstEventMs: 0 } });
const isTaken: boolean = generation.write({ type: 'TEXT_MESSAGE_CONTENT', delta: 'a', messageId: 't' });
const outcome: GenerationOutcome = await generation.finish();
same<typeof outcome.status, 'completed' | 'aborted' | 'failed'>(true);
const code: ErrorCode | undefined = outcome.error?.code;
void [isTaken, code, generation.abort(), generation.finished];
const stores: [Store<GenerationSnapshot>, Store<ChunkBatcherSnapshot>] = [generation, batcher];
const leave: () => void = generation.subscribe(({ status, pending, inFlight, error }) => {
  same<typeof status, 'open' | 'finishing' | 'completed' | 'aborted' | 'failed'>(true);
  same<typeof error, SteadyStreamError | null>(true);
  void [pending, inFlight];
}, { notify: 'sync' });
void [stores, leave];

// ---- misuse ----

// @ts-expect-error send is required
new ChunkBatcher({ lingerMs: 5 });
// @ts-expect-error a batch is not to be changed
new ChunkBatcher<Row>({ send: async (batch) => { batch.push({ id: 1, text: '' }); } });
// @ts-expect-error another kind of chunk
batcher.push('text');
// @ts-expect-error the unit is in the name
new ChunkBatcher<Row>({ send: async () => {}, linger: 5 });
// @ts-expect-error actorId is required
client.generation('s', {});
// @ts-expect-error a snapshot is not to be changed
generation.getSnapshot().pending = 0;
// @ts-expect-error a chunk has a type
generation.write({ delta: 'a' });
// @ts-expect-error the client makes them
new Generation();
// @ts-expect-error no such role
client.generation('s', { actorId: 'a', role: 'robot' });
// @ts-expect-error no such limit
client.open({ sessionId: 's' }, { watchdog: { first: 1 } });
