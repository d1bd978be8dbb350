import express from 'express';

const app = express();

app.get('/', (_request, response) => {
  response.type('text/plain').send('Hello from a container.\n');
});

app.get('/healthz', (_request, response) => {
  response.json({ ok: true });
});

const server = app.listen(Number(process.env.PORT ?? 3000));

// A container is stopped with SIGTERM: finish what is under way, then leave.
process.once('SIGTERM', () => server.close());
