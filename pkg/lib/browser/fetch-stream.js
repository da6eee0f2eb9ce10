// A request over `fetch`, told piece by piece: any method, own headers, the status in sight, a cursor on the first connection.

/** The members of a JSON object as the fields of a form: text as it is, each of an array's elements, anything else as JSON. */
const toForm = (json) => {
  const form = new FormData();
  for (const [name, value] of Object.entries(JSON.parse(json))) {
    for (const field of Array.isArray(value) ? value : [value]) form.append(name, typeof field === 'string' ? field : JSON.stringify(field));
  }
  return form;
};

/**
 * `request`: { url, body (JSON, or null for a GET), how ('form': the body as a form; 'delete'; 'put'), cursor, accept, keepalive, credentials }. `headers`: undefined, or a function that
 * gives a promise of fresh `Headers`; it is asked anew for every attempt. `tell`: { head(response), chunk(bytes), end(how) };
 * at most one head, at most one end, and none before this returns. Gives what aborts the request; nothing is told after that.
 */
export const openFetch = ({ url, body, how, cursor, accept, keepalive, credentials }, headers, tell) => {
  const abort = new AbortController();
  const { signal } = abort;
  const end = (how) => {
    if (signal.aborted) return;
    // A stream that is over is aborted as well: that does nothing, and says so to whatever still comes.
    abort.abort();
    tell.end(how);
  };
  const fail = () => end('failed');
  const read = (reader) => reader.read().then(({ done, value }) => {
    if (signal.aborted) return;
    if (done) {
      end('ended');
    } else {
      tell.chunk(value);
      read(reader);
    }
  }, fail);
  const takeHead = (response) => {
    if (signal.aborted) return;
    tell.head(response);
    if (signal.aborted) return;
    if (!response.body) {
      end('ended');
      return;
    }
    let reader;
    try {
      reader = response.body.getReader();
    } catch {
      // A page may wrap `fetch` and read the response itself: no reader can be had then.
      fail();
      return;
    }
    read(reader);
  };
  const ask = async (given) => {
    if (signal.aborted) return undefined;
    const all = given ?? new Headers();
    all.set('Accept', accept);
    if (cursor !== null) {
      try {
        all.set('Last-Event-ID', cursor);
      } catch {
        // A header takes no character beyond Latin-1. The cursor is in the query, too.
      }
    }
    const init = { headers: all, credentials, cache: 'no-store', signal };
    if (how === 'delete' || how === 'put') init.method = how.toUpperCase();
    if (body !== null) {
      init.method = 'POST';
      init.keepalive = keepalive;
      if (how === 'form') {
        // The browser says what separates the fields.
        all.delete('Content-Type');
        init.body = toForm(body);
      } else {
        all.set('Content-Type', 'application/json');
        init.body = body;
      }
    }
    return fetch(url, init);
  };
  const start = (given) => ask(given).then((response) => response && takeHead(response), fail);
  // Without headers of the user's no turn of the event loop is lost.
  if (headers) headers().then(start, fail);
  else start();
  return () => abort.abort();
};
