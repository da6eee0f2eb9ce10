// What users write about messages that wait must compile, and what they must not, does not.
import { RunClient } from 'steadystream';
import type { OutboxMessage, OutboxSnapshot, RunStream, Store } from 'steadystream';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
const same = <A, B>(_: Equal<A, B>): void => {};

const client = new RunClient({ baseUrl: '', outbox: { maxMessages: 10, maxBytes: Infinity }, doubleSendMs: 0, persist: 'indexeddb' });
const outbox: Store<OutboxSnapshot> = client.outbox;
outbox.subscribe(({ messages, unsent }) => {
  same<typeof unsent, number>(true);
  for (const message of messages) {
    same<typeof message.status, 'pending' | 'sent' | 'confirmed' | 'failed'>(true);
    if (message.error?.code === 'send-in-doubt' || message.error?.code === 'outbox-full') message.discard();
    else if (message.status === 'failed') message.retry() satisfies RunStream;
  }
});
client.reset('s', { clearPresence: true }) satisfies Promise<void>;
client.delete('s') satisfies Promise<void>;

declare const message: OutboxMessage;
// @ts-expect-error the unit is in the name
new RunClient({ baseUrl: '', doubleSend: 500 });
// @ts-expect-error no such bound
new RunClient({ baseUrl: '', outbox: { messages: 10 } });
// @ts-expect-error it is shown, not changed
message.status = 'sent';
// @ts-expect-error its own id
message.retry('q');
// @ts-expect-error which session
client.delete();
