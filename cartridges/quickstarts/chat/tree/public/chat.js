'use strict';

const RETRY_MS = 2000;
const [people, messages, form, name, text] =
  ['people', 'messages', 'say', 'name', 'text'].map((id) => document.getElementById(id));
let socket;

function element(kind, content) {
  const made = document.createElement(kind);
  made.textContent = content;
  return made;
}

const show = {
  people({ count }) {
    people.textContent = count === 1 ? 'You are alone here' : `${count} people are here`;
  },
  message(message) {
    const item = document.createElement('li');
    item.classList.toggle('own', message.name === name.value.trim());
    const time = element('time', new Date(message.time).toLocaleTimeString([], { timeStyle: 'short' }));
    time.dateTime = message.time;
    item.append(element('b', message.name), time, element('p', message.text));
    messages.append(item);
    item.scrollIntoView({ block: 'end' });
  },
};

function connect() {
  const address = new URL('room', location.href);
  address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  socket = new WebSocket(address);
  // The server says again what was said, so an old list would be there twice.
  socket.addEventListener('open', () => messages.replaceChildren());
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(data);
    show[message.kind]?.(message);
  });
  socket.addEventListener('close', () => {
    people.textContent = 'Connecting again…';
    setTimeout(connect, RETRY_MS);
  });
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (socket.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify({ name: name.value, text: text.value }));
  localStorage.setItem('name', name.value);
  text.value = '';
});

name.value = localStorage.getItem('name') || '';
connect();
