import type {
  ActiveRunStatus, ActiveRuns, ActiveRunsOptions, ActiveRunsSnapshot, ConnectionSnapshot, RunClient, RunName, RunSnapshot, RunStream, RunView,
  RunViewSnapshot, Store,
} from './index.js';
import type { Accessor } from 'solid-js';

/** A value, or a function that gives it where it may change: `() => props.run`. */
export type Given<T> = T | (() => T);

/**
 * A store as a signal: its snapshot, or what `select` makes of it. What depends on it runs again when that changes. Left with the owner. While
 * hydrating it has `getServerSnapshot()`, until the effects run.
 */
export declare function useStore<T>(store: Given<Store<T>>): Accessor<T>;
export declare function useStore<T, S>(store: Given<Store<T>>, select: (snapshot: T) => S): Accessor<S>;

/**
 * A run, by its name: {@link RunClient.run} opens it when the first component is there, and closes it a second after the last is gone. Or a
 * stream that is at hand. `null`: none, and so is the snapshot.
 */
export declare function useRun(client: RunClient, run: Given<RunStream>): Accessor<RunSnapshot>;
export declare function useRun(client: RunClient, run: Given<RunName | RunView>): Accessor<RunViewSnapshot>;
export declare function useRun(
  client: RunClient, run: Given<RunName | RunView | RunStream | null | undefined>,
): Accessor<RunViewSnapshot | null>;

/** The badge: {@link RunClient.connection}. */
export declare function useConnection(client: RunClient): Accessor<ConnectionSnapshot>;

/** The sidebar's feed, {@link RunClient.activeRuns}: connected while something shows it. */
export declare function useActiveRuns(client: RunClient, options?: ActiveRunsOptions): Accessor<ActiveRunsSnapshot>;

/** One session's status in the feed, `undefined` where none is known: a row is updated only when its own changes. */
export declare function useActiveRunStatus(activeRuns: ActiveRuns, sessionId: Given<string>): Accessor<ActiveRunStatus | undefined>;
