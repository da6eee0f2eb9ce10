// The React adapter in a page: the test mounts one of the views below and looks at what it shows, and how often.
import { StrictMode, memo, useState } from 'react';
import { createRoot, hydrateRoot } from 'react-dom/client';
import { RunClient } from 'steadystream';
import { useActiveRunStatus, useConnection, useRun, useStore } from 'steadystream/react';
import { Chat } from './react-chat.jsx';
import { frame, makeActiveRuns, makeStore, talk } from './stream.js';

const renders = {};
const count = (what) => { renders[what] = (renders[what] ?? 0) + 1; };

// A finished block is the same object for ever: it counts by that.
const ids = new WeakMap();
const Block = memo(({ block }) => {
  if (!ids.has(block)) ids.set(block, `${block.seq}#${block.state}#${block.text.length}`);
  count(ids.get(block));
  return <p>{block.text}</p>;
});

const Answer = ({ client, run }) => {
  const { blocks, status } = useRun(client, run) ?? { blocks: [], status: 'none' };
  count('Answer');
  return <><i id="status">{status}</i>{blocks.map((block) => <Block key={block.seq} block={block} />)}</>;
};

const Badge = ({ client }) => <b id="badge">{useConnection(client).state}</b>;

const Dot = memo(({ activeRuns, id }) => {
  const status = useActiveRunStatus(activeRuns, id);
  count(`Dot ${id}`);
  return <i id={id}>{status ?? 'none'}</i>;
});

const Value = memo(({ store, field }) => {
  const value = useStore(store, field && ((snapshot) => snapshot[field]));
  count(`Value ${field}`);
  return <i id={field ?? 'value'}>{JSON.stringify(value)}</i>;
});

// A selector that makes a new object of what it is given.
const Fresh = ({ store }) => {
  count('Fresh');
  return <i id="fresh">{useStore(store, ({ a }) => ({ a })).a}</i>;
};

let root;
const app = {
  renders, frame, talk, makeStore, makeActiveRuns, RunClient, errors: [],
  views: { Answer, Badge, Dot, Value, Fresh, Chat },
  /** Mounts views, side by side; `set(props)` gives them other props. */
  async mount(list, { strict = false, hydrate = false } = {}) {
    let update;
    const All = () => {
      const [extra, setExtra] = useState({});
      update = setExtra;
      const all = list.map(([name, props], i) => {
        const View = app.views[name];
        return <View key={i} {...props} {...extra} />;
      });
      return strict ? <StrictMode>{all}</StrictMode> : <>{all}</>;
    };
    const host = document.getElementById('root');
    const onRecoverableError = (error) => app.errors.push(String(error));
    if (hydrate) root = hydrateRoot(host, list.map(([name, props]) => { const View = app.views[name]; return <View key={name} {...props} />; }), { onRecoverableError });
    else {
      root = createRoot(host);
      root.render(strict ? <StrictMode><All /></StrictMode> : <All />);
    }
    await frame();
    await frame();
    app.set = (props) => update(props);
  },
  unmount: () => root.unmount(),
};
globalThis.app = app;
