// The Solid adapter in a page: as react.jsx.
import { For, Show, createSignal, from } from 'solid-js';
import { hydrate, render } from 'solid-js/web';
import { RunClient } from 'steadystream';
import { useActiveRunStatus, useRun, useStore } from 'steadystream/solid';
import { Chat } from './solid-chat.solid.jsx';
import { frame, makeActiveRuns, makeStore, talk } from './stream.js';

const renders = {};
const count = (what, value) => {
  renders[what] = (renders[what] ?? 0) + 1;
  return value;
};

const Answer = (props) => {
  const run = useRun(props.client, () => props.run);
  return (
    <>
      <i id="status">{count('Answer', run()?.status ?? 'none')}</i>
      <For each={run()?.blocks}>{(block) => <p>{count(`block ${block.seq} ${block.state} ${block.text.length}`, block.text)}</p>}</For>
    </>
  );
};
const Row = (props) => {
  const status = useActiveRunStatus(props.activeRuns, () => props.id);
  return <i id={props.id}>{count(`Dot ${props.id}`, status() ?? 'none')}</i>;
};
const Values = (props) => {
  // Read once: whatever else the test gives makes all that is read of the props new.
  const { field } = props;
  const value = useStore(() => props.store, (snapshot) => snapshot[field]);
  return <i id={field}>{count(`Value ${field}`, value())}</i>;
};
// The store contract alone: no adapter.
const Plain = (props) => {
  const run = from(props.run);
  return <Show when={run()}><b id="plain">{run().text}</b></Show>;
};

const views = { Answer, Row, Values, Plain, Chat };
let dispose;
globalThis.app = {
  renders, frame, talk, makeStore, makeActiveRuns, RunClient,
  async mount(list, { isHydrating = false } = {}) {
    const [extra, setExtra] = createSignal({});
    app.set = (more) => setExtra((old) => ({ ...old, ...more }));
    const host = document.getElementById('root');
    if (isHydrating) dispose = hydrate(() => <Chat {...list[0][1]} />, host);
    else {
      dispose = render(() => list.map(([name, props]) => {
        const View = views[name];
        return <View {...props} {...extra()} />;
      }), host);
    }
    await frame();
    await frame();
  },
  unmount: () => dispose(),
};
