// What Web IDL gives an interface and a class does not: constants, enumerable members, event handler attributes. Code that lists,
// wraps or mocks a native class looks at these.

const EVERYWHERE = { enumerable: true, configurable: true };

// Of each object its handlers, by type. Who is not in it is no object of ours, and gets the TypeError that a native class throws.
const handlers = new WeakMap();

const { addEventListener, removeEventListener } = EventTarget.prototype;

const handlersOf = (target) => {
  const own = handlers.get(target);
  if (!own) throw new TypeError('Illegal invocation');
  return own;
};

const isObject = (value) => typeof value === 'function' || (typeof value === 'object' && value !== null);

// A handler has the place among the listeners that it took when it was first set, until it is set to null.
const handlerOf = (type) => ({
  ...EVERYWHERE,
  get() {
    return handlersOf(this)[type]?.value ?? null;
  },
  set(value) {
    const own = handlersOf(this);
    const held = own[type];
    if (held && isObject(value)) {
      held.value = value;
    } else if (held) {
      removeEventListener.call(this, type, held.listen);
      own[type] = undefined;
    } else if (isObject(value)) {
      const slot = own[type] = {
        value,
        listen: (event) => {
          if (typeof slot.value === 'function') slot.value.call(this, event);
        },
      };
      addEventListener.call(this, type, slot.listen);
    }
  },
});

/** For the constructor: from here on `target` has handlers. */
export const adopt = (target) => handlers.set(target, {});

/** `states`: the constants' names, from 0. `types`: of the handlers. `members`: what a native class has besides. */
export const shapeAs = (Class, name, { states, types, members }) => {
  const { prototype } = Class;
  states.forEach((state, value) => {
    for (const owner of [Class, prototype]) Object.defineProperty(owner, state, { value, enumerable: true });
  });
  for (const type of types) Object.defineProperty(prototype, `on${type}`, handlerOf(type));
  for (const member of members) Object.defineProperty(prototype, member, EVERYWHERE);
  Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
};
