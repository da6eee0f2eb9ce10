// The sidebar: what users write must compile, and what they must not write must not.
import { ActiveRuns, RunClient, SteadyStreamError, createActiveRunsCore } from 'steadystream';
import type {
  ActiveRun, ActiveRunEvent, ActiveRunStatus, ActiveRunsCore, ActiveRunsOptions, ActiveRunsSnapshot, ConnectionSnapshot, Store,
} from 'steadystream';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
const same = <A, B>(_: Equal<A, B>): void => {};

declare const client: RunClient;

// ---- use ----

const options: ActiveRunsOptions = {
  retainTerminalMs: 3000, emptyStateTimeoutMs: 250, verifyAfterMs: Infinity, enabled: true, notify: 'idle',
  onError: (error) => same<typeof error, SteadyStreamError>(true),
};
const runs: ActiveRuns = client.activeRuns(options);
const store: Store<ActiveRunsSnapshot> = client.activeRuns();
const leave: () => void = runs.subscribe(({ ready, supported, runs: all, connection, error }) => {
  same<typeof ready, boolean>(true);
  same<typeof supported, boolean>(true);
  same<typeof all, readonly ActiveRun[]>(true);
  same<typeof connection, ConnectionSnapshot>(true);
  same<typeof error, SteadyStreamError | null>(true);
}, { notify: 'sync' });
leave();
store.getServerSnapshot();
const status = runs.status('s');
same<typeof status, ActiveRunStatus | undefined>(true);
const dot: Record<ActiveRunStatus, string> = { queued: '○', streaming: '●', completed: '✓', cancelled: '–', failed: '!' };
export const shown = status && dot[status];
same<typeof runs.ready, boolean>(true);
runs.close();
{
  using sidebar = client.activeRuns({ retainTerminalMs: 1 });
  sidebar.status('s');
}

const settled: Promise<void> = client.subscribeActiveRuns({
  onEvent: (event) => {
    same<typeof event, ActiveRunEvent>(true);
    same<typeof event.event, 'snapshot' | 'update'>(true);
    const when: Date = new Date(event.updatedAt);
    return when;
  },
  onError: ({ code, retryable }) => [code, retryable],
  signal: AbortSignal.timeout(1000),
});
settled.catch((error: unknown) => error instanceof SteadyStreamError && error.detail);

const core: ActiveRunsCore = createActiveRunsCore({ maxEventBytes: 65_536 });
core.push(new Uint8Array(8));
core.push('event: update\n\n');
core.restart();
export const text: string = core.snapshot().runs.map(({ sessionId, runId }) => sessionId + runId).join();
core.status('s');
core.free();

// ---- misuse ----

// @ts-expect-error stores are the client's to make
new ActiveRuns();
// @ts-expect-error no such option
client.activeRuns({ retainMs: 5 });
// @ts-expect-error times are numbers
client.activeRuns({ retainTerminalMs: '5s' });
// @ts-expect-error no such policy
client.activeRuns({ notify: 'soon' });
// @ts-expect-error a snapshot cannot be changed
runs.getSnapshot().ready = true;
// @ts-expect-error its list cannot be changed
runs.getSnapshot().runs.push({ sessionId: 's', runId: 'r', status: 'queued', updatedAt: 1 });
// @ts-expect-error its rows cannot be changed
runs.getSnapshot().runs[0]!.status = 'queued';
// @ts-expect-error ready is what it is
runs.ready = true;
// @ts-expect-error a session is named
runs.status();
// @ts-expect-error no such status
export const wrong: boolean = runs.status('s') === 'done';
// @ts-expect-error somebody must hear
client.subscribeActiveRuns({});
// @ts-expect-error onEvent is required
client.subscribeActiveRuns({ onError: () => {} });
// @ts-expect-error the core has no connection
createActiveRunsCore().snapshot().connection;
// @ts-expect-error one protocol has such a feed
createActiveRunsCore({ protocol: 'chunks' });
// @ts-expect-error bytes or text
createActiveRunsCore().push([1, 2]);
