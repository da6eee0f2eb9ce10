// What is rendered on a server and taken up in the page.
import { For, Show } from 'solid-js';
import { useActiveRuns, useConnection, useRun } from 'steadystream/solid';

export const Chat = (props) => {
  const run = useRun(props.client, { sessionId: 's' });
  const badge = useConnection(props.client);
  const active = useActiveRuns(props.client);
  return (
    <section>
      <p id="text">{run().text}</p>
      <Show when={run().status !== 'idle'}><i id="status">{run().status}</i></Show>
      <b id="badge">{badge().state}</b>
      <ul><For each={active().runs}>{({ status }) => <li>{status}</li>}</For></ul>
    </section>
  );
};
