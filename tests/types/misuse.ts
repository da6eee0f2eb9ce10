// What must not compile. An expected error that does not come is an error itself.
import {
  ManagedEventSource, ManagedWebSocket, RunClient, RunStream, SteadyStreamError, STREAM_EVENT_TYPES, createRequestId, createRunCore, isTerminalEvent, keepScroll, Pages, splitIntoTextBlocks,
} from 'steadystream';
import type { Part, RunSnapshot, Store, TerminalStreamEventType } from 'steadystream';

declare const client: RunClient;
declare const run: RunStream;
declare const snapshot: RunSnapshot;
declare const part: Part;

// @ts-expect-error options are required
new RunClient();
// @ts-expect-error baseUrl is required
new RunClient({ protocol: 'bichat' });
// @ts-expect-error unknown protocol
new RunClient({ baseUrl: '', protocol: 'grpc' });
// @ts-expect-error a custom protocol is its function, not a name
new RunClient({ baseUrl: '', protocol: 'custom' });
// @ts-expect-error decode is required
new RunClient({ baseUrl: '', protocol: {} });
// @ts-expect-error decode answers at once
new RunClient({ baseUrl: '', protocol: async ({ data }) => ({ type: 'content', content: data }) });
// @ts-expect-error no event of ours
new RunClient({ baseUrl: '', protocol: () => ({ type: 'token', content: '' }) });
// @ts-expect-error a text has its content
new RunClient({ baseUrl: '', protocol: () => ({ type: 'content', text: '' }) });
// @ts-expect-error an event's id is text
new RunClient({ baseUrl: '', protocol: { decode: ({ id }) => ({ type: 'usage', usage: { totalTokens: id } }) } });
// @ts-expect-error a custom protocol goes over fetch
new RunClient({ baseUrl: '', protocol: () => null, transports: ['eventsource'] });
// @ts-expect-error a core reads the protocols that have a name
createRunCore({ protocol: () => null });
// @ts-expect-error unknown option
new RunClient({ baseUrl: '', retries: 3 });
// @ts-expect-error the unit is in the name
new RunClient({ baseUrl: '', retry: { base: 1 } });
// @ts-expect-error no such transport
new RunClient({ baseUrl: '', transports: ['websocket'] });
// @ts-expect-error only a WebSocket protocol says how it authorizes
new RunClient({ baseUrl: '', websocketAuth: 'frame' });
// @ts-expect-error ws-chat has no stream endpoint
new RunClient({ baseUrl: '', protocol: 'ws-chat', streamEndpoint: '/stream' });
// @ts-expect-error an endpoint is a path
new RunClient({ baseUrl: '', streamEndpoint: 'stream' });
// @ts-expect-error headers are strings
new RunClient({ baseUrl: '', headers: { a: 1 } });

// @ts-expect-error no such storage
new RunClient({ baseUrl: '', persist: 'local' });
// @ts-expect-error a scope is a name
new RunClient({ baseUrl: '', shareAcrossTabs: { scope: 7 } });
// @ts-expect-error parts are a list
client.open({ sessionId: 's', parts: { type: 'text' } });

// @ts-expect-error a stream comes from a client
new RunStream();
// @ts-expect-error errors come from the library
new SteadyStreamError('aborted');

// @ts-expect-error a message is a string or an object
client.send('s', 7);
// @ts-expect-error a run key, not two strings
client.open('s', 'r');
// @ts-expect-error sessionId is required
client.open({ runId: 'r' });
// @ts-expect-error onChunk is required
client.subscribeRunEvents('s', 'r', {});
// @ts-expect-error resume may give null
client.resume('s').then((resumed) => resumed.close());
// @ts-expect-error a view has a session
client.run({ runId: 'r' });
// @ts-expect-error what is held already is for open()
client.run({ sessionId: 's', cursor: '1-0' });
// @ts-expect-error nobody owns it, so nobody closes it
client.run({ sessionId: 's' }).close();
// @ts-expect-error it may be idle
const running: RunSnapshot = client.run({ sessionId: 's' }).getSnapshot();
// @ts-expect-error an answer is options or own words
client.submitAnswers('s', 'c', { q: 'yes' });
client.rejectQuestion('s').then((result) => {
  // @ts-expect-error data only after success
  result.data;
});

// @ts-expect-error no such policy
run.subscribe(() => {}, { notify: 'often' });
// @ts-expect-error a run stream's snapshot is not a string
const wrong: Store<string> = run;
// @ts-expect-error the promise is not replaced
run.finished = Promise.resolve();

// @ts-expect-error snapshots are read-only
snapshot.text = '';
// @ts-expect-error its arrays too
snapshot.parts.push(part);
// @ts-expect-error no such status
snapshot.status === 'done';
// @ts-expect-error not every part has text
part.text;
// @ts-expect-error may be missing
snapshot.blocks[0].text;
// @ts-expect-error null until the server has named it
snapshot.runId.length;

// @ts-expect-error the list is read-only
STREAM_EVENT_TYPES.push('done');
const name = 'ping' as string;
// @ts-expect-error only after the guard
const terminal: TerminalStreamEventType = name;
if (isTerminalEvent(name)) {
  // @ts-expect-error narrowed to the four
  name === 'content';
}
// @ts-expect-error takes nothing
createRequestId(4);
// @ts-expect-error bytes or a string
createRunCore().push([1, 2]);
// @ts-expect-error no such unit
splitIntoTextBlocks('', [], { unit: 'chars' });

// @ts-expect-error a URL is required
new ManagedEventSource();
// @ts-expect-error no such transport
new ManagedEventSource('', { transport: 'xhr' });
// @ts-expect-error no such option
new ManagedEventSource('', { retries: 3 });
// @ts-expect-error the unit is in the name
new ManagedEventSource('', { retry: { base: 1 } });
// @ts-expect-error a state is not set
new ManagedEventSource('').readyState = 2;
// @ts-expect-error a message has no error
new ManagedEventSource('').addEventListener('message', ({ error }) => error);
// @ts-expect-error a queue has one of three policies
new ManagedWebSocket('', [], { queue: { overflow: 'wait' } });
// @ts-expect-error a heartbeat needs a message
new ManagedWebSocket('', [], { heartbeat: { intervalMs: 1 } });
// @ts-expect-error no such message
new ManagedWebSocket('').send({});
// @ts-expect-error null when the page has closed it
new ManagedWebSocket('').onclose = ({ error }) => error.code;

export { terminal, wrong };
// @ts-expect-error a history belongs to a session
client.messages();
// @ts-expect-error a page has a style
client.sessions({ endpoint: { path: '/s' } });
// @ts-expect-error load gives items
client.messages('s', { load: async () => [] });
// @ts-expect-error an item may be known to nobody but this page
client.messages('s').getSnapshot().items[0]!.value.content;
// @ts-expect-error made by messages() and sessions()
new Pages();
// @ts-expect-error what scrolls is an element
keepScroll('#list');
