import { defineConfig } from "vite";

import { licenses } from "./licenses";

/** The server mounts the built folder here, beside /graphql. */
const MOUNTED_AT = "static/graphiql/";

export default defineConfig({
  plugins: [licenses()],
  build: {
    outDir: "../../api/pages/graphiql",
    emptyOutDir: true,
    target: "es2022",
    sourcemap: false,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 5000,
    rollupOptions: {
      onwarn(warning, warn) {
        // "use client" is for servers that render React; there is none here.
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") warn(warning);
      },
    },
  },
  worker: { format: "es" },
  experimental: {
    // The page is opened at /graphql and its files lie under /static/graphiql/: addresses in the HTML are relative to
    // the page, those in scripts and styles relative to the file, so that a proxy may put all of it under a prefix.
    renderBuiltUrl: (file, { hostType }) => (hostType === "html" ? `./${MOUNTED_AT}${file}` : { relative: true }),
  },
});
