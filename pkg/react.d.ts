import type {
  ActiveRunStatus, ActiveRuns, ActiveRunsOptions, ActiveRunsSnapshot, ConnectionSnapshot, RunClient, RunName, RunSnapshot, RunStream, RunView,
  RunViewSnapshot, Store,
} from './index.js';

/**
 * A store in a component: its snapshot, or what `select` makes of it. The component renders when that changes (`Object.is`), in its first paint
 * with what is true then, and on a server and while hydrating with `getServerSnapshot()`. A change never interrupts a transition.
 *
 * @param select May be another function with each render.
 */
export declare function useStore<T>(store: Store<T>): T;
export declare function useStore<T, S>(store: Store<T>, select: (snapshot: T) => S): S;

/**
 * A run, by its name: {@link RunClient.run} opens it when the first component is there, and closes it a second after the last is gone. Or a
 * stream that is at hand. `null`: none, and so is the snapshot.
 */
export declare function useRun(client: RunClient, run: RunStream): RunSnapshot;
export declare function useRun(client: RunClient, run: RunName | RunView): RunViewSnapshot;
export declare function useRun(
  client: RunClient, run: RunName | RunView | RunStream | null | undefined,
): RunViewSnapshot | null;

/** The badge: {@link RunClient.connection}. */
export declare function useConnection(client: RunClient): ConnectionSnapshot;

/** The sidebar's feed, {@link RunClient.activeRuns}: connected while something shows it. */
export declare function useActiveRuns(client: RunClient, options?: ActiveRunsOptions): ActiveRunsSnapshot;

/** One session's status in the feed, `undefined` where none is known: a row is updated only when its own changes. */
export declare function useActiveRunStatus(activeRuns: ActiveRuns, sessionId: string): ActiveRunStatus | undefined;
