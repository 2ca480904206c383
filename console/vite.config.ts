import { defineConfig } from "vite";

/** Builds the console into `dist/console`. Nothing is inlined: the Content-Security-Policy takes files of the server only. */
export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../dist/console",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: false,
    target: "es2022",
  },
});
