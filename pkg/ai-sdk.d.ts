/// <reference lib="dom" />
/// <reference lib="esnext.disposable" />

// The types of the AI SDK, which whoever imports this has; nothing of it is loaded.
import type { ChatRequestOptions, ChatTransport, UIMessage, UIMessageChunk } from 'ai';
import type { RunClient, UIMessageOptions } from './index.js';

/** What a message is made of before it is sent. */
export interface ChatRequest<UI_MESSAGE extends UIMessage = UIMessage> {
  /** The chat's. */
  readonly id: string;
  readonly messages: readonly UI_MESSAGE[];
  readonly trigger: 'submit-message' | 'regenerate-message';
  /** The message that is sent or made again; `undefined` for a new one. */
  readonly messageId: string | undefined;
  /** The `body` of the call. */
  readonly body: object | undefined;
  /** The `metadata` of the call. */
  readonly requestMetadata: unknown;
}

/** What any {@link SteadyChatTransport} takes. */
export interface ChatTransportBaseOptions<UI_MESSAGE extends UIMessage = UIMessage> {
  /**
   * Makes the request's body. `id`, the chat's, and `requestId`, the same for all repeats of one send, are put in. Default: what the
   * AI SDK's own transport sends, `{ ...body, id, messages, trigger, messageId }`.
   */
  readonly prepareBody?: (request: ChatRequest<UI_MESSAGE>) => object | Promise<object>;
  /**
   * `ttlMs`: how long after its end a run can still be had by `reconnectToStream()`, in ms. Default 30,000; 0: not at all;
   * `Infinity`: until the chat's next run. While it lasts, what a run has said is kept once, its deltas joined. Where the server
   * gives its messages no ids (`messageId` of the `start` chunk), use 0: a chat that has such a message could not tell that it is
   * the same.
   *
   * `maxBytes`: how much all runs that have ended may take together, roughly; the oldest go first. Default 16 MiB; `Infinity`: any.
   */
  readonly replay?: { readonly ttlMs?: number; readonly maxBytes?: number };
  /**
   * What an aborted signal means, which is what `chat.stop()` does, and `useChat` when its component is unmounted.
   *
   * - `'stop'` (default): the run ends at the server. A chat that is to outlive its component is made outside of it:
   *   `useChat({ chat })`.
   * - `'detach'`: nobody reads any more, and the run goes on; `transport.stop(chatId)` is what ends it.
   *
   * A chat that is resumed again by the next turn, as React does with what it mounts twice, has aborted nothing.
   */
  readonly onAbort?: 'stop' | 'detach';
  /**
   * `'session'` keeps the chunks of what runs over a reload of its tab, with the cursor behind them, where the server gives its chunks
   * ids: `reconnectToStream()` then begins with them, and the server is asked for the rest alone. Default `false`: all of it is asked
   * for again. Written and removed as {@link RunClient} does with its own `persist`.
   */
  readonly persist?: 'session' | false;
}

/** Over a client of its own. `headers` may be a function, which is asked anew for each attempt. */
export interface OwnClientOptions<UI_MESSAGE extends UIMessage = UIMessage>
  extends ChatTransportBaseOptions<UI_MESSAGE>, Omit<UIMessageOptions, 'baseUrl' | 'protocol' | 'replay' | 'persist'> {
  /** Where messages are sent. A lost stream is taken up again at `{api}/{chatId}/stream`. Default `'/api/chat'`. */
  readonly api?: string | URL;
}

/** Over a client of protocol `ui-message` that is there already. It stays open when the transport is closed. */
export interface GivenClientOptions<UI_MESSAGE extends UIMessage = UIMessage> extends ChatTransportBaseOptions<UI_MESSAGE> {
  readonly client: RunClient;
  readonly api?: never;
}

/**
 * A `ChatTransport` for the AI SDK: `useChat({ transport: new SteadyChatTransport({ api: '/api/chat' }) })`. One for all chats.
 *
 * A message is sent once, its answer comes whole through every cut, and a chat that is mounted again, or resumed after a reload, has
 * it from the start, over one connection.
 */
export declare class SteadyChatTransport<UI_MESSAGE extends UIMessage = UIMessage> implements ChatTransport<UI_MESSAGE> {
  /**
   * Touches nothing, also on a server; the engine starts with the first call.
   *
   * @throws {SteadyStreamError} `invalid-argument`, with the option's path.
   */
  constructor(options?: OwnClientOptions<UI_MESSAGE> | GivenClientOptions<UI_MESSAGE>);

  readonly resumeStreamIsReplay: true;

  /**
   * Sends the messages once, and gives the chunks of the answer, each once and in order; deltas that have come since the last read are
   * one. An answer of this chat that still runs here is let go of: its readers are thrown an `AbortError`.
   *
   * The stream is closed when the answer is completed or cancelled, behind the server's own `error` chunk, and when `abortSignal` is
   * aborted; it throws a {@link SteadyStreamError} when the message was refused or the rest could not be had. A reader that cancels
   * its stream ends nothing.
   *
   * @throws {SteadyStreamError} `invalid-argument` (also for `headers`, which belong to the transport), `invalid-state` (closed),
   *   `aborted` when the signal was aborted before anything was sent, `engine-crashed`, `wasm-blocked`.
   */
  sendMessages(options: {
    trigger: 'submit-message' | 'regenerate-message';
    chatId: string;
    messageId: string | undefined;
    messages: UI_MESSAGE[];
    abortSignal: AbortSignal | undefined;
  } & ChatRequestOptions): Promise<ReadableStream<UIMessageChunk>>;

  /**
   * The answer that runs in this chat, from its first chunk: the one that is known here, without asking the server, or what the
   * server has. `null` when there is none, or the signal is aborted before that is known.
   *
   * @throws {SteadyStreamError} what the server refused with, `gave-up` when it could not be reached, and as
   *   {@link SteadyChatTransport.sendMessages}.
   */
  reconnectToStream(
    options: { chatId: string; abortSignal?: AbortSignal | undefined } & ChatRequestOptions,
  ): Promise<ReadableStream<UIMessageChunk> | null>;

  /**
   * Ends what runs in this chat at the server, `POST {api}/{chatId}/stop`. What has come of it stays. A server that knows of no such
   * request is warned about, and heard no more.
   *
   * @throws {SteadyStreamError} `request-failed` when the server could not be reached, `invalid-argument`, `invalid-state`.
   */
  stop(chatId: string): Promise<void>;

  /** Stops watching all runs, which go on at the server. A client of its own is closed. */
  close(): void;
  [Symbol.dispose](): void;
}
