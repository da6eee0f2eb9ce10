import { createLiveStore, useLiveStore } from '../lib/live-stores.js';
import { mount } from '../lib/sidebar.js';
import expert from './expert.js';

export default {
  name: "expert's JS, React",
  title: "the expert's JS, told of every event",
  role: 'reference',

  render(urls) {
    mount(urls.map((url) => createLiveStore(url, expert.open, false)), useLiveStore);
  },
};
