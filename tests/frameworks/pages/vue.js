// The Vue adapter in a page: as react.jsx.
import { createApp, createSSRApp, defineComponent, h, nextTick, shallowReactive } from 'vue';
import { RunClient } from 'steadystream';
import { useActiveRunStatus, useRun, useStore } from 'steadystream/vue';
import { Chat } from './vue-chat.js';
import { frame, makeActiveRuns, makeStore, talk } from './stream.js';

const renders = {};
const count = (what) => { renders[what] = (renders[what] ?? 0) + 1; };

const Block = defineComponent({
  props: ['block'],
  setup: (props) => () => {
    count(`block ${props.block.seq} ${props.block.state} ${props.block.text.length}`);
    return h('p', props.block.text);
  },
});

const views = {
  Answer: defineComponent({
    props: ['client', 'run'],
    setup(props) {
      const run = useRun(props.client, () => props.run);
      return () => {
        count('Answer');
        return [h('i', { id: 'status' }, run.value?.status ?? 'none'), run.value?.blocks.map((block) => h(Block, { key: block.seq, block }))];
      };
    },
  }),
  Row: defineComponent({
    props: ['activeRuns', 'id'],
    setup(props) {
      const status = useActiveRunStatus(props.activeRuns, () => props.id);
      return () => {
        count(`Dot ${props.id}`);
        return h('i', { id: props.id }, status.value ?? 'none');
      };
    },
  }),
  Values: defineComponent({
    props: ['store', 'field'],
    setup(props) {
      const value = useStore(() => props.store, (snapshot) => snapshot[props.field]);
      return () => {
        count(`Value ${props.field}`);
        return h('i', { id: props.field }, value.value);
      };
    },
  }),
  Chat,
};

let mounted;
globalThis.app = {
  renders, frame, talk, makeStore, makeActiveRuns, RunClient,
  async mount(list, { isHydrating = false } = {}) {
    const extra = shallowReactive({});
    app.set = (more) => { Object.assign(extra, more); };
    const all = () => list.map(([name, props], i) => h(views[name], { key: i, ...props, ...extra }));
    // What was rendered on the server is one component.
    const component = isHydrating ? defineComponent(() => () => h(views[list[0][0]], list[0][1])) : defineComponent(() => () => all());
    mounted = (isHydrating ? createSSRApp : createApp)(component);
    mounted.mount('#root');
    await nextTick();
    await frame();
    await frame();
  },
  unmount: () => mounted.unmount(),
};
