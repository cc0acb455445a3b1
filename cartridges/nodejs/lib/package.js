// What package.json says:
//     package.js start         the shell command that runs the application
//     package.js missing [DIR] dependencies that are neither in node_modules nor Debian's, one a line; what start would
//                              print is written to DIR as well, if package.json alone says it
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

// The order of `npm start`, with "main" before the names it would guess. A debugger may look at the first `node` of a script.
function start({ scripts = {}, main }) {
  const flag = process.env.nodejs_inspect ? `--inspect=${process.env.nodejs_inspect} ` : '';
  if (scripts.start) {
    const debugged = flag && `node() { command node ${flag}"$@"; }\n`;
    return `${scripts.prestart ? `( ${scripts.prestart}\n) || exit\n` : ''}${debugged}${scripts.start}`;
  }
  const file = main || ['server.js', 'app.js', 'index.js'].find((name) => fs.existsSync(name));
  return file
    ? `exec node ${flag}${quote(file)}`
    : fail('There is nothing to start: package.json needs "scripts": {"start": …} or "main", ' +
           'or the repository a server.js or app.js');
}

// Whether a package of Debian (node-ws …) has what the range allows, which is `*` or what npm writes, `^8.1.0`.
// A lock file says the one version that it is to be.
function isDebians(name, range) {
  const file = `/usr/share/nodejs/${name}/package.json`;
  if (fs.existsSync('package-lock.json') || !fs.existsSync(file)) return false;
  const has = String(JSON.parse(fs.readFileSync(file, 'utf8')).version).split('.').map(Number);
  const wants = /^\^([1-9]\d*)\.(\d+)\.(\d+)$/.exec(range);
  if (!wants) return range === '*';
  const [major, minor, patch] = wants.slice(1).map(Number);
  return has[0] === major && (has[1] > minor || (has[1] === minor && has[2] >= patch));
}

function remember(directory, json) {
  const isSaid = ((json.scripts && json.scripts.start) || json.main) && !process.env.nodejs_inspect;
  fs.copyFileSync('package.json', `${directory}/package.json`);
  fs.writeFileSync(`${directory}/command`, isSaid ? `${start(json)}\n` : '');
}

function missing(json, directory) {
  if (directory) remember(directory, json);
  const { dependencies = {} } = json;
  return Object.entries(dependencies)
    .filter(([name, range]) => !fs.existsSync(`node_modules/${name}/package.json`) && !isDebians(name, range))
    .map(([name]) => name)
    .join('\n');
}

console.log({ start, missing }[process.argv[2]](readPackage(), process.argv[3]));
