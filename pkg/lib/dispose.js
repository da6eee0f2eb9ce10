// `using run = client.open(…)`, where the language has it. Elsewhere the method waits under the name that polyfills use.
export const dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose');
