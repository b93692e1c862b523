// Two builds with fixed file names: the application, and the login page, which may share no file with it since it is served to anybody.
// No hashes (the server revalidates by ETag), no source maps, nothing inline: the content security policy forbids it.

import { defineConfig } from "vitest/config";

const NAMES = {
  entryFileNames: "assets/[name].js",
  chunkFileNames: "assets/[name].js",
  assetFileNames: "assets/[name][extname]",
};

export default defineConfig(({ mode }) => {
  const login = mode === "login";
  return {
    esbuild: { jsx: "automatic", jsxImportSource: "preact", legalComments: "none" },
    build: {
      target: "es2022",
      emptyOutDir: !login,
      assetsInlineLimit: 0,
      modulePreload: false,
      reportCompressedSize: true,
      rollupOptions: {
        input: login ? { login: "login.html" } : { app: "index.html" },
        output: { ...NAMES, inlineDynamicImports: true },
      },
    },
    // `npm run dev` works against a daemon on this machine.
    server: { proxy: { "/api": process.env.RECFLOW_URL ?? "http://127.0.0.1:8080" } },
    test: { include: ["src/**/*.test.ts"] },
  };
});
