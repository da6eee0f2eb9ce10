'use client';

import { useEffect } from 'react';
import { RunClient } from 'steadystream';
import { useStore } from 'steadystream/react';
import { feed, report } from '../report.js';
import { use } from '../use.js';

// One on the server and one in the page; neither opens anything before it is asked to.
const { connection } = new RunClient({ baseUrl: '/bi-chat' });

export function Run() {
  const { state } = useStore(connection);
  useEffect(() => {
    report([use(feed())]);
  }, []);
  return <p id="connection">{state}</p>;
}
