// @camptocamp/ogc-client reads a running twin: what it takes a collection for, queryables, items, vector tiles.
// node tests/clients/ogc_client.mjs http://127.0.0.1:8000 FOLDER_OF_MODULES

import { pathToFileURL } from "node:url";

const [base, folder] = process.argv.slice(2);
const { OgcApiEndpoint } = await import(
  pathToFileURL(`${folder}/node_modules/@camptocamp/ogc-client/dist/dist-node.js`).href
);

function need(holds, words) {
  if (!holds) throw new Error(words);
}

const endpoint = new OgcApiEndpoint(`${base}/api`);
need((await endpoint.info).title, "the landing page has no title");
need(await endpoint.hasFeatures, "no features are seen");
need(await endpoint.hasTiles, "no tiles are seen");
const features = await endpoint.featureCollections;
need(features.includes("buildings"), `collections of features: ${features}`);
const tiled = await endpoint.vectorTileCollections;
need(tiled.includes("buildings"), `collections with vector tiles: ${tiled}`);
const collection = await endpoint.getCollectionInfo("buildings");
const queryables = (collection.queryables ?? []).map((each) => each.name);
need(queryables.includes("use"), `queryables: ${queryables}`);
const items = await endpoint.getCollectionItems("buildings", 5);
need(items.length === 5, `${items.length} items instead of 5`);
const sets = collection.supportedTileMatrixSets ?? [];
const url = await endpoint.getVectorTilesetUrl("buildings");
need(String(url).includes("/buildings/tiles/"), `tileset: ${url}`);
console.log(
  `${features.length} collections, ${queryables.length} queryables, ${tiled.length} with vector tiles, ${sets.length} tile matrix sets`,
);
