import { app } from './app.js';

const port = Number(process.env.PORT ?? 3000);
const server = app.listen(port, () => console.log(`Listening on port ${port}`));

// A container is stopped with SIGTERM: finish what is under way, then leave.
process.on('SIGTERM', () => server.close());
