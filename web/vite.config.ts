import { defineConfig } from "vite";

const server = "http://127.0.0.1:8000";

export default defineConfig({
  base: "./",
  build: {
    target: "es2022",
    chunkSizeWarningLimit: 1600,
    rolldownOptions: {
      input: ["index.html", "wall.html", "widget.html"],
      // The map library changes seldom: in a file of its own a browser keeps it from one release to the next.
      output: { advancedChunks: { groups: [{ name: "maplibre", test: /node_modules\/maplibre-gl/ }] } },
    },
  },
  worker: { format: "es" },
  server: { proxy: { "/api": server, "/tiles": server, "/sensors": server } },
});
