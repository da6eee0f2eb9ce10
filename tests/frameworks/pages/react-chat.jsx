// What is rendered on a server and taken up in the page: a run, the badge and the sidebar's rows.
import { useActiveRuns, useConnection, useRun } from 'steadystream/react';

export function Chat({ client, run }) {
  const { text, status } = useRun(client, run);
  const { state } = useConnection(client);
  const { ready, runs } = useActiveRuns(client);
  return (
    <section>
      <p id="text">{text}</p>
      {status === 'idle' || status === 'pending' ? null : <i id="status">{status}</i>}
      <b id="badge">{state}</b>
      <ul id="rows">{ready ? runs.map(({ sessionId, status: one }) => <li key={sessionId}>{one}</li>) : null}</ul>
    </section>
  );
}
