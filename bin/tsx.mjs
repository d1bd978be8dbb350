// Runs TypeScript files: node --import ./bin/tsx.mjs file.ts
// As root without tsx's cache, a folder with a known name in the system's temporary one: where it is missing, any other user,
// a build for example, could make it and put code there that root would run at its next start.
if (process.getuid?.() === 0) process.env.TSX_DISABLE_CACHE = '1';
await import('tsx');
