'use strict';
const fs = require('fs');
const http = require('http');
const path = require('path');

const env = process.env;
const name = env.OPENSHIFT_APP_NAME || 'my application';
const page = fs.readFileSync(path.join(__dirname, 'index.html'), 'utf8');

function escape(text) {
  return String(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function welcome(request) {
  const facts = {
    name,
    repository: `ssh://${env.OPENSHIFT_GEAR_UUID}@${env.OPENSHIFT_GEAR_DNS}/~/git/${name}.git/`,
    address: request.headers.host,
    version: process.version,
    database: env.OPENSHIFT_MYSQL_DB_HOST
      ? `MySQL at ${env.OPENSHIFT_MYSQL_DB_HOST}:${env.OPENSHIFT_MYSQL_DB_PORT}`
      : 'none yet',
    gear: env.OPENSHIFT_GEAR_UUID,
  };
  return page.replace(/\{\{(\w+)\}\}/g, (whole, key) => escape(facts[key]));
}

const server = http.createServer((request, response) => {
  if (request.url.split('?')[0] !== '/') {
    response.writeHead(404, { 'Content-Type': 'text/plain' });
    response.end('There is nothing here.\n');
    return;
  }
  response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
  response.end(welcome(request));
});

server.listen(env.OPENSHIFT_NODEJS_PORT || 8080, env.OPENSHIFT_NODEJS_IP || '127.0.0.1');

// What is being answered is answered to its end.
process.on('SIGTERM', () => server.close());
