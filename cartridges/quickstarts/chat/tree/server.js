'use strict';
const fs = require('fs');
const http = require('http');
const path = require('path');
const { WebSocket, WebSocketServer } = require('ws');

const KEPT = 50; // messages that a newcomer sees
const NAME_LENGTH = 30;
const TEXT_LENGTH = 500;
const PING_MS = 30000; // who does not answer until the next one is gone

const FILES = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/chat.js': ['chat.js', 'text/javascript; charset=utf-8'],
  '/style.css': ['style.css', 'text/css; charset=utf-8'],
};

const server = http.createServer((request, response) => {
  const [name, type] = FILES[request.url.split('?')[0]] || [];
  if (!name) {
    response.writeHead(404, { 'Content-Type': 'text/plain' });
    response.end('There is nothing here.\n');
    return;
  }
  response.writeHead(200, { 'Content-Type': type, 'Cache-Control': 'no-cache' });
  fs.createReadStream(path.join(__dirname, 'public', name)).pipe(response);
});

const room = new WebSocketServer({ server, path: '/room', maxPayload: 16 * 1024 });
const said = [];

function tellAll(message) {
  const text = JSON.stringify(message);
  for (const client of room.clients) {
    if (client.readyState === WebSocket.OPEN) client.send(text);
  }
}

function tellHowMany() {
  tellAll({ kind: 'people', count: room.clients.size });
}

// What a browser has sent, as a message for all; null if it is none.
function read(data) {
  try {
    const { name, text } = JSON.parse(data);
    const message = {
      kind: 'message',
      name: String(name || '').trim().slice(0, NAME_LENGTH) || 'Somebody',
      text: String(text || '').trim().slice(0, TEXT_LENGTH),
      time: new Date().toISOString(),
    };
    return message.text ? message : null;
  } catch {
    return null;
  }
}

room.on('connection', (client) => {
  client.isAlive = true;
  client.on('pong', () => { client.isAlive = true; });
  client.on('error', () => client.terminate());
  client.on('close', tellHowMany);
  client.on('message', (data) => {
    const message = read(data);
    if (!message) return;
    said.push(message);
    if (said.length > KEPT) said.shift();
    tellAll(message);
  });
  for (const message of said) client.send(JSON.stringify(message));
  tellHowMany();
});

setInterval(() => {
  for (const client of room.clients) {
    if (!client.isAlive) {
      client.terminate();
    } else {
      client.isAlive = false;
      client.ping();
    }
  }
}, PING_MS).unref();

server.listen(process.env.PORT || 8080, process.env.HOST || '127.0.0.1');

// A push: the browsers come back by themselves when the new code listens.
process.on('SIGTERM', () => {
  server.close();
  for (const client of room.clients) client.close(1012, 'restart');
  setTimeout(() => process.exit(), 2000).unref();
});
