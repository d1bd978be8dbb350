// Loaded into a process before its program (`node --import`): writes into SENT_BYTES_FILE what it has sent over TCP.
import { subscribe } from 'node:diagnostics_channel';
import { writeFileSync } from 'node:fs';

const sockets = new Set();
subscribe('net.client.socket', ({ socket }) => sockets.add(socket));
process.on('exit', () => {
  const bytes = [...sockets].reduce((sum, socket) => sum + socket.bytesWritten, 0);
  writeFileSync(process.env.SENT_BYTES_FILE, String(bytes));
});
