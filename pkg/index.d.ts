/// <reference lib="dom" />
/// <reference lib="esnext.disposable" />

// ---------------------------------------------------------------------------------------------------------------- stores

/**
 * When a listener hears of changes. A run that settles is told at once, whatever the policy.
 *
 * - `'frame'` (default): with the next animation frame, at most once a frame. In a hidden tab, by a timer.
 * - `'idle'`: when the browser is idle, at the latest 250 ms later.
 * - a number: at most once in so many milliseconds.
 * - `'sync'`: as soon as the bytes have arrived, before the next frame.
 */
export type NotifyPolicy = 'frame' | 'idle' | 'sync' | number;

/** How one listener wants to be told. */
export interface SubscribeOptions {
  /** Default: the policy the store was made with, `'frame'` unless said otherwise. */
  readonly notify?: NotifyPolicy;
}

/**
 * The one contract of everything that changes. The three functions are bound: pass them on as they are
 * (`useSyncExternalStore(store.subscribe, store.getSnapshot, store.getServerSnapshot)`, `$store` in Svelte).
 */
export interface Store<T> {
  /**
   * Calls `listener` with the present snapshot at once, then once per change. An error thrown by a listener is reported
   * (`reportError`) and does not keep the others from hearing.
   *
   * @returns Unsubscribes; calling it again does nothing.
   * @throws {SteadyStreamError} `invalid-argument` when `listener` is no function or the policy is unknown.
   */
  readonly subscribe: (listener: (snapshot: T) => void, options?: SubscribeOptions) => () => void;
  /** The present snapshot: a frozen object, the same one until something changed. */
  readonly getSnapshot: () => T;
  /** A constant, for server rendering and hydration: the snapshot the store began with. */
  readonly getServerSnapshot: () => T;
}

// ---------------------------------------------------------------------------------------------------------------- errors

/**
 * What failed.
 *
 * | code | meaning |
 * |---|---|
 * | `connect-failed` | no connection, or it failed before anything came |
 * | `disconnected` | a connection was lost before the run's end |
 * | `http-status` | the server refused with `status` |
 * | `unauthorized` | 401, also after the headers were asked for anew |
 * | `content-type` | the answer was not an event stream |
 * | `gave-up` | the retry budget is spent; `retry()` continues |
 * | `stalled` | the connection went silent; `retry()` continues |
 * | `connect-timeout` | no response headers within `connectTimeoutMs` |
 * | `run-not-found` | the server knows no such run, or it has finished |
 * | `run-ended` | the server says the run is over, but its end never reached us: load the stored message |
 * | `server-error` | the run itself failed; `detail` is the server's text |
 * | `malformed-event` | an event that is not valid JSON, or that a custom protocol's `decode` made nothing of |
 * | `event-too-large` | an event larger than `maxEventBytes` |
 * | `truncated` | {@link RunCore.end}, or an adopted stream's end, before a terminal event |
 * | `aborted` | closed or aborted by our own caller |
 * | `invalid-argument` | a wrong option or argument; `path` names it |
 * | `invalid-state` | not possible now |
 * | `engine-crashed` | the WebAssembly instance trapped; only a page reload helps |
 * | `wasm-blocked` | the page's policy forbids WebAssembly; the message has the line to add |
 * | `not-ready` | `steadystream/url` used before `await init()` |
 * | `queue-full` | a `for await` reader is 65,536 events behind; or the queue of a {@link ManagedWebSocket} is full, or a {@link ChunkBatcher} has no room for a chunk that must not be dropped |
 * | `first-event-timeout`, `inactivity-timeout` | a {@link WatchdogOptions} limit ran out; what came stays, and `retry()` continues a run |
 * | `batch-failed` | a {@link ChunkBatcher}'s batch was refused for good, or on every attempt; `status` and `cause` say how |
 * | `generation-mismatch` | somebody else writes in the session; `detail` is their message's id |
 * | `end-not-sent` | a {@link Generation}'s last chunk could not be written |
 * | `outbox-full` | so much waits to be sent already that this message was not taken; `retry()` once there is room |
 * | `send-in-doubt` | the message may have arrived, and the server cannot tell, or names an earlier one's run: look at the history before `retry()` |
 * | `request-failed`, `request-timeout` | a status, stop, reset, delete or RPC request, or a page of history |
 * | `malformed-page` | a page of history that is none: no list of items with ids, or a cursor that does not move |
 */
export type ErrorCode =
  | 'connect-failed' | 'disconnected' | 'http-status' | 'unauthorized' | 'content-type' | 'gave-up' | 'stalled' | 'connect-timeout'
  | 'run-not-found' | 'run-ended' | 'server-error' | 'malformed-event' | 'event-too-large' | 'truncated'
  | 'aborted' | 'invalid-argument' | 'invalid-state' | 'engine-crashed' | 'wasm-blocked' | 'not-ready' | 'queue-full'
  | 'request-failed' | 'request-timeout' | 'malformed-page' | 'socket-refused' | 'held-back' | 'first-event-timeout' | 'inactivity-timeout' | 'batch-failed'
  | 'generation-mismatch' | 'end-not-sent' | 'outbox-full' | 'send-in-doubt';

/** Every error of this library. `message` says what came and what was expected; decide by `code`, never by the message. */
export declare class SteadyStreamError extends Error {
  protected constructor();
  readonly name: string;
  /** What failed. */
  readonly code: ErrorCode;
  /** Whether trying again may help. */
  readonly retryable: boolean;
  /** The HTTP status, when one is known. */
  readonly status?: number;
  /** The close code of a WebSocket, when one was seen. */
  readonly closeCode?: number;
  /** How many attempts were made, when it was more than a single request. */
  readonly attempts?: number;
  /** The server's own name for it, when its protocol has such names: with `chunks`, the `code` of a refused send. */
  readonly serverCode?: string;
  /** The server's own words, when it gave any. For people, not for programs. */
  readonly detail?: string;
  /** With `invalid-argument`: which argument or option, e.g. `retry.baseMs`. */
  readonly path?: string;
  /** The original error, when there was one. */
  readonly cause?: unknown;
}

/** The event stream failed before its first event and within `connectGraceMs` (B-ES-7). */
export declare class RunEventsConnectError extends SteadyStreamError {
  private constructor();
  readonly name: 'RunEventsConnectError';
  readonly code: 'connect-failed';
}

// ------------------------------------------------------------------------------------------------------------- snapshots

/**
 * The state of one connection.
 *
 * - `connecting`: the first attempt · `open`: bytes may flow · `reconnecting`: lost, and the next attempt is under way or due
 * - `offline`: nothing is tried until the network or the page is back
 * - `closed`: not needed any more, or not yet · `failed`: given up, `error` says why
 */
export type ConnectionState = 'connecting' | 'open' | 'reconnecting' | 'offline' | 'closed' | 'failed';

/** A connection, as a badge would show it (W4-1). It is the truth: `open` only while bytes may flow. */
export interface ConnectionSnapshot {
  readonly state: ConnectionState;
  /** Failed or fruitless attempts since the last progress. 0 while all is well. */
  readonly attempt: number;
  /** When the next attempt is due, in unix ms; `null` when none is scheduled. */
  readonly retryAt: number | null;
  /** What carries the bytes, or will with the next attempt; `null` before the first. */
  readonly transport: Transport | null;
  /** How long the server took to answer the last ping of the WebSocket, in ms; `null` where nothing was pinged. */
  readonly latency: number | null;
  /** The cause: why the last connection was lost, until the next one makes progress. */
  readonly error: SteadyStreamError | null;
}

/**
 * One thing that happened to a run's connection.
 *
 * - `attempt`: a connection was asked for, after `attempt` failures · `opened`: it may carry bytes
 * - `first-token`: the run's first text, `ms` after the run began
 * - `lost`: with the error's `code` and, where one was seen, the HTTP `status` or the socket's close code
 * - `waiting`: the next attempt comes in `ms` · `parked`: offline, frozen or left, until that ends
 * - `switched`: to another `transport` · `asked`: the server, how the run stands, or for what it has stored
 * - `duplicates`: `count` events in a row came again and were dropped · `gap`: events are missing, and asked for again
 * - `malformed`: an event made no sense · `settled`: the run has ended, `outcome` says how
 */
export interface TraceEntry {
  /** Counts from 1. An entry that comes again under its number has replaced the earlier one. */
  readonly n: number;
  /** Unix ms. */
  readonly at: number;
  readonly what:
    | 'attempt' | 'opened' | 'first-token' | 'lost' | 'waiting' | 'parked' | 'switched' | 'duplicates' | 'gap' | 'malformed'
    | 'asked' | 'settled';
  /** What was used or tried. */
  readonly transport: Transport;
  readonly attempt?: number;
  readonly ms?: number;
  readonly code?: ErrorCode;
  readonly status?: number;
  readonly count?: number;
  readonly outcome?: RunEnd;
}

/**
 * Where a run is. The last four are ends.
 *
 * - `pending`: asked for, no event yet · `streaming`, also while its connection is on the way back
 * - `waiting`: for the user's answers, see {@link RunClient.submitAnswers}
 * - `completed` · `cancelled`: by us or by the server · `failed`: the server says so, or it refused
 * - `interrupted`: we no longer watch, or could not any longer; `retry()` goes on
 */
export type RunStatus = 'pending' | 'streaming' | 'waiting' | RunEnd;

/** The four ways a run settles. */
export type RunEnd = 'completed' | 'cancelled' | 'failed' | 'interrupted';

/** A piece of the message's text: what was streamed between two tool calls (B-TB). */
export interface TextBlock {
  /** 0, 1, 2 … without holes. */
  readonly seq: number;
  readonly text: string;
}

/** What a provider adds, by its name. */
export type ProviderMetadata = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** A text block while it is part of a run. */
export interface TextPart extends TextBlock {
  readonly type: 'text';
  /** With `ui-message` a part begins empty. */
  readonly state: 'streaming' | 'done';
  /** `ui-message` only, like the next. */
  readonly providerMetadata?: ProviderMetadata;
  readonly citations?: readonly unknown[];
}

/** What the model thought. Not part of the message's text. */
export interface ReasoningPart {
  readonly type: 'reasoning';
  readonly text: string;
  readonly state: 'streaming' | 'done';
  /** When its first words came, in unix ms by the server's clock; only where its events tell the time (`bichat`). */
  readonly startedAt?: number;
  /** When its last words came, the same; once it is `'done'`. The two tell how long was thought. */
  readonly endedAt?: number;
  /** `ui-message` only, like the next. */
  readonly id?: string;
  readonly providerMetadata?: ProviderMetadata;
}

/** A tool call, from its start. */
export interface ToolPart {
  readonly type: 'tool';
  readonly callId: string | null;
  readonly name: string | null;
  readonly agentName: string | null;
  /** JSON text, as the server sent it; with `chunks`, while it streams, its beginning. */
  readonly arguments: string | null;
  readonly result: string | null;
  readonly error: string | null;
  /** In ms, once it has ended. */
  readonly durationMs: number | null;
  readonly state: 'running' | 'done' | 'failed';
}

/** A source. */
export interface CitationPart {
  readonly type: 'citation';
  readonly citation: Citation;
}

/** The run waits for answers: see {@link RunClient.submitAnswers}. */
export interface InterruptPart {
  readonly type: 'interrupt';
  readonly interrupt: Interrupt;
}

/** How far a tool call of a UI message is. */
export type ToolCallState =
  | 'input-streaming' | 'input-available' | 'approval-requested' | 'approval-responded'
  | 'output-available' | 'output-error' | 'output-denied';

/** What was asked and answered about whether a tool may run. */
export interface ToolApproval {
  readonly id: string;
  readonly approved?: boolean;
  /** Why it was answered so. */
  readonly reason?: string;
  /** Why it is asked. */
  readonly requestReason?: string;
  readonly isAutomatic?: true;
  readonly signature?: string;
  readonly descriptor?: unknown;
  readonly inputSchemaInput?: unknown;
}

/** A tool call of a UI message: what the AI SDK's tool parts have in common. */
export interface ToolCallPart {
  readonly toolCallId: string;
  readonly state: ToolCallState;
  /**
   * While it streams: what has come of it, parsed when it is read; `undefined` while that is no JSON, and for good where it could
   * reach a prototype (4.7). What did not change since the last time is the same object, so leave it as it is.
   */
  readonly input?: unknown;
  /** The text of an input that streams, or that was never whole. */
  readonly rawInput?: string;
  /** `text`: the input is no JSON, but its own text. */
  readonly inputEncoding?: 'json' | 'text';
  readonly output?: unknown;
  /** Another output will follow. */
  readonly preliminary?: boolean;
  readonly errorText?: string;
  readonly title?: string;
  readonly providerExecuted?: boolean;
  readonly toolMetadata?: Readonly<Record<string, unknown>>;
  readonly callProviderMetadata?: ProviderMetadata;
  readonly resultProviderMetadata?: ProviderMetadata;
  readonly approval?: ToolApproval;
}

/** A call of a tool that the application knows: `tool-` and its name. */
export interface StaticToolPart extends ToolCallPart {
  readonly type: `tool-${string}`;
}

/** A call of a tool that is only known at run time. */
export interface DynamicToolPart extends ToolCallPart {
  readonly type: 'dynamic-tool';
  readonly toolName: string;
}

/** Where a step of the model begins. */
export interface StepStartPart {
  readonly type: 'step-start';
}

/** A source on the web. */
export interface SourceUrlPart {
  readonly type: 'source-url';
  readonly sourceId: string;
  readonly url: string;
  readonly title?: string;
  readonly providerMetadata?: ProviderMetadata;
}

/** A document as a source. */
export interface SourceDocumentPart {
  readonly type: 'source-document';
  readonly sourceId: string;
  readonly mediaType: string;
  readonly title: string;
  readonly filename?: string;
  readonly providerMetadata?: ProviderMetadata;
}

/** A file that the model has made, for the answer or while it thought. */
export interface FilePart {
  readonly type: 'file' | 'reasoning-file';
  readonly mediaType: string;
  readonly url: string;
  readonly providerMetadata?: ProviderMetadata;
}

/** Something of the provider's own. */
export interface CustomPart {
  readonly type: 'custom';
  readonly kind: string;
  readonly providerMetadata?: ProviderMetadata;
}

/** What the user said in between. */
export interface SteeringMessagePart {
  readonly type: 'steering-message';
  readonly id: string;
  readonly parts: readonly unknown[];
}

/** The application's own data. One with an `id` is replaced when data of that name and id comes again. */
export interface DataPart {
  readonly type: `data-${string}`;
  readonly id?: string;
  readonly data: unknown;
}

/** What `ui-message` has besides text and reasoning: the AI SDK's parts (PROTOCOLS 4.6). */
export type UIMessagePart =
  | StaticToolPart | DynamicToolPart | StepStartPart | SourceUrlPart | SourceDocumentPart | FilePart | CustomPart
  | SteeringMessagePart | DataPart;

/**
 * One part of a run, in the order of the stream. A part that does not change any more is the same object for ever.
 * `ui-message` has the parts of {@link UIMessagePart}, all others have tool, citation and interrupt parts.
 */
export type Part = TextPart | ReasoningPart | ToolPart | CitationPart | InterruptPart | UIMessagePart;

/** A run as it stands: frozen, and with every unchanged piece shared with the snapshot before. */
export interface RunSnapshot {
  readonly sessionId: string;
  /** `null` until the server has named it. */
  readonly runId: string | null;
  /** `null` unless the run was sent from here. */
  readonly requestId: string | null;
  readonly status: RunStatus;
  readonly connection: ConnectionSnapshot;
  /** The text of all blocks. */
  readonly text: string;
  /** The text parts. */
  readonly blocks: readonly TextPart[];
  readonly parts: readonly Part[];
  /** As the server sent it last. */
  readonly usage: Usage | null;
  /**
   * `bichat`: the metadata of the last snapshot event, as the server sent it. `ws-chat`: `message_id`, `sources`, `confidence`
   * and `generation_time_ms` of a completed answer, those that the server gave. `ui-message`: what the server has said of the
   * message, merged member by member (U-R-17). `envelope`: the payload of the envelope that ended the message. `chunks`: the chunk
   * that ended it, where that says more than that it ends. A custom protocol: as `bichat`.
   */
  readonly metadata: Readonly<Record<string, unknown>> | null;
  /** The id of the last event applied, with `chunks` the offset of what is held: where a resume goes on. */
  readonly cursor: string | null;
  readonly error: SteadyStreamError | null;
  /** When its first event was made: unix ms, by the server's clock. */
  readonly startedAt: number | null;
  /** When its last event was made: unix ms, by the server's clock. */
  readonly updatedAt: number | null;
}

/** How a run settled. */
export interface RunOutcome {
  readonly status: RunEnd;
  /** Whose decision it was: the server's, ours (`stop()`, `close()`, an abort signal), or a limit's that ran out. */
  readonly by: 'server' | 'user' | 'limit';
  readonly error: SteadyStreamError | null;
  /** All text that arrived, whatever the end. */
  readonly text: string;
  readonly sessionId: string;
  readonly runId: string | null;
  readonly requestId: string | null;
}

// ---------------------------------------------------------------------------------------------------------------- events

/** The event names of the wire (B-ES-1). */
export type StreamEventType =
  | 'chunk' | 'content' | 'thinking' | 'tool_start' | 'tool_end' | 'text_block_end' | 'snapshot' | 'interrupt' | 'citation'
  | 'usage' | 'ping' | 'stream_started' | TerminalStreamEventType;

/** The four that end a run. */
export type TerminalStreamEventType = 'done' | 'cancelled' | 'error' | 'failed';

/** All sixteen event names. */
export declare const STREAM_EVENT_TYPES: readonly StreamEventType[];

/** The four terminal ones. */
export declare const TERMINAL_STREAM_EVENT_TYPES: readonly TerminalStreamEventType[];

/** Whether an event of this name ends a run. */
export declare function isTerminalEvent(name: string): name is TerminalStreamEventType;

/** A source that the model cites. */
export interface Citation {
  readonly source?: string;
  readonly type?: string;
  readonly title?: string;
  readonly url?: string;
  readonly excerpt?: string;
  readonly start_index?: number;
  readonly end_index?: number;
}

/** What a run has used. */
export interface Usage {
  readonly promptTokens?: number;
  readonly completionTokens?: number;
  readonly totalTokens?: number;
  readonly cachedTokens?: number;
  readonly cost?: number;
}

/** Questions that a run waits on. */
export interface Interrupt {
  readonly checkpointId?: string;
  readonly agentName?: string;
  readonly providerResponseId?: string;
  readonly questions?: readonly {
    readonly id?: string;
    readonly text?: string;
    readonly type?: 'single_choice' | 'multiple_choice';
    readonly options?: readonly { readonly id?: string; readonly label?: string; readonly description?: string }[];
  }[];
}

/**
 * One event as the wire had it, with `type` filled in (B-ES-2). A name that is not known here may come: servers grow.
 * An event that was not valid JSON comes as `{ type: 'error', code: 'malformed-event', error }`, and the stream goes on.
 */
export interface RunEvent {
  readonly type: StreamEventType | (string & {});
  readonly content?: string;
  readonly citation?: Citation;
  readonly usage?: Usage;
  readonly tool?: {
    readonly callId?: string;
    readonly name?: string;
    readonly agentName?: string;
    readonly arguments?: string;
    readonly result?: string;
    readonly error?: string;
    readonly durationMs?: number;
  };
  readonly interrupt?: Interrupt;
  readonly generationMs?: number;
  readonly error?: string;
  /** Ours, on a malformed event only. */
  readonly code?: 'malformed-event';
  /** Unix ms, by the server's clock. */
  readonly timestamp?: number;
  readonly snapshot?: { readonly partialContent?: string; readonly partialMetadata?: Readonly<Record<string, unknown>> };
  readonly runId?: string;
  readonly textBlockSeq?: number;
  readonly [key: string]: unknown;
}

// ---------------------------------------------------------------------------------------------------------------- client

/**
 * What carries the bytes.
 *
 * - `websocket`: one socket for all runs of a client (`ws-chat` only)
 * - `eventsource`: the browser's own, which sends no headers
 * - `fetch`: a streamed response; sends headers and cursors and sees the HTTP status
 * - `rest`: the status is asked every 2000 ms, and the whole answer comes at once
 * - `adopted`: a stream that somebody else opens, see {@link RunClient.adopt}
 */
export type Transport = 'websocket' | 'eventsource' | 'fetch' | 'rest' | 'adopted';

/** Request headers by name. */
export type HeaderValues = Readonly<Record<string, string>> | Headers;

/** One per backend. Times are in ms. Each protocol has options of its own. */
export type RunClientOptions =
  | BichatOptions | WsChatOptions | UIMessageOptions | EnvelopeOptions | ChunksOptions | CustomOptions;

/** A server that speaks `bichat` (PROTOCOLS 1). */
export interface BichatOptions extends CommonClientOptions {
  /** Default `'bichat'`. */
  readonly protocol?: 'bichat';
  /**
   * The ladder that follows a run's events, first choice first. A transport that fails for a reason that will not pass gives
   * way to the next, and the run goes on from its cursor. Default `['fetch']`.
   */
  readonly transports?: readonly Exclude<Transport, 'websocket' | 'adopted'>[];
  /**
   * Whether the server keeps an event log (`GET /stream/events`). Default `true`: what a run ends up with is the log's
   * content. With `false`, a send's own response is all there is, and it may drop events (B-SEND-11).
   */
  readonly eventLog?: boolean;
  /** Default `'/stream'`. */
  readonly streamEndpoint?: `/${string}`;
}

/** A server that speaks `ws-chat` (PROTOCOLS 5, docs/ws-chat.md). */
export interface WsChatOptions extends CommonClientOptions {
  readonly protocol: 'ws-chat';
  /** The ladder, first choice first; a send belongs to one of them (W4-4). Default `['websocket', 'fetch', 'rest']`. */
  readonly transports?: readonly Exclude<Transport, 'adopted'>[];
  /**
   * How the bearer token of `headers` reaches the server over a WebSocket: in the first frame (default) or as a subprotocol.
   * Never in the URL.
   */
  readonly websocketAuth?: 'frame' | 'subprotocol';
}

/**
 * A server that streams the AI SDK's UI messages (PROTOCOLS 4.4), such as a route handler that returns
 * `toUIMessageStreamResponse()`. `baseUrl` is its URL (`/api/chat`). A stream that is lost is taken up again by
 * `GET {baseUrl}/{sessionId}/stream`, which tells the message from its start, or from the cursor where the server gives ids.
 */
export interface UIMessageOptions extends CommonClientOptions {
  readonly protocol: 'ui-message';
  /** Default `['fetch']`; there is no other yet. */
  readonly transports?: readonly 'fetch'[];
}

/**
 * A server that numbers the envelopes of each chat through (PROTOCOLS 2, docs/envelope.md). A session is a chat, a run one of its
 * messages; `baseUrl` ends in the API's prefix (`/api/v1`). A number that is missing is asked for again, on the stream and then in what is
 * stored; where the server has put it away, the run ends as `run-ended`. When the server goes on with a queued message on the same
 * connection, the run completes, and `metadata.assistant_message_id` names the next.
 */
export interface EnvelopeOptions extends CommonClientOptions {
  readonly protocol: 'envelope';
  /** Default `['fetch']`. */
  readonly transports?: readonly ('eventsource' | 'fetch')[];
}

/**
 * A server that keeps a session's messages as rows of one durable stream (PROTOCOLS 3, docs/chunks.md). A run is one message of an
 * assistant; `baseUrl` ends in the API's prefix (`/v1`). A send is an HTTP POST under the message's own id, which is the request id, and
 * its run is the answer that begins behind it. A row that is missing is asked for again, and rows of other messages are passed by.
 */
export interface ChunksOptions extends CommonClientOptions {
  readonly protocol: 'chunks';
  /** Default `['fetch']`; there is no other yet. */
  readonly transports?: readonly 'fetch'[];
}

/** One event of a server's own protocol, as it came. */
export interface WireEvent {
  /** The name of the server-sent event, `'message'` if it has none. */
  readonly event: string;
  readonly data: string;
  /** The last event id, as an `EventSource` has it: its own, or that of an event before it; `''` if there was none. */
  readonly id: string;
}

interface Timed {
  /** When it was made: unix ms, by the server's clock. */
  readonly timestamp?: number;
}

/**
 * What a wire event may mean: the events of `bichat`, with the members that they need. `content` and `thinking` append to the text and the
 * reasoning; a tool between two texts makes them two blocks, `text_block_end` says so without a tool; `snapshot` replaces text and
 * tools; `done`, `cancelled`, `error` and `failed` end the run; `ping` is a sign of life.
 */
export type CustomRunEvent = Timed & (
  | { readonly type: 'content' | 'chunk' | 'thinking'; readonly content: string }
  | { readonly type: 'tool_start' | 'tool_end'; readonly tool: NonNullable<RunEvent['tool']> }
  | { readonly type: 'text_block_end'; readonly textBlockSeq?: number }
  | { readonly type: 'snapshot'; readonly snapshot: NonNullable<RunEvent['snapshot']> }
  | { readonly type: 'interrupt'; readonly interrupt: Interrupt }
  | { readonly type: 'citation'; readonly citation: Citation }
  | { readonly type: 'usage'; readonly usage: Usage }
  | { readonly type: 'ping' }
  | { readonly type: 'stream_started'; readonly runId?: string }
  | { readonly type: 'done' | 'cancelled'; readonly generationMs?: number }
  | { readonly type: 'error' | 'failed'; readonly error?: string; readonly generationMs?: number }
);

/**
 * What a wire event means: an event, several, or nothing. It is called once for each wire event that comes, in order, and for those that come
 * again behind a lost connection, too: it must give the same for the same event, and remember nothing. Where it throws, or gives
 * what is none of the events, that is a `malformed-event` and the stream goes on.
 */
export type Decode = (event: WireEvent) => CustomRunEvent | readonly CustomRunEvent[] | null | undefined;

/**
 * A server of any other protocol over server-sent events. `POST {baseUrl}` with the message, `sessionId` and `requestId` answers with a run's stream;
 * `GET {baseUrl}/{sessionId}/stream` takes it up again, from its start, or after `Last-Event-ID` where events have ids, and is 204
 * when nothing runs; `POST {baseUrl}/{sessionId}/stop` stops it. An id is the cursor of all that `decode` made of its event.
 */
export interface CustomOptions extends CommonClientOptions {
  readonly protocol: Decode | { readonly decode: Decode };
  /** Default `['fetch']`; there is no other. */
  readonly transports?: readonly 'fetch'[];
}

/** How long runs that have ended are kept. */
export interface ReplayOptions {
  /**
   * So many ms after its end, {@link RunClient.open} with its `runId`, or {@link RunClient.send} with its `requestId`, still gives the
   * same stream with all of it, without a request (K-6). Not for an interrupted run. Default 30,000; 0: not at all.
   */
  readonly ttlMs?: number;
  /** How many bytes of text they may take together; the oldest go first. Default 16 MiB; `Infinity`: any. */
  readonly maxBytes?: number;
}

/** What all protocols have in common. */
export interface CommonClientOptions {
  /** Where the protocol's endpoints are, absolute or relative to the page; slashes at its end do not matter. */
  readonly baseUrl: string | URL;
  /**
   * Sent with every request. A function is asked anew on every attempt, so that a refreshed token is used, and once for all
   * attempts that are made at the same time. A 401 asks once more before it is fatal.
   */
  readonly headers?: HeaderValues | (() => HeaderValues | Promise<HeaderValues>);
  /** Cookies: as `fetch`'s option of this name. Default `'include'`. */
  readonly credentials?: 'include' | 'same-origin' | 'omit';
  /** Default `'/rpc'`. */
  readonly rpcEndpoint?: `/${string}`;
  readonly retry?: RetryOptions;
  readonly liveness?: LivenessOptions;
  /** Limits for a model that says nothing, however alive its server is. Default: none. */
  readonly watchdog?: WatchdogOptions;
  readonly replay?: ReplayOptions;
  readonly outbox?: OutboxOptions;
  /**
   * A second `send()` of an equal message to the same session, without a request id of its own, gives the first one's run while the
   * server does not have that, or within so many ms of it. Default 500; 0: every send is meant.
   */
  readonly doubleSendMs?: number;
  /**
   * Told of each run that has settled, once, after its listeners: the moment to load what the server has stored. Not every
   * end is the server's: a run that was left (`close()`, an aborted signal, the last view of a {@link RunClient.run} unmounted) is
   * `interrupted` with `aborted` here, and goes on there. What it throws is reported (`reportError`).
   */
  readonly onSettled?: (run: RunStream) => void;
  /**
   * Keeps the runs that have not ended, transcript and cursor in one record each, so that a reload finds them ({@link RunClient.resume},
   * {@link RunClient.open}). Written when the page goes away, is hidden or frozen, and every 2 s, or as seldom as it takes to stay under
   * 2 % of the page's time; removed when the run ends, ignored after 24 h. Storage that is full, forbidden or broken costs nothing
   * but the cache.
   *
   * Unsent messages are kept as well, one record each, until the server has them or has turned them down. They go out by themselves, in
   * their order and under their request ids, as soon as the next client of this `baseUrl` and `protocol` is made, or `init()` is
   * done; what may have arrived is asked about first. With `'indexeddb'` they are found a moment later than with `'session'`: what is
   * sent in a session meanwhile waits behind them, `pending`, for 2,000 ms at the most; the same message without a `requestId`, or
   * with theirs, becomes the kept one. Of all tabs one sends each, where the browser has Web Locks. One that another tab has and
   * does not bring to an end in that time is waited for no longer: between tabs there is no order. `stop(sessionId)` in that moment is
   * meant for the kept ones, too.
   *
   * - `'session'`: in `sessionStorage`, for this tab
   * - `'indexeddb'`: besides in the database `steadystream`, for other tabs and after a restart of the browser; messages in
   *   `steadystream-sends`, and only there
   * - `false` (default): nowhere
   */
  readonly persist?: 'session' | 'indexeddb' | false;
  /**
   * The tabs of an origin share their streams: for each run one of them holds the connection, the others are fed what it brings, and
   * when it closes, crashes or hangs (for some 9 s) another goes on from its own cursor. Every tab has all of it, and its own
   * `stop()` and `close()`. Tabs share where `baseUrl`, `protocol` and `scope` are the same.
   *
   * What streams by `fetch` or `EventSource` is shared; a WebSocket is each tab's own, and so is the response to a send of its own
   * that is the run (`ui-message`, custom), unless no other tab follows the session; with
   * `chunks` the stream on which its own send is answered, which begins before the run has a name. Where the browser has no Web Locks or no
   * `BroadcastChannel` (a page that is not secure) each tab connects for itself.
   *
   * They also tell each other what they do, so that it is on screen in all (W4-6): {@link RunClient.messages} has what another tab sends, a
   * {@link RunClient.run} without a `runId` follows what begins in another tab, and when a run has ended elsewhere the pages of its
   * session are brought up to date. A tab that comes later is told as well. When one closes or crashes, what it had not sent vanishes from
   * the others; what {@link RunClientOptions.persist} has kept is that of the tab that takes it up. Messages of more than 65,536
   * UTF-16 units of JSON are not told, nor more than the last 100 of a tab; of all tabs together 100 are known.
   *
   * - `true`: with all tabs of the origin. Their users must be the same one: what a tab receives is seen by all
   * - `{ scope }`: with those of the same scope. Give the user's id where tabs may be logged in as different users
   * - `false` (default): with none
   */
  readonly shareAcrossTabs?: boolean | { readonly scope?: string };
  /**
   * How many streams over `fetch` and `EventSource` may be open at once. Over HTTP/1.1 a browser has six connections to a server, for
   * all its tabs, and whatever comes seventh waits, the page's own requests, too: so 4 there, any number otherwise (`http:`, or what the
   * browser's timings say, is HTTP/1.1). The limit is that of all clients of the page, and with {@link CommonClientOptions.shareAcrossTabs}
   * of all tabs.
   *
   * Beyond it runs take turns: after 2 s, 10 s for one that somebody looks at, a stream gives way to one that waits, and goes on later
   * from its cursor. A run that waits is `connecting` or `reconnecting`; its retry budget stands still.
   */
  readonly maxConnections?: number;
  /**
   * A failure within this time and before any event rejects {@link RunClient.subscribeRunEvents} (B-ES-7). Default 500;
   * 0: never.
   */
  readonly connectGraceMs?: number;
  /**
   * How long a send may wait for response headers. Default 0: only the stall limit bounds it (B-SEND-5). What follows a run's
   * events always has 15,000, a WebSocket 5000 while another transport is left to try.
   */
  readonly connectTimeoutMs?: number;
  /** Default 5000. */
  readonly statusTimeoutMs?: number;
  /** Default 5000. */
  readonly stopTimeoutMs?: number;
  /** Default 120,000. */
  readonly rpcTimeoutMs?: number;
  /** The largest event accepted, in bytes. Default 16 MiB. A larger one costs the connection: `event-too-large`. */
  readonly maxEventBytes?: number;
}

/** How much may wait to be sent, in all sessions. What does not fit fails at once, with `outbox-full`; what waits is kept. */
export interface OutboxOptions {
  /** Messages. Default 100; `Infinity`: any number. */
  readonly maxMessages?: number;
  /** Bytes of their requests. Default 4 MiB; `Infinity`: any number. */
  readonly maxBytes?: number;
}

/**
 * A message that the history need not have yet. Frozen; the same object until something of it has changed.
 *
 * - `pending`: the server may not have it. It waits for its turn, for the network, or for an answer
 * - `sent`: the server has it, and its run goes on, or was lost on the way
 * - `confirmed`: its run has ended at the server, well or badly
 * - `failed`: it was turned down, or given up; `error` says why
 */
export interface OutboxMessage {
  /** Names it for ever; a run that failed at the server is sent again under another one. */
  readonly requestId: string;
  readonly sessionId: string;
  /** As it was given to {@link RunClient.send}, at that time. */
  readonly message: string | object;
  readonly status: 'pending' | 'sent' | 'confirmed' | 'failed';
  /** The run, once it is known: with `ws-chat` its `pending_message_id`. */
  readonly runId: string | null;
  /** Of `failed`. */
  readonly error: SteadyStreamError | null;
  /** Failed attempts since something last went well. */
  readonly attempts: number;
  /** Unix ms of the send. */
  readonly createdAt: number;
  /**
   * Sends a `failed` one once more, under its own request id.
   *
   * @throws {SteadyStreamError} `invalid-state` when it has not failed, or another tab sends it.
   */
  readonly retry: () => RunStream;
  /**
   * Takes it away; one that is not yet sent is stopped.
   *
   * @throws {SteadyStreamError} `invalid-state` when another tab sends it.
   */
  readonly discard: () => void;
}

/** What was sent and is not known to be in the history, oldest first; of what the server has, the last 100. */
export interface OutboxSnapshot {
  readonly messages: readonly OutboxMessage[];
  /** How many of them are `pending`. */
  readonly unsent: number;
}

/** When a lost connection is tried again. A server's `Retry-After` and `retry:` are a floor under all of it. */
export interface RetryOptions {
  /** The first delay's ceiling; it doubles with each attempt. Default 1000. */
  readonly baseMs?: number;
  /** The ceiling of all delays. Default 30,000. */
  readonly capMs?: number;
  /**
   * `'full'` (default): anywhere between 0 and the ceiling, and not below half of it after connections that opened and brought
   * nothing. `'none'`: the ceiling.
   */
  readonly jitter?: 'full' | 'none';
  /** A connection that lasted this long starts the delays anew, as progress does. Default 10,000. */
  readonly stableMs?: number;
  /** Give up after so much time, online and with the page in sight, without a new event. Default 120,000; `Infinity`: never. */
  readonly giveUpAfterMs?: number;
  /** Give up after so many connections in a row without a new event. Default `Infinity`. */
  readonly maxAttempts?: number;
}

/** When a silent connection counts as lost. */
export interface LivenessOptions {
  /** The longest silence. Default 45,000; `Infinity`: never. */
  readonly stallMs?: number;
  /** The server's heartbeat is learned, and three missed beats are silence, but never less than this. Default 6000. */
  readonly floorMs?: number;
  /**
   * An open stream without a single byte after this time makes the library ask the server whether there is something to read;
   * if so, something in between holds it back, and the ladder's next transport is tried. With `envelope` it is the first envelope that is
   * waited for, here or on another transport. Default 5000; `Infinity`: never.
   */
  readonly firstByteMs?: number;
}

/**
 * How long whoever makes an answer may be silent (S-WD). Heartbeats do not count, nor does time without a network, nor while the run
 * waits for a person. A run that trips is `interrupted` by a `limit` with what came so far: `first-event-timeout` or `inactivity-timeout`.
 * The run itself may go on at the server.
 */
export interface WatchdogOptions {
  /** Until the first event, in ms. The usual limit is 30,000. 0 or `Infinity`: none. */
  readonly firstEventMs?: number;
  /** From each event to the next, in ms. The usual limit is 45,000. 0 or `Infinity`: none. */
  readonly inactivityMs?: number;
}

/** How to attach to a run. */
export interface OpenOptions {
  /** Limits of this run in the place of the client's. Ignored when the run's stream exists already. */
  readonly watchdog?: WatchdogOptions;
  /** Aborting is `close()`: we stop watching, the run goes on. An already aborted signal opens nothing. */
  readonly signal?: AbortSignal;
  /** The policy of this run's listeners. Default `'frame'`. Ignored when the run's stream exists already. */
  readonly notify?: NotifyPolicy;
}

/** How to send. */
export interface SendOptions extends OpenOptions {
  /** Makes the send idempotent: a UUID v4, used as it is. Default: a new one per call (B-SEND-1, B-SEND-2). */
  readonly requestId?: string;
  /**
   * The parts of the message that the answer goes on with (U-R-1), as a snapshot or the AI SDK has them: after a tool's output or an
   * approval was added, say. The answer's own come behind them.
   */
  readonly parts?: readonly object[];
}

/** How to resume. */
export interface ResumeOptions extends OpenOptions {
  /** The run that this page had started. While another one is active, resume waits for its end and gives `null` (B-RES-5). */
  readonly runId?: string;
}

/** Which run. */
export interface RunKey {
  readonly sessionId: string;
  /** Left out: whatever is running in the session. */
  readonly runId?: string;
  /** The id of the last event already held; the stream begins after it. Left out: from the start. */
  readonly cursor?: string;
  /**
   * What the app has kept of the answer: `snapshot.parts`, best with the `snapshot.cursor` of the same moment, after which the stream
   * goes on (A-FL-4, A-REC-4). Without a cursor they are on screen until the stream has told all of it again. What is no part
   * is left out. Of a run that is open here already nothing is taken over.
   */
  readonly parts?: readonly object[];
}

/** How a {@link RunView} lives. */
export interface RunViewOptions {
  /**
   * How long the run stays open when its last listener has left, in ms; `Infinity`: until it ends. Default 1000: StrictMode's second mount
   * and a click on the wrong chat cost no connection.
   */
  readonly graceMs?: number;
  /** The policy of its listeners. Default `'frame'`. */
  readonly notify?: NotifyPolicy;
}

/**
 * What a {@link RunView} shows: a run's snapshot, or a status of its own.
 *
 * - `'idle'`: whether anything runs in the session is not known yet, or, with an `error`, could not be found out
 * - `'none'`: nothing runs there
 */
export interface RunViewSnapshot extends Omit<RunSnapshot, 'status'> {
  readonly status: RunStatus | 'idle' | 'none';
}

/**
 * A run by its name, for components: see {@link RunClient.run}. A store whose functions, all of them, are bound.
 */
export interface RunView extends Store<RunViewSnapshot> {
  /** Cancels the run on the server; nothing where none is live. @throws {SteadyStreamError} as {@link RunClient.stop}. */
  readonly stop: () => Promise<void>;
  /**
   * As {@link RunStream.retry}; all that show the run go on with it. After an `error` of an idle view, asks again what runs.
   *
   * @throws {SteadyStreamError} `invalid-state` when there is nothing to try again.
   */
  readonly retry: () => void;
}

/** What names a run for a component: see {@link RunClient.run}. */
export type RunName = Pick<RunKey, 'sessionId' | 'runId'>;

/** The low level: wire events of one run. */
export interface SubscribeRunEventsOptions {
  /** Events after this id only. */
  readonly lastEventId?: string;
  /** Every event in order, pings included; `id` is its SSE id. What it throws is reported and changes nothing (B-ES-5). */
  readonly onChunk: (event: RunEvent, id: string | null) => void;
  /** Once per lost connection. Not fatal by itself (B-ES-8). */
  readonly onError?: (error: SteadyStreamError) => void;
  /** Aborting resolves; nothing is forwarded after it (B-ES-6). */
  readonly signal?: AbortSignal;
}

/** Answers by question id. Own words win over the options that were ticked (B-Q-1). */
export type QuestionAnswers = Readonly<Record<string, { readonly options?: readonly string[]; readonly customText?: string }>>;

/** The run that an answer has started. */
export interface QuestionReceipt {
  readonly accepted: true;
  readonly operation: 'question_submit' | 'question_reject' | 'session_compact';
  readonly sessionId: string;
  readonly runId: string;
  readonly startedAt?: number;
}

/** For one request. */
export interface RequestOptions {
  /** Aborting gives up waiting: error `aborted`. What was sent may have arrived. */
  readonly signal?: AbortSignal;
}

/** What a person says to a request for permission (2.1). */
export interface PermissionAnswer {
  /** Of one of the options that were offered. */
  readonly optionId: string;
  /** What to do instead, in the person's words. */
  readonly alternativeInstruction?: string;
  /** Answers to questions that came with it, by their ids; at most 50,000 characters as JSON. */
  readonly userAnswers?: Readonly<Record<string, unknown>>;
}

/** What has become of it. The call that gives it never throws. */
export type PermissionResult = { readonly success: true } | { readonly success: false; readonly error: SteadyStreamError };

/** What became of an answer. The calls that give it never throw. */
export type QuestionResult =
  | { readonly success: true; readonly data: QuestionReceipt }
  | { readonly success: false; readonly error: SteadyStreamError };

/**
 * A stream of a run's events: bytes or text of an SSE stream, cut anywhere, or one event's data an object. A custom protocol's `decode`
 * gets an object as its JSON text; events with a name or an id come as text.
 */
export type RunSource = ReadableStream<unknown> | AsyncIterable<unknown>;

/** Opens such a stream after `cursor`; `null`: there is none, the run is over. Rejects when it cannot be had now. */
export type RunSourceOpener = (cursor: string | null) => RunSource | null | Promise<RunSource | null>;

/**
 * The runs of one backend. Making one touches nothing, also on a server, but what `persist` names; the engine starts with the first
 * call, or with a message that was kept.
 * A page that goes away cancels nothing.
 */
export declare class RunClient {
  /** @throws {SteadyStreamError} `invalid-argument`, with the option's path. */
  constructor(options: RunClientOptions);

  /**
   * All runs in one badge: the most worrying connection, of two alike the one with an `error`. `closed` when nothing is live. The feed
   * of active runs counts while somebody subscribes to it.
   */
  readonly connection: Store<ConnectionSnapshot>;

  /**
   * What was sent and need not be in the history yet: optimistic messages, and the queue while offline (W4-6). This client's alone: what
   * other tabs send is in {@link RunClient.messages | messages()} only.
   */
  readonly outbox: Store<OutboxSnapshot>;

  /**
   * Sends a message and streams its run. With the same `requestId` while that run lives, and for `replay.ttlMs` after its end: the same
   * stream, sent once. An equal message without a `requestId`, at once or while the first is unsent, is a double click: the same
   * stream, too ({@link RunClientOptions.doubleSendMs}).
   *
   * The messages of a session go out one after the other: each when the server has the one before, or that has failed for good; until
   * then, and while the page is offline, it is `pending` and costs no budget. `stop()` ends what is unsent at once. Beyond
   * {@link RunClientOptions.outbox} the run fails with `outbox-full`.
   *
   * @param message A string is `{ content }`, with `ui-message` one user message, with `envelope` `{ prompt }`; an object's fields go into the request body as
   *   they are.
   * @throws {SteadyStreamError} `invalid-argument`, `invalid-state` (client closed), `engine-crashed`, `wasm-blocked`.
   */
  send(sessionId: string, message: string | object, options?: SendOptions): RunStream;

  /**
   * Attaches to a run. A live run that is open already gives the same stream, and so does one that has ended less than
   * `replay.ttlMs` ago, where `runId` names it; after `close()` it is a new one.
   *
   * @throws {SteadyStreamError} as {@link RunClient.send}.
   */
  open(run: RunKey, options?: OpenOptions): RunStream;

  /**
   * A run by its name, for a component that shows it and does not own it; the same name gives the same store. Nothing is opened before
   * somebody listens. Then, with a `runId`: that run. Without: what this client has begun in the session last, else what the server says
   * runs there, else nothing, `'none'`; and what this client begins there later. While what it shows has ended, or is nothing, it follows
   * also what begins in another tab ({@link CommonClientOptions.shareAcrossTabs}), over the connection that the tabs share, and what
   * an {@link RunClient.activeRuns | activeRuns()} that somebody subscribes to has there, each once and if the server's status says so, too.
   *
   * When the last listener has left, and nobody is back after `graceMs`, a run that was opened for this is closed; it goes on at the
   * server, and whoever comes back later is shown what was there, and goes on after its cursor. A run that the page has itself sent,
   * opened or resumed is the page's: it stays open to its end. Errors are in the snapshot, never thrown into a component.
   *
   * @param options Of the first who asks for this name.
   * @throws {SteadyStreamError} `invalid-argument`.
   */
  run(run: RunName, options?: RunViewOptions): RunView;

  /**
   * Follows a run in a stream that somebody else opens: over IPC, in a test, by a framework. A stream that ends before the run does is
   * lost: a function is called again, after a wait, with the cursor of what is held, or `null` where events have no ids; it may give
   * all from the start, of which what was heard is told to nobody twice. A mere stream cannot be had again: `truncated`.
   * `stop()` cancels the stream and asks no server. A live run that is open already gives the same stream, and `source` is cancelled.
   *
   * @throws {SteadyStreamError} as {@link RunClient.send}.
   */
  adopt(run: RunKey, source: RunSource | RunSourceOpener, options?: OpenOptions): RunStream;

  /**
   * After a reload: attaches to what is running in the session, or gives `null`. A status request that fails on the
   * server's side, or is late, counts as nothing running (B-STAT-1). Aborted: `null`. With `ui-message` and a custom protocol the
   * stream itself tells: what is not 204 runs.
   *
   * With {@link RunClientOptions.persist} the page that was here before has kept its run: that is given at once, its text in
   * the first frame, and goes on after its cursor without a status request. Where it has ended meanwhile and its log is gone, it
   * ends as `interrupted` with `run-ended`.
   *
   * @throws {SteadyStreamError} `request-failed` when the server could not be reached.
   */
  resume(sessionId: string, options?: ResumeOptions): Promise<RunStream | null>;

  /**
   * What is held now: how many runs, live or within `replay.ttlMs` of their end, and how many bytes of memory their transcripts take
   * in the engine, or their text in the page.
   */
  readonly held: { readonly runs: number; readonly bytes: number };

  /**
   * Removes what `persist` has kept of a session, or of all, unsent messages too: when a user logs out, say. Live runs are kept again.
   */
  forget(sessionId?: string): Promise<void>;

  /**
   * Asks the server to stop what runs in the session; runs open here end as `cancelled` by `user` and never reconnect.
   * Resolves when the server has answered, or `stopTimeoutMs` is over; a refusal is only warned about (B-STOP-1).
   *
   * @throws {SteadyStreamError} `request-failed` when the server could not be reached, `invalid-state` (client closed).
   */
  stop(sessionId: string): Promise<void>;

  /**
   * Empties a session (`chunks` only). Waits for the message that is on its way there; once it has succeeded, the session's runs here
   * end as `cancelled` by `user`, unsent messages too, and nothing is held of them. If it fails, nothing has changed.
   *
   * @throws {SteadyStreamError} `invalid-argument` (another protocol), `http-status`, `unauthorized`, `request-failed`,
   * `request-timeout` (after `stopTimeoutMs`), `invalid-state` (client closed).
   */
  reset(sessionId: string, options?: { readonly clearPresence?: boolean }): Promise<void>;

  /** Takes a session away (`chunks` only). Otherwise as {@link reset}, errors included. */
  delete(sessionId: string): Promise<void>;

  /**
   * The wire events of one run, on a connection of its own (B-ES-1 … B-ES-14). Reconnects, goes on after the last id, and
   * delivers nothing twice. Resolves with the run's end (also its own failure) and on abort.
   *
   * @throws {RunEventsConnectError} when it fails before any event within `connectGraceMs`.
   * @throws {SteadyStreamError} when the server refuses later, or the retry budget is spent.
   */
  subscribeRunEvents(sessionId: string, runId: string, options: SubscribeRunEventsOptions): Promise<void>;

  /**
   * What runs in which session, for a sidebar. Opens nothing by itself: it connects with its first subscriber. The same options give
   * the same object, which has one connection however many subscribe; other times are another feed, on a connection of its own. While
   * somebody subscribes, a {@link RunClient.run} that is shown follows what runs there, and pages are brought up to date when it has ended.
   *
   * @throws {SteadyStreamError} `invalid-argument`.
   */
  activeRuns(options?: ActiveRunsOptions): ActiveRuns;

  /**
   * A session's messages, oldest first, from the newest page backwards (W4-7). What this client runs in the session is among them: an
   * answer on its way and the stored message that it becomes are one item with one `key`, joined by their exact ids (W4-6).
   *
   * The same session gives the same `Pages` until it is closed, with the options of its first call; of those that nobody subscribes
   * to the last 20 are kept.
   *
   * @throws {SteadyStreamError} `invalid-argument`, with the option's path: also where the protocol has no history of its own
   *   (every one but `ws-chat`) and neither `endpoint` nor `load` is given. `invalid-state` once the client is closed.
   */
  messages<T extends object = ChatMessage>(sessionId: string, options?: PagesOptions<T>): Pages<T>;
  /**
   * The sessions, newest first. A session that this client sends in, or a tab that shares with it, moves, or comes, to the top without a
   * request. As
   * {@link RunClient.messages | messages()} otherwise.
   *
   * @throws {SteadyStreamError} As `messages()`.
   */
  sessions<T extends object = ChatSession>(options?: PagesOptions<T>): Pages<T>;

  /**
   * The rows of the feed of active runs as they come, on a connection of its own for each call (B-AR-1). Reconnects, and each new
   * connection tells the whole index again. Malformed rows are passed over. Resolves on abort and with `close()`.
   *
   * @throws {SteadyStreamError} `connect-failed` when it fails before any row within `connectGraceMs`, with the status or the server's
   *   own words where there are any; later when the server refuses for good, or the retry budget is spent; `invalid-argument` with a
   *   protocol other than `bichat`.
   */
  subscribeActiveRuns(options: SubscribeActiveRunsOptions): Promise<void>;

  /**
   * Begins a message that this page writes, chunk by chunk, with `protocol: 'chunks'`. An older one of this client in the session is
   * aborted, and this one's first batch waits for its end (S-RUN-1, S-RUN-3). A session that the server does not know is made
   * (S-RQ-3).
   *
   * @throws {SteadyStreamError} `invalid-argument`, also with another protocol; `invalid-state` (client closed), `engine-crashed`,
   *   `wasm-blocked`.
   */
  generation(sessionId: string, options: GenerationOptions): Generation;

  /** Answers the questions of an interrupted run (B-Q-1). The receipt names the run that goes on: `open()` it. */
  submitAnswers(
    sessionId: string, checkpointId: string, answers: QuestionAnswers, options?: RequestOptions,
  ): Promise<QuestionResult>;

  /** Declines the questions of a session's interrupted run. */
  rejectQuestion(sessionId: string, options?: RequestOptions): Promise<QuestionResult>;

  /**
   * Answers a request for permission of an `envelope` run, whose `interrupt` part has its `request_id` and options. The run goes on
   * by itself. Never throws; a request that has its answer, or is over, is `http-status` 404.
   */
  answerPermission(
    sessionId: string, permissionId: string, answer: PermissionAnswer, options?: RequestOptions,
  ): Promise<PermissionResult>;

  /** Closes every run (they go on at the server), aborts every generation, and frees the engine's memory. Nothing can be opened afterwards. */
  close(): void;
  [Symbol.dispose](): void;
}

/**
 * One run. A store of {@link RunSnapshot}; its wire events come by `for await`, from the moment of asking on, and end with
 * the run. A reader that falls 65,536 events behind is thrown `queue-full`; the snapshot has everything all the same.
 */
export declare class RunStream implements Store<RunSnapshot>, AsyncIterable<RunEvent> {
  private constructor();
  readonly subscribe: Store<RunSnapshot>['subscribe'];
  readonly getSnapshot: Store<RunSnapshot>['getSnapshot'];
  readonly getServerSnapshot: Store<RunSnapshot>['getServerSnapshot'];

  /**
   * Resolves once, for each of the four ends. Rejects only with `engine-crashed`, and is never an unhandled rejection.
   */
  readonly finished: Promise<RunOutcome>;

  /**
   * What happened to this run's connection: the last 128 entries. Written out while somebody reads, and once at the run's end,
   * after which it can still be read.
   */
  readonly trace: Store<readonly TraceEntry[]>;

  /** Ends the run at the server: {@link RunClient.stop}. Does nothing once it has settled. */
  stop(): Promise<void>;

  /**
   * Goes on with an interrupted or failed run: a new stream with the same transcript. This one keeps its last snapshot.
   *
   * @throws {SteadyStreamError} `invalid-state` for any other status, after a retry, and when the run was closed twice.
   */
  retry(): RunStream;

  /**
   * Stops watching: `interrupted` with error `aborted`, and the run goes on at the server. On a settled run: frees what the
   * engine still holds of it.
   */
  close(): void;
  [Symbol.dispose](): void;
  [Symbol.asyncIterator](): AsyncIterableIterator<RunEvent>;
}

// ------------------------------------------------------------------------------------------------------------ drop-in classes

/** When the drop-in classes try a lost connection again. Times are in ms. */
export interface ReconnectOptions {
  /**
   * The first delay: for a `ManagedEventSource` at least this and at most twice as much, until the server names another time
   * (`retry:`, P-7); for a `ManagedWebSocket` anywhere between 0 and this. The ceiling doubles with each attempt. Default 1000.
   */
  readonly baseMs?: number;
  /** The ceiling of all delays. Default 30,000. What the server asks for may be more. */
  readonly capMs?: number;
  /** A connection that held for so long counts as progress, whatever it brought. Default 10,000. */
  readonly stableMs?: number;
  /** Give up after so much time without a connection that made progress, online and in sight. Default 600,000; `Infinity`: never. */
  readonly giveUpAfterMs?: number;
  /** Give up after so many attempts in a row. Default `Infinity`. */
  readonly maxAttempts?: number;
}

/** Why a drop-in class lost its connection, and whether it goes on. */
export interface ConnectionLoss extends SteadyStreamError {
  /** When the next attempt is due, in unix ms; `null` when none is, or when it waits for the page to be online or shown again. */
  readonly retryAt: number | null;
}

type Handler<E extends Event> = ((event: E) => unknown) | null;
type Listener<E extends Event> = ((event: E) => unknown) | { handleEvent(event: E): unknown };

/** The `error` event: as the standard's, plus why. An event that the server names `error` is a `MessageEvent` and has no `error`. */
export interface LossEvent extends Event {
  readonly error: ConnectionLoss;
}

/** What a {@link ManagedEventSource} takes beside the standard's `withCredentials`. Names that are not known mean nothing. */
export interface ManagedEventSourceInit {
  /** Send cookies to other origins, too. Default `false`. */
  readonly withCredentials?: boolean;
  /**
   * `'fetch'` (default), or `'native'`: the browser's own EventSource and its reconnection, with `event.error` and `signal` as all
   * there is of ours. Any other option beside it is an `invalid-argument`.
   */
  readonly transport?: 'fetch' | 'native';
  /** Default `'GET'`, with a body `'POST'`. */
  readonly method?: string;
  /** A function is asked anew for each attempt, and once more after a 401. */
  readonly headers?: HeaderValues | (() => HeaderValues | Promise<HeaderValues>);
  /** Sent with each attempt; a function is asked anew. A stream is no body, since it can be read once only. */
  readonly body?: BodyInit | (() => BodyInit | Promise<BodyInit>);
  /** The cursor of the first request: its `Last-Event-ID`, and the `lastEventId` of events before another id comes. Default `''`. */
  readonly lastEventId?: string;
  /** Aborting it is a `close()`. When it is aborted already, nothing is asked and the source is CLOSED. */
  readonly signal?: AbortSignal;
  /** A failure within so many ms and before any event is final: `connect-failed` (B-ES-7). Default 0: never. */
  readonly connectGraceMs?: number;
  /** How long to wait for response headers, in ms. Default 0: as long as `liveness.stallMs` allows. */
  readonly connectTimeoutMs?: number;
  /**
   * `false`: one connection and no more. `onStatus`: whether 408, 425, 429 and 5xx are tried again, with `Retry-After` as the
   * least delay; default `true`. With `false` every status but 200 is final, as the standard has it (W-1).
   */
  readonly retry?: false | (ReconnectOptions & { readonly onStatus?: boolean });
  /**
   * `stallMs`: the longest silence, default `Infinity`. `floorMs`: comments at a steady pace are taken for a heartbeat, and three
   * missed ones for silence, but never less than this; default 6000.
   */
  readonly liveness?: Pick<LivenessOptions, 'stallMs' | 'floorMs'>;
  /** The largest event accepted, in bytes. Default 16 MiB. A larger one costs the connection: `event-too-large`. */
  readonly maxEventBytes?: number;
}

/** The events of a {@link ManagedEventSource}; all other names are `MessageEvent`s. */
export interface ManagedEventSourceEventMap {
  readonly open: Event;
  readonly message: MessageEvent<string>;
  readonly error: LossEvent;
}

/**
 * `EventSource`, over `fetch`: the same constructor, attributes, events and order of events (P-1 … P-11, W-1 … W-10), and besides
 * method, headers, body, a first cursor and an engine that knows when to try again and when to give up. In what it differs from the
 * browser's is listed in `docs/differences.md`.
 *
 * An `error` while `readyState` is CONNECTING will be tried again; with CLOSED it is the end, `error.code` says which:
 * `http-status`, `unauthorized`, `content-type`, `connect-failed`, `gave-up`, `engine-crashed`.
 */
export declare class ManagedEventSource extends EventTarget {
  static readonly CONNECTING: 0;
  static readonly OPEN: 1;
  static readonly CLOSED: 2;
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSED: 2;

  /**
   * @throws {DOMException} `SyntaxError` when the URL is invalid.
   * @throws {SteadyStreamError} `invalid-argument` with the option's path, `engine-crashed`, `wasm-blocked`, `not-ready`.
   */
  constructor(url: string | URL, init?: ManagedEventSourceInit);

  readonly url: string;
  readonly withCredentials: boolean;
  /** CONNECTING also while it waits for the next attempt. */
  readonly readyState: 0 | 1 | 2;
  onopen: Handler<Event>;
  onmessage: Handler<MessageEvent<string>>;
  // Read as the native class's, so that ours stands where that one stood; set with what ours dispatches.
  get onerror(): Handler<Event>;
  set onerror(handler: Handler<LossEvent>);
  close(): void;

  addEventListener<K extends keyof ManagedEventSourceEventMap>(
    type: K, listener: Listener<ManagedEventSourceEventMap[K]> | null, options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(type: string, listener: Listener<MessageEvent<string>> | null, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<K extends keyof ManagedEventSourceEventMap>(
    type: K, listener: Listener<ManagedEventSourceEventMap[K]> | null, options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(type: string, listener: Listener<MessageEvent<string>> | null, options?: boolean | EventListenerOptions): void;
}

/** What `send()` takes. */
export type SocketMessage = string | ArrayBufferLike | Blob | ArrayBufferView;

/** How a {@link ManagedWebSocket} finds out that its connection is dead. Times are in ms. */
export interface HeartbeatOptions {
  /** Sent when nothing was heard for `intervalMs`; a function is asked each time. */
  readonly message: SocketMessage | (() => SocketMessage);
  /** Default 30,000. */
  readonly intervalMs?: number;
  /** How long after that anything must be heard, or the connection is lost: `stalled`. Default 10,000. */
  readonly timeoutMs?: number;
  /** Whether this message is an answer to a heartbeat: it is a sign of life and not dispatched. Default: all are dispatched. */
  readonly isPong?: (data: unknown) => boolean;
}

/** The bound of what waits while a {@link ManagedWebSocket} has no connection. */
export interface QueueOptions {
  /** Default 1000. */
  readonly maxMessages?: number;
  /** In bytes, as `bufferedAmount` counts. Default 1 MiB. */
  readonly maxBytes?: number;
  /** What a message meets that does not fit any more. Default `'throw'`: `send()` throws `queue-full`. */
  readonly overflow?: 'throw' | 'drop-oldest' | 'drop-newest';
  /**
   * Whether what waited is sent before the listeners of `open` are called (default), or after them, so that they can say first who
   * they are.
   */
  readonly flush?: 'before-open' | 'after-open';
}

/** The third argument of a {@link ManagedWebSocket}. Names that are not known mean nothing. */
export interface ManagedWebSocketOptions {
  /** `false`: one native socket, without queue and reconnection. */
  readonly retry?: false | ReconnectOptions;
  /** Default: none, since only the server knows what it takes for one. */
  readonly heartbeat?: HeartbeatOptions;
  readonly queue?: QueueOptions;
  /** A failure within so many ms and before the first `open` is final: `connect-failed`. Default 0: never. */
  readonly connectGraceMs?: number;
  /** How long a handshake may take, in ms. Default 15,000, and 0, the browser's own limit, with `retry: false`. */
  readonly connectTimeoutMs?: number;
  /** Aborting it is a `close()`. When it is aborted already, nothing is opened and the socket is CLOSED. */
  readonly signal?: AbortSignal;

  /** As wrappers spell it: at least this before each attempt, at first at most twice as much. In the place of `retry.baseMs`. */
  readonly minReconnectionDelay?: number;
  /** `retry.capMs`. */
  readonly maxReconnectionDelay?: number;
  /** `retry.stableMs`. */
  readonly minUptime?: number;
  /** `retry.maxAttempts`, with `retry.giveUpAfterMs` infinite. */
  readonly maxRetries?: number;
  /** `connectTimeoutMs`. */
  readonly connectionTimeout?: number;
  /** `queue.maxMessages`, with `overflow: 'drop-newest'` and `maxBytes` infinite. */
  readonly maxEnqueuedMessages?: number;
  /** CLOSED until `reconnect()`. Default `false`. */
  readonly startClosed?: boolean;
  /** The class of the sockets underneath. Default: the page's. */
  readonly WebSocket?: new (url: string, protocols?: string | string[]) => WebSocket;
  /** Taken and without a meaning: delays double. */
  readonly reconnectionDelayGrowFactor?: number;
  /** Taken and without a meaning: the events say more. */
  readonly debug?: boolean;
}

/** A connection is over, the first or any other. */
export interface ManagedCloseEvent extends CloseEvent {
  /** Whether another one will follow. */
  readonly willReconnect: boolean;
  /** As {@link ConnectionLoss.retryAt}. */
  readonly retryAt: number | null;
  /** Why, or `null` when the page has closed it. */
  readonly error: ConnectionLoss | null;
}

/** The events of a {@link ManagedWebSocket}. */
export interface ManagedWebSocketEventMap {
  readonly open: Event;
  readonly message: MessageEvent;
  readonly error: LossEvent;
  readonly close: ManagedCloseEvent;
}

/**
 * `WebSocket` that reconnects: the same constructor, attributes, events and exceptions, on top of one native socket after another.
 * `open`, `message`, `error` and `close` come for each of them. In what it differs from the browser's is listed in
 * `docs/differences.md`; what the server's close codes mean, in `docs/ws-chat.md`.
 *
 * Messages sent while there is no connection wait in a bounded queue. One that was handed to an open socket is never sent again.
 */
export declare class ManagedWebSocket extends EventTarget {
  static readonly CONNECTING: 0;
  static readonly OPEN: 1;
  static readonly CLOSING: 2;
  static readonly CLOSED: 3;
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;

  /**
   * @param url A function is asked anew for each attempt, and once more after the close code 4401.
   * @throws {DOMException} `SyntaxError`, as the standard has it, for a URL or protocols that are no functions.
   * @throws {SteadyStreamError} `invalid-argument` with the option's path, `engine-crashed`, `wasm-blocked`, `not-ready`.
   */
  constructor(
    url: string | URL | (() => string | URL | Promise<string | URL>),
    protocols?: string | string[] | null | (() => string | string[] | null | undefined | Promise<string | string[] | null | undefined>),
    options?: ManagedWebSocketOptions,
  );

  /** Of the present connection or the last one. `''` until a function has given the first. */
  readonly url: string;
  /** CONNECTING also while it waits for the next attempt. */
  readonly readyState: 0 | 1 | 2 | 3;
  /** What waits in the queue counts, too. */
  readonly bufferedAmount: number;
  readonly extensions: string;
  readonly protocol: string;
  binaryType: BinaryType;
  onopen: Handler<Event>;
  onmessage: Handler<MessageEvent>;
  get onerror(): Handler<Event>;
  set onerror(handler: Handler<LossEvent>);
  get onclose(): Handler<CloseEvent>;
  set onclose(handler: Handler<ManagedCloseEvent>);

  /**
   * @throws {SteadyStreamError} `queue-full`.
   * @throws {DOMException} `InvalidStateError` while CONNECTING with `retry: false`.
   */
  send(data: SocketMessage): void;
  /** Ends it for good; what waits in the queue is dropped. @throws {DOMException} as the standard's. */
  close(code?: number, reason?: string): void;

  /** Closes the present connection with this code (default 1000) and opens another at once; also after the end. */
  reconnect(code?: number, reason?: string): void;
  /** Attempts since the last progress. */
  readonly retryCount: number;
  /** Whether a lost connection would be tried again. */
  readonly shouldReconnect: boolean;

  addEventListener<K extends keyof ManagedWebSocketEventMap>(
    type: K, listener: Listener<ManagedWebSocketEventMap[K]> | null, options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(type: string, listener: Listener<Event> | null, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<K extends keyof ManagedWebSocketEventMap>(
    type: K, listener: Listener<ManagedWebSocketEventMap[K]> | null, options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(type: string, listener: Listener<Event> | null, options?: boolean | EventListenerOptions): void;
}

// ------------------------------------------------------------------------------------------------------------ without a client

// ----------------------------------------------------------------------------------------------------------- active runs

/** Where a run of the sidebar stands. The last three are ends. */
export type ActiveRunStatus = 'queued' | 'streaming' | 'completed' | 'cancelled' | 'failed';

/** One session's run. Frozen, and the same object until something of it changed. */
export interface ActiveRun {
  readonly sessionId: string;
  readonly runId: string;
  readonly status: ActiveRunStatus;
  /** When the server changed it last, in ms since 1970 by its own clock. */
  readonly updatedAt: number;
}

/** What runs where, at one moment. Frozen. */
export interface ActiveRunsSnapshot {
  /**
   * `runs` can be relied on: the server has told its index, or has none. Stays `true` while a lost connection is made again; `false`
   * before the first answer, after a failure to connect, and when nobody has watched for a second.
   */
  readonly ready: boolean;
  /** The backend has such a feed: `false` with other protocols than `bichat`, and once it answered 404, 405 or 501. No error either way. */
  readonly supported: boolean;
  /** A row a session, in the order in which they were first heard of: queued and streaming runs, and ends while they are retained. */
  readonly runs: readonly ActiveRun[];
  /** Its own connection, which counts in {@link RunClient.connection} while somebody subscribes. */
  readonly connection: ConnectionSnapshot;
  /** Why nothing new comes, until something does. */
  readonly error: SteadyStreamError | null;
}

/** Options of {@link RunClient.activeRuns}. Times are in ms; `Infinity` is allowed. */
export interface ActiveRunsOptions {
  /** How long a run's end is shown, also of a session that was not (B-AR-5). Default 0: its row goes at once. */
  readonly retainTerminalMs?: number;
  /** An open connection without a row for so long means that nothing runs (B-AR-6). Default 250. */
  readonly emptyStateTimeoutMs?: number;
  /**
   * A run that was silent for so long is asked about (`GET …/status`), one at a time and while the page is seen, since its end may have
   * been lost at the server (B-AR-9). What is confirmed is asked about again after twice the time, at most eight times. Default
   * 60,000; `Infinity` never asks.
   */
  readonly verifyAfterMs?: number;
  /** `false`: never connects, `ready` stays `false` (B-AR-2). Default `true`. */
  readonly enabled?: boolean;
  /**
   * Hears of each outage once, however many attempts it takes, and of a refusal (B-AR-7). Not part of what tells one object from
   * another: the function given last is called.
   */
  readonly onError?: (error: SteadyStreamError) => void;
  /** How soon subscribers hear of a change. Default `'frame'`. */
  readonly notify?: NotifyPolicy;
}

/**
 * What runs in which session. Connects with the first subscriber and disconnects 1,000 ms after the last has left; who comes back in
 * time finds everything as it was, who comes later begins with nothing.
 */
export declare class ActiveRuns implements Store<ActiveRunsSnapshot> {
  private constructor();
  readonly subscribe: Store<ActiveRunsSnapshot>['subscribe'];
  readonly getSnapshot: Store<ActiveRunsSnapshot>['getSnapshot'];
  readonly getServerSnapshot: Store<ActiveRunsSnapshot>['getServerSnapshot'];
  /** The status of a session's run, without a search; `undefined` when nothing runs there. As in the snapshot. */
  status(sessionId: string): ActiveRunStatus | undefined;
  /** As in the snapshot. */
  readonly ready: boolean;
  /** Disconnects for good and keeps what it knew. `activeRuns()` then gives a new one. */
  close(): void;
  [Symbol.dispose](): void;
}

// --------------------------------------------------------------------------------------------------------------- history

/** A stored message of `ws-chat`. Members that the server adds are there, too. */
export interface ChatMessage {
  readonly id: string;
  readonly session_id: string;
  readonly role: string;
  readonly content: string;
  /** In unix ms. */
  readonly created_at: number;
  /** Of an answer: `streaming`, `complete`, `error`, `cancelled`. */
  readonly status?: string;
  /** Of an answer: its run's `runId`. */
  readonly pending_message_id?: string;
  readonly request_id?: string;
}

/** A session in the list of `ws-chat`. One that this client has just sent in has nothing but an `id` until the next `refresh()`. */
export interface ChatSession {
  readonly id: string;
  /** In unix ms. */
  readonly created_at?: number;
  /** In unix ms. */
  readonly updated_at?: number;
  readonly message_count?: number;
}

/** One item of a list. The same object until something about it changed. */
export interface PageItem<T> {
  /** For lists: no two items have the same, and it stays when a pending message gets its final id. */
  readonly key: string;
  /** What the server calls it now; `null` while only this page knows of it. */
  readonly id: string | null;
  /** As the server sent it; `null` while only this page knows of it. */
  readonly value: T | null;
  /** Of an answer that this client has watched: its run, with the text as it comes. */
  readonly run: RunStream | null;
  /**
   * Of a message that this client has sent, while the {@link RunClient.outbox} has it: what has become of it, and what it says. Also of one
   * that another tab sends, with {@link CommonClientOptions.shareAcrossTabs}: its `retry()` and `discard()` throw here. The stored
   * message takes its place, under the same `key`, when it comes with the same `request_id` (or `requestId`, or with that as its id). Of a
   * list without these it makes way when its answer comes, known by exactly its `pending_message_id` (or `runId`); without that, too, it
   * stands there a second time (W4-6).
   */
  readonly send: OutboxMessage | null;
}

/** What is held of a list: a stretch of it without a gap. */
export interface PagesSnapshot<T> {
  /** Frozen, and the same array until an item changed. Messages: oldest first. Sessions: newest first. */
  readonly items: readonly PageItem<T>[];
  /** There are older ones. `true` before the first page. */
  readonly hasMore: boolean;
  /** The newest have been given up for older ones: `loadNewer()` has them again. */
  readonly hasNewer: boolean;
  readonly status: 'idle' | 'loading' | 'error' | 'closed';
  /** Which way, while `status` is `loading`. */
  readonly loading: 'older' | 'newer' | 'newest' | null;
  /** Why the last load failed; what was there is still there. */
  readonly error: SteadyStreamError | null;
}

/** What a page's own `load` is asked for. */
export interface PageRequest {
  /** Style `cursor`: the `next` of the page before this one in time; `null` for the newest page. */
  readonly before?: string | null;
  /** Style `offset`: how many newer items are left out. */
  readonly offset?: number;
  readonly limit: number;
  /** Aborts when the `Pages` is closed. */
  readonly signal: AbortSignal;
}

/** What it gives. Items in the order of the snapshot. */
export interface PageReply<T> {
  readonly items: readonly T[];
  /** Style `cursor`: what the next older page is asked for with, `null` where nothing is older. Left out: the oldest item's id, if the page is full. */
  readonly next?: string | number | null;
  /** Whether there are older ones. Left out: if the page is full. */
  readonly hasMore?: boolean;
}

/** A member of the reply by its name, or a function that reads it. */
export type Reader<T> = string | ((reply: unknown) => T);

/** Where pages are and how they are spelled: `GET {baseUrl}{path}?limit=50&before=ID`, or `&offset=100`. */
export interface PagesEndpoint<T> {
  /** Below `baseUrl`, begins with `/`; `{sessionId}` stands for the session, encoded. */
  readonly path: string;
  readonly style: 'cursor' | 'offset';
  /** Default `items`. */
  readonly items?: Reader<readonly T[]>;
  /** Style `cursor`. See {@link PageReply.next}; default: the oldest item's id, if the page is full. */
  readonly next?: Reader<string | number | null | undefined>;
  /** Default: if the page is full. */
  readonly hasMore?: Reader<boolean | undefined>;
}

/** Options of {@link RunClient.messages} and {@link RunClient.sessions}. */
export interface PagesOptions<T> {
  /**
   * Default: that of `ws-chat`, where that is the protocol. Requests have the client's headers and credentials and are made again as
   * its streams are: with backoff on 408, 425, 429, 5xx and a lost network, `Retry-After` as a floor, fresh headers after a 401, for
   * `retry.giveUpAfterMs`; offline they wait. Each attempt has 30,000 ms.
   */
  readonly endpoint?: PagesEndpoint<T>;
  /** Instead of an endpoint: gets a page by itself. What it throws is `error`, with code `request-failed` and a `cause`. */
  readonly load?: (wanted: PageRequest) => Promise<PageReply<T>> | PageReply<T>;
  /** Beside `load`. Default `cursor` for messages, `offset` for sessions. */
  readonly style?: 'cursor' | 'offset';
  /** The member with an item's id, a string, or a function that gives it. Default `id`. */
  readonly id?: string | ((item: T) => string);
  /** Items a page, at least 2. Default 50. */
  readonly limit?: number;
  /**
   * The most items held, at least two pages. Default 1,000. Beyond it whole pages are given up at the end away from the last load, and
   * loaded again when they are asked for.
   */
  readonly maxItems?: number;
  /** How soon subscribers hear of a change. Default `'frame'`. */
  readonly notify?: NotifyPolicy;
}

/**
 * A long list, page by page. Its first subscriber loads the newest page; a run of the session that ends brings it up to date. The
 * functions are bound, and settle with whether the items are there: they never reject, the snapshot has the `error`. One load runs at a
 * time; the same one asked for again is the same promise.
 */
export declare class Pages<T> implements Store<PagesSnapshot<T>> {
  private constructor();
  readonly subscribe: Store<PagesSnapshot<T>>['subscribe'];
  readonly getSnapshot: Store<PagesSnapshot<T>>['getSnapshot'];
  readonly getServerSnapshot: Store<PagesSnapshot<T>>['getServerSnapshot'];
  /** Of the items: sessions are `newest-first`. */
  readonly order: 'oldest-first' | 'newest-first';
  /** The next older page, without one twice and without a gap, whatever came or went meanwhile (W4-7). After an error: again. */
  readonly loadOlder: () => Promise<boolean>;
  /** What was given up at the newer end, page by page. */
  readonly loadNewer: () => Promise<boolean>;
  /** The newest page again, merged by id. Where the newest have been given up, the list begins anew with them: "to the latest". */
  readonly refresh: () => Promise<boolean>;
  /** As in the snapshot. */
  readonly hasMore: boolean;
  /** As in the snapshot. */
  readonly hasNewer: boolean;
  /** Aborts what is asked for and keeps what is there; `messages()` then gives a new one. */
  close(): void;
  [Symbol.dispose](): void;
}

/** Options of {@link keepScroll}. */
export interface KeepScrollOptions {
  /** Whose children are the items, one below the other. Default: the element itself. */
  readonly list?: Element;
  /** Loads more before an end is reached, and keeps the position also where items arrive in the frame of a scroll. */
  readonly pages?: Pick<Pages<object>, 'subscribe' | 'getSnapshot' | 'order' | 'loadOlder' | 'loadNewer'>;
  /** Such an end is near when it is less than so many heights of the element away. Default 1; 0 loads nothing. */
  readonly near?: number;
}

/**
 * Keeps what a reader sees in `element` where it is, to the pixel, while items come and go or change their height above it: beside any
 * framework, by looking at the page. Switches the browser's `overflow-anchor` off for this element until `close()`.
 *
 * @throws {SteadyStreamError} `invalid-argument`.
 */
export declare function keepScroll(element: Element, options?: KeepScrollOptions): { close(): void; [Symbol.dispose](): void };

/** A row as the server sent it: of its index, or news. */
export interface ActiveRunEvent extends ActiveRun {
  readonly event: 'snapshot' | 'update';
}

/** Options of {@link RunClient.subscribeActiveRuns}. */
export interface SubscribeActiveRunsOptions {
  /** Each row, in the order of arrival. What it throws is reported and changes nothing. */
  readonly onEvent: (event: ActiveRunEvent) => void;
  /** Each lost connection and each failed attempt to make it again; the failure that rejects is told by that alone (B-AR-7). */
  readonly onError?: (error: SteadyStreamError) => void;
  /** Aborting closes the connection and resolves; nothing is called after it. */
  readonly signal?: AbortSignal;
}

/** What an {@link ActiveRunsCore} holds. */
export interface ActiveRunsCoreSnapshot extends Pick<ActiveRunsSnapshot, 'ready' | 'supported' | 'runs' | 'error'> {}

/** The sidebar without a transport: the bytes of the feed in, snapshots out. Memory outside the garbage collector: `free()` it. */
export interface ActiveRunsCore {
  /** The next bytes, cut anywhere. A string is taken as its UTF-8. */
  push(bytes: Uint8Array | string): void;
  /** A new connection begins. What its index does not have is gone with the first snapshot that has rows of it. */
  restart(): void;
  /** What the bytes so far amount to: frozen, the same object until something changed. Ends are not retained. */
  snapshot(): ActiveRunsCoreSnapshot;
  /** As {@link ActiveRuns.status}, as of now. */
  status(sessionId: string): ActiveRunStatus | undefined;
  /** Frees its memory. Any other call then throws `invalid-state`. */
  free(): void;
}

/**
 * For workers, Node, and feeds that somebody else opened.
 *
 * @throws {SteadyStreamError} `invalid-argument`, `engine-crashed`, `wasm-blocked`.
 */
export declare function createActiveRunsCore(options?: Pick<RunCoreOptions, 'maxEventBytes'>): ActiveRunsCore;

/** What a {@link RunCore} holds. */
export interface RunCoreSnapshot
  extends Pick<RunSnapshot, 'runId' | 'text' | 'blocks' | 'parts' | 'usage' | 'metadata' | 'cursor' | 'error'> {
  readonly status: 'pending' | 'streaming' | RunEnd;
}

/** Options of {@link createRunCore}. */
export interface RunCoreOptions {
  /** Default `'bichat'`. */
  readonly protocol?: 'bichat' | 'ws-chat' | 'ui-message' | 'envelope' | 'chunks';
  /** The largest event accepted, in bytes. Default 16 MiB. */
  readonly maxEventBytes?: number;
}

/** The engine without transports: SSE bytes in, snapshots out. Memory outside the garbage collector: `free()` it. */
export interface RunCore {
  /** The next bytes, cut anywhere. A string is taken as its UTF-8. */
  push(bytes: Uint8Array | string): void;
  /** No more bytes will come. Without a terminal event the run is `interrupted`, error `truncated`. */
  end(): void;
  /** What the bytes so far amount to: frozen, the same object until something changed. */
  snapshot(): RunCoreSnapshot;
  /** Frees its memory. Any other call then throws `invalid-state`. */
  free(): void;
}

/**
 * For workers, Node, and streams that somebody else opened.
 *
 * @throws {SteadyStreamError} `invalid-argument`, `engine-crashed`, `wasm-blocked`.
 */
export declare function createRunCore(options?: RunCoreOptions): RunCore;

/**
 * Cuts stored text into the blocks it was streamed in (B-TB-1 … B-TB-7). Offsets are floored, clamped, sorted and deduped;
 * one inside a character is moved back to its start; NaN is dropped. Empty text has no blocks.
 *
 * @param offsets Where blocks end, e.g. from {@link readTextBlockOffsets}.
 * @param options.unit What the offsets count: UTF-16 code units (default) or bytes of UTF-8.
 * @throws {SteadyStreamError} `invalid-argument`, `engine-crashed`, `wasm-blocked`.
 */
export declare function splitIntoTextBlocks(
  content: string, offsets: readonly number[], options?: { readonly unit?: 'utf16' | 'bytes' },
): readonly TextBlock[];

/** The usable offsets in a stored message's metadata; none when there are none (B-TB-4). Never throws. */
export declare function readTextBlockOffsets(metadata: unknown): number[];

/** A new UUID v4. `crypto.randomUUID`, or what the page has instead (B-SEND-1). */
export declare function createRequestId(): string;

/**
 * Instantiates the engine now, asynchronously. Never needed: the first use does it, synchronously, in a few ms.
 *
 * @throws {SteadyStreamError} `wasm-blocked`.
 */
export declare function preload(): Promise<void>;

// -------------------------------------------------------------------------------------------------------------- upstream

/** What one attempt to send a batch is told. */
export interface BatchAttempt {
  /** The same for all attempts of a batch, and of no other: a server that keeps it writes a batch once, however often it comes. */
  readonly batchId: string;
  /**
   * The number of the batch's first chunk, from 0 without a hole: a server that keeps these writes each chunk once, also of a batch that
   * it has written in part (S-CB-11).
   */
  readonly firstSeq: number;
  /** From 1. */
  readonly attempt: number;
  /** Aborted when the time for an abort is over: whoever sends should stop. */
  readonly signal: AbortSignal;
}

/** Why chunks were dropped: there was no room, or they came behind, or went with, a failure or an abort. */
export type DropReason = 'full' | 'failed' | 'aborted';

/** How chunks are gathered into batches, and batches repeated. */
export interface GatheringOptions {
  /** How long the first chunk waits for others, in ms (S-CB-1). Default 5; 0: it does not. */
  readonly lingerMs?: number;
  /** The most chunks of a batch; as many go at once (S-CB-2). Default 50. */
  readonly maxBatchSize?: number;
  /**
   * The most chunks that wait and are in flight, together (S-CB-9); more than `maxBatchSize`. Default 2000. Beyond, neighbours that are
   * no control chunks are made one by `coalesce`; then the oldest such chunk goes. A {@link Generation} makes deltas of up to 4,096 UTF-16 code
   * units, so that by default at most 8 million of them wait.
   */
  readonly maxBufferSize?: number;
  /** How often a batch is tried again (S-CB-5). Default 3; `Infinity`: for ever. */
  readonly maxRetries?: number;
  /** The ceiling of the first wait between attempts, in ms; it doubles, and a wait falls anywhere below it. Default 50. */
  readonly baseDelayMs?: number;
  /** How long an abort may take to send what is there, in ms (S-CB-13). Default 2000; 0: nothing is sent. */
  readonly abortFlushMs?: number;
}

/** The options of a {@link ChunkBatcher}. */
export interface ChunkBatcherOptions<T> extends GatheringOptions {
  /**
   * Sends a batch: the same array on each attempt. What it rejects with decides: an error (or `Response`) with a `status`, or with a
   * `response`, by that: 408, 425, 429 and 5xx are tried again, not before `Retry-After`, 401 once, any other is final (S-CB-10). An
   * `AbortError` is final (S-CB-6), and so is `retryable: false`. Anything else is the network's, and tried again.
   */
  readonly send: (batch: readonly T[], attempt: BatchAttempt) => Promise<void>;
  /**
   * Two neighbours as one, or `null`, which bounds how long one gets. Asked only where there is no room, and never about control chunks.
   * Default: none can.
   */
  readonly coalesce?: (one: T, other: T) => T | null;
  /** Whether a chunk must never be dropped or made one with another. Default: none. */
  readonly isControl?: (chunk: T) => boolean;
  /** Told once, when it is over by a failure: `batch-failed`, or `aborted` by `send` itself (S-CB-7). */
  readonly onFatalError?: (error: SteadyStreamError) => void;
  /** Told of what is dropped. Default: a warning for the first and for each hundredth. */
  readonly onDrop?: (chunks: readonly T[], about: { readonly reason: DropReason; readonly droppedCount: number }) => void;
  /** Aborting is {@link ChunkBatcher.abort}. */
  readonly signal?: AbortSignal;
}

/** How far a {@link ChunkBatcher} is: frozen, and the same object until something has changed. */
export interface ChunkBatcherSnapshot {
  /** `aborting`: it takes no more and sends what is there. `aborted`, `failed`: it is over. */
  readonly status: 'open' | 'aborting' | 'aborted' | 'failed';
  /** How many chunks wait or are in flight. */
  readonly pending: number;
  /** So many of them are in the batch that is being sent. */
  readonly inFlight: number;
  readonly droppedCount: number;
  /** Not over, and fewer than `maxRetries` attempts in a row have failed. */
  readonly isHealthy: boolean;
  /** What {@link ChunkBatcher.drain} rejects with once it is over. */
  readonly error: SteadyStreamError | null;
}

/**
 * Chunks upstream, in batches: one in flight at a time, in order also through repetitions, in bounded memory (S-CB). It has no
 * transport: `send` is yours. A store: at most one notification a frame by default.
 */
export declare class ChunkBatcher<T> implements Store<ChunkBatcherSnapshot> {
  readonly subscribe: Store<ChunkBatcherSnapshot>['subscribe'];
  readonly getSnapshot: Store<ChunkBatcherSnapshot>['getSnapshot'];
  readonly getServerSnapshot: Store<ChunkBatcherSnapshot>['getServerSnapshot'];
  /** @throws {SteadyStreamError} `invalid-argument` with the option's path, `engine-crashed`, `wasm-blocked`, `not-ready`. */
  constructor(options: ChunkBatcherOptions<T>);
  /**
   * Puts a chunk behind the others. After the end it is dropped.
   *
   * @throws {SteadyStreamError} `queue-full` for a control chunk when nothing but control chunks is there: it was not taken.
   */
  push(chunk: T): void;
  /** Sends what waits without gathering more. */
  flush(): void;
  /**
   * Everything that was pushed before this call has arrived, or was dropped for want of room (S-CB-8).
   *
   * @throws {SteadyStreamError} `batch-failed`, `aborted`.
   */
  drain(): Promise<void>;
  /** Takes no more and sends what is there, for `abortFlushMs` at most; then drops it. Resolves when it is over, whatever came of it. */
  abort(): Promise<void>;
  /** Not over, and fewer than `maxRetries` attempts in a row have failed. */
  readonly isHealthy: boolean;
  readonly droppedCount: number;
  /** How many chunks wait or are in flight. */
  readonly pending: number;
}

/** One chunk of a message: see docs/chunks.md for the types that a reader knows. */
export interface GenerationChunk {
  readonly type: string;
  /** Of a piece of text, reasoning or arguments. Chunks without one are control chunks: never dropped. */
  readonly delta?: string;
  readonly [member: string]: unknown;
}

/** How to write a message. */
export interface GenerationOptions extends GatheringOptions {
  /** Default: a new UUID. */
  readonly messageId?: string;
  /** Who writes. */
  readonly actorId: string;
  /** Default `'assistant'`. */
  readonly role?: 'assistant' | 'user' | 'system';
  /** How long the model may be silent. Default 30,000 and 45,000 (S-WD-2). */
  readonly watchdog?: WatchdogOptions;
  /** Somebody else writes in the session: `'fail'` (default) with `generation-mismatch`, or `'wait'` for their end. */
  readonly whenBusy?: 'fail' | 'wait';
  /** For so long at most, in ms. Default 30,000. */
  readonly waitMs?: number;
  /** One request, in ms. Default 15,000. */
  readonly requestTimeoutMs?: number;
  /** How long the batches, then the end, then the finish may take, in ms each (S-FIN-6). Default 30,000. */
  readonly finishTimeoutMs?: number;
  /** Whether text behind a tool gets a `segmentId` of its own (S-SEG-1). Default true. */
  readonly segments?: boolean;
  /** Told of deltas that were dropped because the server takes none. */
  readonly onDrop?: (chunks: readonly GenerationChunk[], about: { readonly reason: DropReason; readonly droppedCount: number }) => void;
  /** Aborting is {@link Generation.abort}. */
  readonly signal?: AbortSignal;
}

/** How a generation ended. */
export interface GenerationOutcome {
  readonly status: 'completed' | 'aborted' | 'failed';
  readonly sessionId: string;
  readonly messageId: string;
  /** With `failed`: `batch-failed`, `generation-mismatch`, `end-not-sent`, a watchdog's code, or `request-timeout`. */
  readonly error: SteadyStreamError | null;
  /** The message has its end, but the server's clean-up failed (S-FIN-4). */
  readonly cleanupError: SteadyStreamError | null;
  readonly droppedCount: number;
}

/** How far a message that is written is: frozen, and the same object until something has changed. */
export interface GenerationSnapshot {
  readonly sessionId: string;
  readonly messageId: string;
  /** `finishing`: it takes no more; its chunks, its end and the clean-up are on their way. Then as in {@link GenerationOutcome}. */
  readonly status: 'open' | 'finishing' | 'completed' | 'aborted' | 'failed';
  /** How many chunks wait or are in flight. */
  readonly pending: number;
  /** So many of them are in the batch that is being sent. */
  readonly inFlight: number;
  readonly droppedCount: number;
  /** It has not ended, and sending works: false while the server takes nothing, attempt after attempt. */
  readonly isHealthy: boolean;
  /** Why it fails, or has failed. */
  readonly error: SteadyStreamError | null;
  /** The message has its end, but the server's clean-up failed (S-FIN-4). */
  readonly cleanupError: SteadyStreamError | null;
}

/**
 * A message that this page writes. See {@link RunClient.generation}. A store: at most one notification a frame by default; the last
 * one is its end.
 */
export declare class Generation implements Store<GenerationSnapshot> {
  private constructor();
  readonly subscribe: Store<GenerationSnapshot>['subscribe'];
  readonly getSnapshot: Store<GenerationSnapshot>['getSnapshot'];
  readonly getServerSnapshot: Store<GenerationSnapshot>['getServerSnapshot'];
  readonly sessionId: string;
  readonly messageId: string;
  /**
   * Writes a chunk. False once the generation ends: it was not taken.
   *
   * @throws {SteadyStreamError} `invalid-argument`; `queue-full` as {@link ChunkBatcher.push}.
   */
  write(chunk: GenerationChunk): boolean;
  /** The message is whole: its chunks go out, then its end, then the finish, in this order (S-FIN-1). Resolves as `finished`. */
  finish(): Promise<GenerationOutcome>;
  /** The user has stopped it: what was written so far goes out (S-CB-13), and then that it was stopped. Resolves as `finished`. */
  abort(): Promise<GenerationOutcome>;
  /** Settles exactly once, and never rejects. */
  readonly finished: Promise<GenerationOutcome>;
  /** It has not ended, and sending works. */
  readonly isHealthy: boolean;
  readonly droppedCount: number;
  readonly pending: number;
}
