// What a program sees of the types; tests/types has the rest. A wrong use must be seen, too: where a name were `any`, it is not.
import { ManagedEventSource, RunClient, createRunCore, type RunSnapshot } from 'steadystream';
import { init } from 'steadystream/url';

const client = new RunClient({ baseUrl: '/bi-chat', protocol: 'bichat' });
const run = client.send('session', 'hello');
const stop: () => void = run.subscribe((snapshot: RunSnapshot) => snapshot.text.length);
const core = createRunCore();
core.push(new Uint8Array());

// @ts-expect-error a session is named by a string
client.send(1, 'hello');
// @ts-expect-error there is no such status
const isOver = (snapshot: RunSnapshot) => snapshot.status === 'over';

export const ready: Promise<void> = init();
export { ManagedEventSource, isOver, stop };
