// Runs TypeScript files: node --import ./bin/tsx.mjs file.ts
// As root tsx's cache is switched off: it is a folder with a known name in the system's temporary folder, which another
// user, such as a build, could create first and fill with code that root would run at its next start.
if (process.getuid?.() === 0) process.env.TSX_DISABLE_CACHE = '1';
await import('tsx');
