// What users write must compile, and mean what it says.
import {
  ManagedEventSource, ManagedWebSocket, RunClient, RunEventsConnectError, RunStream, STREAM_EVENT_TYPES, SteadyStreamError, TERMINAL_STREAM_EVENT_TYPES, createRequestId,
  createRunCore, isTerminalEvent, keepScroll, preload, readTextBlockOffsets, splitIntoTextBlocks,
} from 'steadystream';
import type {
  ChatMessage, ConnectionSnapshot, CustomRunEvent, Decode, ErrorCode, Pages, Part, RunEvent, RunOutcome, RunSnapshot, RunView, RunViewSnapshot, Store, StreamEventType, TerminalStreamEventType, TextBlock,
  TraceEntry, Transport,
} from 'steadystream';
import { RunClient as UrlRunClient, init } from 'steadystream/url';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
const same = <A, B>(_: Equal<A, B>): void => {};

const client = new RunClient({
  baseUrl: new URL('https://a.example/bi-chat'),
  protocol: 'bichat',
  transports: ['fetch'],
  headers: async () => ({ 'X-CSRF-Token': 't' }),
  retry: { baseMs: 500, capMs: 10_000, jitter: 'none', giveUpAfterMs: Infinity },
  liveness: { stallMs: 30_000 },
});
new RunClient({ baseUrl: '', headers: new Headers() });
new RunClient({ baseUrl: '', transports: ['eventsource', 'fetch', 'rest'], liveness: { firstByteMs: 3000 } });
new RunClient({ baseUrl: '', protocol: 'ws-chat', transports: ['websocket', 'rest'], websocketAuth: 'subprotocol' });
new RunClient({ baseUrl: '/v1', protocol: 'chunks', transports: ['fetch'] }).open({ sessionId: 's', runId: 'm', cursor: '0_7/3' });
new RunClient({
  baseUrl: '/api/ask',
  protocol: ({ event, data, id }) => {
    const said: string = event + id;
    if (data === '[DONE]') return { type: 'done' };
    const { delta, tool } = JSON.parse(data);
    if (said === '' || !delta) return null;
    return tool ? [{ type: 'tool_start', tool: { callId: tool } }, { type: 'thinking', content: delta, timestamp: 1 }] : { type: 'content', content: delta };
  },
});
const decode: Decode = ({ data }): CustomRunEvent[] => [{ type: 'usage', usage: { totalTokens: data.length } }, { type: 'error', error: data }];
new RunClient({ baseUrl: '', protocol: { decode }, transports: ['fetch'], retry: { maxAttempts: 3 } });
new RunClient({ baseUrl: '/api/chat', protocol: 'ui-message' }).send('s', { messages: [], trigger: 'regenerate-message' });

const run: RunStream = client.send('s', { content: 'hi', model: 'm' }, { requestId: createRequestId(), signal: new AbortController().signal });
const store: Store<RunSnapshot> = run;
const badge: Store<ConnectionSnapshot> = client.connection;
const leave: () => void = store.subscribe((snapshot) => snapshot.text.length, { notify: 250 });
badge.subscribe(({ state, retryAt }) => {
  same<typeof state, 'connecting' | 'open' | 'reconnecting' | 'offline' | 'closed' | 'failed'>(true);
  same<typeof retryAt, number | null>(true);
});
const trace: Store<readonly TraceEntry[]> = run.trace;
trace.subscribe((entries) => entries.map(({ n, what, transport }) => `${n} ${what} ${transport satisfies Transport}`));
leave();

const render = (part: Part): string => {
  switch (part.type) {
    case 'text': return `${part.seq}: ${part.text}`;
    case 'reasoning': return part.text;
    case 'tool': return `${part.name} ${part.durationMs ?? ''}`;
    case 'citation': return part.citation.url ?? '';
    case 'interrupt': return part.interrupt.questions?.[0]?.text ?? '';
    case 'dynamic-tool': return `${part.toolName} ${part.state} ${part.approval?.id ?? ''}`;
    case 'source-url': return part.title ?? part.url;
    default: return 'toolCallId' in part ? part.toolCallId : 'data' in part ? part.type satisfies `data-${string}` : part.type;
  }
};
run.getSnapshot().parts.map(render);
const block: TextBlock | undefined = run.getSnapshot().blocks[0];

const outcome: RunOutcome = await run.finished;
same<typeof outcome.status, 'completed' | 'cancelled' | 'failed' | 'interrupted'>(true);
same<typeof outcome.by, 'server' | 'user' | 'limit'>(true);

for await (const event of run) {
  const known: RunEvent = event;
  if (event.type === 'content') event.content?.length;
  same<typeof known.timestamp, number | undefined>(true);
}

const adopted: RunStream = client.adopt({ sessionId: 's' }, async (cursor) => (cursor === null ? new ReadableStream<Uint8Array>() : null));
adopted.close();
const view: RunView = client.run({ sessionId: 's' }, { graceMs: Infinity, notify: 'idle' });
same<ReturnType<typeof view.getSnapshot>['status'], 'pending' | 'streaming' | 'waiting' | 'completed' | 'cancelled' | 'failed' | 'interrupted' | 'idle' | 'none'>(true);
const { stop, retry } = view;
stop().then(retry);
const shown: RunViewSnapshot = run.getSnapshot();
const resumed: RunStream | null = await client.resume('s', { runId: 'r' });
resumed?.retry().close();
const opened = client.open({ sessionId: 's' }, { notify: 'sync' });
const { parts, cursor } = opened.getSnapshot();
client.open({ sessionId: 's', runId: 'r', cursor: cursor ?? '0-0', parts });
client.send('s', 'go on', { parts });
const allowed = await client.answerPermission('s', 'p', { optionId: 'allow', userAnswers: { q: 1 } });
if (!allowed.success) console.error(allowed.error.code);
const keeping = new RunClient({ baseUrl: '/', persist: 'indexeddb', shareAcrossTabs: { scope: 'user-1' } });
new RunClient({ baseUrl: '/', shareAcrossTabs: true }).close();
void keeping.forget('s');
await opened.stop();
{
  using scoped = client.open({ sessionId: 's', runId: 'r', cursor: '1-0' });
  scoped.getServerSnapshot();
}

const done: void = await client.subscribeRunEvents('s', 'r', { onChunk: (event, id) => `${event.type} ${id}`, onError: ({ code }) => code });
const answered = await client.submitAnswers('s', 'c', { q: { options: ['a'], customText: 'b' } });
if (answered.success) client.open(answered.data);
else answered.error.message.length;

try {
  done;
} catch (error) {
  if (error instanceof RunEventsConnectError) same<typeof error.code, 'connect-failed'>(true);
  if (error instanceof SteadyStreamError) {
    same<typeof error.code, ErrorCode>(true);
    same<typeof error.status, number | undefined>(true);
    same<typeof error.cause, unknown>(true);
  }
}

const name = 'done' as string;
if (isTerminalEvent(name)) same<typeof name, TerminalStreamEventType>(true);
same<TerminalStreamEventType, 'done' | 'cancelled' | 'error' | 'failed'>(true);
same<(typeof STREAM_EVENT_TYPES)[number], StreamEventType>(true);
same<(typeof TERMINAL_STREAM_EVENT_TYPES)[number], TerminalStreamEventType>(true);

const core = createRunCore({ maxEventBytes: 1024 });
core.push(new Uint8Array(3));
core.push('data: {}\n\n');
core.snapshot().blocks[0]?.text;
core.free();

const blocks: readonly TextBlock[] = splitIntoTextBlocks('text', readTextBlockOffsets({}), { unit: 'bytes' });
await preload();
await init('/engine.wasm');
same<typeof UrlRunClient, typeof RunClient>(true);

// The drop-in classes stand where the native ones stood.
const source: EventSource = new ManagedEventSource(new URL('https://a.example/'), { withCredentials: true });
source.onmessage = ({ data }) => data.length;
source.addEventListener('named', (event) => event.data, { once: true });
const SourceClass: typeof EventSource = ManagedEventSource;
const managed = new ManagedEventSource('/stream', {
  method: 'POST',
  body: () => JSON.stringify({}),
  headers: async () => ({ Authorization: 'Bearer t' }),
  lastEventId: '7',
  connectGraceMs: 500,
  retry: { baseMs: 500, onStatus: false },
  liveness: { stallMs: 45_000 },
  signal: new AbortController().signal,
});
managed.onerror = ({ error }) => {
  same<typeof error.code, ErrorCode>(true);
  same<typeof error.retryAt, number | null>(true);
};
managed.addEventListener('message', ({ data, lastEventId }) => data + lastEventId);
managed.addEventListener('tool', { handleEvent: ({ data }) => data.length });
same<typeof managed.OPEN, 1>(true);

const native: WebSocket = new ManagedWebSocket('wss://a.example/', ['v1']);
native.onclose = ({ code, wasClean }) => `${code} ${wasClean}`;
const SocketClass: typeof WebSocket = ManagedWebSocket;
const socket = new ManagedWebSocket(async () => 'wss://a.example/', () => null, {
  heartbeat: { message: 'ping', intervalMs: 20_000, isPong: (data) => data === 'pong' },
  queue: { maxMessages: 10, overflow: 'drop-oldest', flush: 'after-open' },
  connectTimeoutMs: 4000,
});
socket.onclose = ({ code, willReconnect, retryAt, error }) => {
  same<typeof willReconnect, boolean>(true);
  return `${code} ${retryAt} ${error?.code}`;
};
socket.addEventListener('close', ({ willReconnect }) => willReconnect);
socket.send(new Uint8Array(1));
socket.reconnect(3000, 'anew');
new ManagedWebSocket('', null, { minReconnectionDelay: 1000, maxRetries: 3, maxEnqueuedMessages: 5, startClosed: true, debug: false });
new ManagedWebSocket('', [], { retry: false, WebSocket });

export { SocketClass, SourceClass, block, blocks };

const messages = client.messages('s');
same<typeof messages, Pages<ChatMessage>>(true);
messages.subscribe(({ items, loading, error }) => {
  for (const { key, id, value, run: live } of items) console.log(`${key} ${id ?? ''} ${value?.content ?? ''} ${live?.getSnapshot().text ?? ''}`);
  same<typeof loading, 'older' | 'newer' | 'newest' | null>(true);
  console.log(error?.code satisfies ErrorCode | undefined);
}, { notify: 'sync' });
const isThere: Promise<boolean> = messages.loadOlder();
void isThere;
interface Thread { readonly uid: string; readonly title: string }
const threads: Pages<Thread> = client.sessions<Thread>({
  endpoint: { path: '/threads', style: 'offset', items: (reply) => (reply as { data: Thread[] }).data, hasMore: 'more' }, id: 'uid', limit: 20, maxItems: 200,
});
client.messages('s', { load: async ({ before, limit, signal }) => ({ items: [{ id: `${before}${limit}${signal.aborted}` }], next: null }), style: 'cursor', id: ({ id }) => id });
const kept = keepScroll(document.body, { list: document.body, pages: threads, near: 2 });
kept.close();
