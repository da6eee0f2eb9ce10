import type {
  ActiveRunStatus, ActiveRuns, ActiveRunsOptions, ActiveRunsSnapshot, ConnectionSnapshot, RunClient, RunName, RunSnapshot, RunStream, RunView,
  RunViewSnapshot, Store,
} from './index.js';

/** What is shown now. Reactive wherever a template, `$derived` or `$effect` reads it; subscribed as long as one does. */
export interface Current<T> {
  readonly current: T;
}

/** A value, or a function that gives it where it may change: `() => chat.id`. */
export type Given<T> = T | (() => T);

/**
 * A store for runes: its snapshot, or what `select` makes of it, as `current`. What depends on it runs again when that changes
 * (`Object.is`). `$store` works with every store as it is.
 */
export declare function useStore<T>(store: Given<Store<T>>): Current<T>;
export declare function useStore<T, S>(store: Given<Store<T>>, select: (snapshot: T) => S): Current<S>;

/**
 * A run, by its name: {@link RunClient.run} opens it when the first component is there, and closes it a second after the last is gone. Or a
 * stream that is at hand. `null`: none, and so is the snapshot.
 */
export declare function useRun(client: RunClient, run: Given<RunStream>): Current<RunSnapshot>;
export declare function useRun(client: RunClient, run: Given<RunName | RunView>): Current<RunViewSnapshot>;
export declare function useRun(
  client: RunClient, run: Given<RunName | RunView | RunStream | null | undefined>,
): Current<RunViewSnapshot | null>;

/** The badge: {@link RunClient.connection}. */
export declare function useConnection(client: RunClient): Current<ConnectionSnapshot>;

/** The sidebar's feed, {@link RunClient.activeRuns}: connected while something shows it. */
export declare function useActiveRuns(client: RunClient, options?: ActiveRunsOptions): Current<ActiveRunsSnapshot>;

/** One session's status in the feed, `undefined` where none is known: a row is updated only when its own changes. */
export declare function useActiveRunStatus(activeRuns: ActiveRuns, sessionId: Given<string>): Current<ActiveRunStatus | undefined>;
