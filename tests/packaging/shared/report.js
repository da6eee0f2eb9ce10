// Where the runner finds what came of it. It says more than "failed": a typed error is a result, too.

/** What the runner has to know of a promise; it never rejects. */
export const settled = (promise) => promise.catch(({ name, code, message }) => ({ name, code, message }));

export const report = async (outcomes) => {
  globalThis.outcomes = await Promise.all(outcomes.map(settled));
};

export const feed = () => new URLSearchParams(location.search).get('feed');

/** What a worker of ours answers. One that does not even start says so. */
export const ask = (worker) => new Promise((resolve, reject) => {
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = ({ message }) => reject(new Error(`the worker: ${message}`));
  worker.postMessage(feed());
});
