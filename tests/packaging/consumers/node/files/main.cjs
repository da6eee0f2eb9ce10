// CommonJS that requires what is a module; its library.js is the package itself.
const { RunClient, createRunCore } = require('steadystream');
const { settled } = require('./report.js');
const { use } = require('./use.js');

if (typeof RunClient !== 'function' || typeof createRunCore !== 'function') throw new Error('require() gave no names');
settled(use(process.argv[2])).then((outcome) => console.log(JSON.stringify([outcome])));
