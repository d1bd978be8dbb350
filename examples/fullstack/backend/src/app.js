import { randomUUID } from 'node:crypto';
import express from 'express';

const entries = [];

export const app = express();
app.use(express.json({ limit: '10kb' }));

// For a page of another origin; the one beside it has the same.
app.use((_request, response, next) => {
  response.set({ 'access-control-allow-origin': '*', 'access-control-allow-headers': 'content-type' });
  next();
});

app.get('/healthz', (_request, response) => {
  response.json({ ok: true });
});

app.get('/api', (_request, response) => {
  response.json({ entries: '/api/entries' });
});

app.get('/api/entries', (_request, response) => {
  response.json(entries);
});

app.post('/api/entries', (request, response) => {
  const name = typeof request.body?.name === 'string' ? request.body.name.trim() : '';
  if (name === '' || name.length > 40) {
    response.status(400).json({ error: 'name must be 1 to 40 characters' });
    return;
  }
  entries.unshift({ id: randomUUID(), name, at: new Date().toISOString() });
  entries.length = Math.min(entries.length, 100);
  response.status(201).json(entries);
});
