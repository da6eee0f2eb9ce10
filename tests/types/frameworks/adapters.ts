// The adapters: what must compile against their types, and what must not. The four are alike but for what they take and give.
import { ref } from 'vue';
import type { ComputedRef } from 'vue';
import type { Accessor } from 'solid-js';
import type { ActiveRunStatus, ActiveRunsSnapshot, ConnectionSnapshot, Generation, RunClient, RunSnapshot, RunStatus, RunStream, RunViewSnapshot, Store } from 'steadystream';
import * as react from 'steadystream/react';
import * as solid from 'steadystream/solid';
import * as svelte from 'steadystream/svelte';
import type { Current } from 'steadystream/svelte';
import * as vue from 'steadystream/vue';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
const same = <A, B>(_: Equal<A, B>): void => {};

declare const client: RunClient;
declare const stream: RunStream;
declare const maybe: RunStream | null;
declare const numbers: Store<number>;
declare const generation: Generation;
const name = { sessionId: 's', runId: 'r' };

// React: values.
const run = react.useRun(client, name);
same<typeof run, RunViewSnapshot>(true);
const ofStream = react.useRun(client, stream);
same<typeof ofStream, RunSnapshot>(true);
const ofView = react.useRun(client, client.run(name));
same<typeof ofView, RunViewSnapshot>(true);
const none = react.useRun(client, maybe);
same<typeof none, RunViewSnapshot | null>(true);
const status = react.useStore(stream, ({ status: one }) => one);
same<typeof status, RunStatus>(true);
const seven: number = react.useStore(numbers);
const pending: number = react.useStore(generation, ({ pending: some }) => some);
const badge: ConnectionSnapshot = react.useConnection(client);
const dots: ActiveRunsSnapshot = react.useActiveRuns(client, { retainTerminalMs: 5000 });
const dot = react.useActiveRunStatus(client.activeRuns(), dots.runs[0]?.sessionId ?? '');
same<typeof dot, ActiveRunStatus | undefined>(true);
// @ts-expect-error the options are the feed's
react.useActiveRuns(client, { retainMs: 5000 });
// @ts-expect-error its snapshot knows no statuses by session
react.useActiveRunStatus(dots, 's');
// @ts-expect-error there may be no run
none.text;
// @ts-expect-error a run has a session
react.useRun(client, { runId: 'r' });
// @ts-expect-error it is the client that names runs
react.useRun(name);
// @ts-expect-error a selection has the selector's type
const wrong: string = react.useStore(stream, ({ text }) => text.length);
// @ts-expect-error a store has a server's snapshot, too
react.useStore({ subscribe: numbers.subscribe, getSnapshot: numbers.getSnapshot });
// @ts-expect-error React's hooks take values
react.useRun(client, () => name);
// @ts-expect-error snapshots are not written to
react.useRun(client, name).text = '';

// Svelte: an object with `current`.
const inSvelte = svelte.useRun(client, () => name);
same<typeof inSvelte, Current<RunViewSnapshot>>(true);
const length: number = svelte.useStore(() => stream, ({ text }) => text.length).current;
svelte.useConnection(client).current.state satisfies string;
// @ts-expect-error what is current is read, not set
inSvelte.current = run;
// @ts-expect-error the value is in `current`
inSvelte.text;

svelte.useActiveRunStatus(client.activeRuns(), () => 's').current satisfies ActiveRunStatus | undefined;

// Vue: refs and getters in, a ref out.
const inVue = vue.useRun(client, ref(name));
same<typeof inVue, ComputedRef<RunViewSnapshot>>(true);
const text: ComputedRef<string> = vue.useStore(stream, (snapshot) => snapshot.text);
vue.useRun(client, () => maybe).value?.text;
// @ts-expect-error there may be no run
vue.useRun(client, () => maybe).value.text;
// @ts-expect-error the value is in `value`
inVue.text;

vue.useActiveRuns(client).value.ready satisfies boolean;

// Solid: functions in and out.
const inSolid = solid.useRun(client, () => name);
same<typeof inSolid, Accessor<RunViewSnapshot>>(true);
solid.useStore(numbers)().toFixed();
solid.useConnection(client)().retryAt?.toFixed();
// @ts-expect-error an accessor is called
inSolid.text;

export { badge, length, seven, text, wrong };
