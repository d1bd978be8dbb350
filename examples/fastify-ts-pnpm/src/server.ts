import Fastify from 'fastify';

const app = Fastify({ logger: true });

app.get('/healthz', async () => ({ ok: true }));

app.get<{ Querystring: { name: string } }>(
  '/greeting',
  {
    schema: {
      querystring: {
        type: 'object',
        properties: { name: { type: 'string', maxLength: 40, default: 'world' } },
      },
    },
  },
  async (request) => ({ greeting: `Hello, ${request.query.name}` }),
);

// A container is stopped with SIGTERM: finish what is under way, then leave.
process.once('SIGTERM', () => void app.close());

// Not only loopback: a container is reached from outside.
await app.listen({ host: '0.0.0.0', port: Number(process.env.PORT ?? 3000) });
