// Kept for this origin, over restarts of the browser and for its other tabs. Everything takes a moment here, and what is written
// while the page goes away may not arrive. Storage that cannot be used is none.

const STORE = 'runs';

// Some browsers have let an open hang for ever; nobody waits for it longer than this.
const PATIENCE_MS = 1000;

const open = (name) => new Promise((resolve, reject) => {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  request.onsuccess = () => resolve(request.result);
  request.onerror = request.onblocked = reject;
});

const within = (promise) => new Promise((resolve, reject) => {
  const timer = setTimeout(reject, PATIENCE_MS);
  promise.then(resolve, reject).finally(() => clearTimeout(timer));
});

const startingWith = (start) => IDBKeyRange.bound(start, `${start}\uffff`);

export const keepInDatabase = (name = 'steadystream') => {
  let opened;

  const act = async (mode, ask) => {
    try {
      opened ??= open(name);
      const database = await within(opened);
      database.onversionchange = () => {
        database.close();
        opened = undefined;
      };
      return await within(new Promise((resolve, reject) => {
        const transaction = database.transaction(STORE, mode);
        const request = ask(transaction.objectStore(STORE));
        transaction.oncomplete = () => resolve(request.result ?? null);
        transaction.onabort = reject;
      }));
    } catch {
      opened = undefined;
      return null;
    }
  };

  return {
    read: (key) => act('readonly', (store) => store.get(key)),
    write: (key, text) => act('readwrite', (store) => {
      const request = store.put(text, key);
      // The page may be gone before it could be told that the request has succeeded.
      store.transaction.commit();
      return request;
    }),
    list: async (start) => (await act('readonly', (store) => store.getAll(startingWith(start)))) ?? [],
    remove: (key) => act('readwrite', (store) => store.delete(key)),
    clear: (start) => act('readwrite', (store) => store.delete(startingWith(start))),
    sweep: (isStale) => act('readwrite', (store) => {
      const request = store.openCursor();
      request.onsuccess = () => {
        const { result: cursor } = request;
        if (!cursor) return;
        if (isStale(cursor.value)) cursor.delete();
        cursor.continue();
      };
      return request;
    }),
  };
};
