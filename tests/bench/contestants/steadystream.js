import { createRunCore } from '../../../pkg/index.js';

export default {
  name: 'steadystream',
  title: 'steadystream (createRunCore)',
  role: 'ours',

  open() {
    const core = createRunCore();
    return {
      push: (bytes) => core.push(bytes),
      snapshot: () => core.snapshot(),
      close: () => core.free(),
    };
  },
};
