import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// steadystream needs nothing here. BACKEND is whatever speaks its protocol; in production both are one origin.
export default defineConfig({
  plugins: [react()],
  base: './',
  server: { proxy: { '/bi-chat': process.env.BACKEND ?? 'http://127.0.0.1:8080' } },
});
