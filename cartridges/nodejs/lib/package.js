// What package.json says:
//     package.js start         the shell command that runs the application
//     package.js missing       dependencies that are not in node_modules, one a line
// npm, which would know too, is optional on a node.
'use strict';
const fs = require('fs');

function fail(text) {
  console.error(text);
  process.exit(1);
}

function readPackage() {
  if (!fs.existsSync('package.json')) return {};
  try {
    return JSON.parse(fs.readFileSync('package.json', 'utf8'));
  } catch (error) {
    return fail(`package.json cannot be read: ${error.message}`);
  }
}

function quote(text) {
  return `'${text.replace(/'/g, `'\\''`)}'`;
}

// The order of `npm start`, with "main" before the names it would guess.
function start({ scripts = {}, main }) {
  if (scripts.start) {
    return scripts.prestart ? `( ${scripts.prestart}\n) || exit\n${scripts.start}` : scripts.start;
  }
  const file = main || ['server.js', 'app.js', 'index.js'].find((name) => fs.existsSync(name));
  return file
    ? `exec node ${quote(file)}`
    : fail('There is nothing to start: package.json needs "scripts": {"start": …} or "main", ' +
           'or the repository a server.js or app.js');
}

function missing({ dependencies = {} }) {
  return Object.keys(dependencies)
    .filter((name) => !fs.existsSync(`node_modules/${name}/package.json`))
    .join('\n');
}

console.log({ start, missing }[process.argv[2]](readPackage()));
