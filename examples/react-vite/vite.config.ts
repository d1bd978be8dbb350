import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  // What may be compiled into the page: our own VITE_ variables and two facts of the build, by their full names.
  envPrefix: ['VITE_', 'VEREN_GIT_COMMIT', 'VEREN_DEPLOYMENT_ID'],
});
