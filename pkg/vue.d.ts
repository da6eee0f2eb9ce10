import type {
  ActiveRunStatus, ActiveRuns, ActiveRunsOptions, ActiveRunsSnapshot, ConnectionSnapshot, RunClient, RunName, RunSnapshot, RunStream, RunView,
  RunViewSnapshot, Store,
} from './index.js';
import type { ComputedRef, MaybeRefOrGetter } from 'vue';

/**
 * A store as a ref: its snapshot, or what `select` makes of it. What depends on it runs again when that changes. Left with the scope. While
 * hydrating it has `getServerSnapshot()`, until the component is mounted.
 */
export declare function useStore<T>(store: MaybeRefOrGetter<Store<T>>): ComputedRef<T>;
export declare function useStore<T, S>(store: MaybeRefOrGetter<Store<T>>, select: (snapshot: T) => S): ComputedRef<S>;

/**
 * A run, by its name: {@link RunClient.run} opens it when the first component is there, and closes it a second after the last is gone. Or a
 * stream that is at hand. `null`: none, and so is the snapshot.
 */
export declare function useRun(client: RunClient, run: MaybeRefOrGetter<RunStream>): ComputedRef<RunSnapshot>;
export declare function useRun(client: RunClient, run: MaybeRefOrGetter<RunName | RunView>): ComputedRef<RunViewSnapshot>;
export declare function useRun(
  client: RunClient, run: MaybeRefOrGetter<RunName | RunView | RunStream | null | undefined>,
): ComputedRef<RunViewSnapshot | null>;

/** The badge: {@link RunClient.connection}. */
export declare function useConnection(client: RunClient): ComputedRef<ConnectionSnapshot>;

/** The sidebar's feed, {@link RunClient.activeRuns}: connected while something shows it. */
export declare function useActiveRuns(client: RunClient, options?: ActiveRunsOptions): ComputedRef<ActiveRunsSnapshot>;

/** One session's status in the feed, `undefined` where none is known: a row is updated only when its own changes. */
export declare function useActiveRunStatus(activeRuns: ActiveRuns, sessionId: MaybeRefOrGetter<string>): ComputedRef<ActiveRunStatus | undefined>;
