/** The panel of the inventory: what the city has, asked, changed and mended. */

import "../styles/work.css";
import type { Map as MapView } from "maplibre-gl";
import { addWords, t } from "../i18n";
import { tableEn } from "../i18n/table-en";
import { tableVi } from "../i18n/table-vi";
import { workEn } from "../i18n/work-en";
import { workVi } from "../i18n/work-vi";
import { makeTools, type Part } from "../panels/tools";
import { getState, JOBS, type Job, setState } from "../state";
import { queryPart } from "../table/query-part";
import type { ZoomToItem } from "../types";
import { bulkPart } from "../work/bulk-part";
import { checksPart } from "../work/checks-part";
import { editsPart } from "../work/edits-part";
import { ordersPart } from "../work/orders-part";
import { quarantinePart } from "../work/quarantine-part";

addWords({ vi: tableVi, en: tableEn });
addWords({ vi: workVi, en: workEn });

const BUILD: Record<Job, (map: MapView, zoomToItem: ZoomToItem) => Part> = {
  query: queryPart,
  edits: editsPart,
  bulk: bulkPart,
  quarantine: quarantinePart,
  orders: ordersPart,
  checks: checksPart,
};

/** Build the panel. */
export const inventoryPanel = (map: MapView, zoomToItem: ZoomToItem): HTMLElement =>
  makeTools<Job>(map, {
    tab: "inventory",
    uses: JOBS,
    key: "job",
    chosen: () => getState().job,
    choose: (job) => setState({ job }),
    title: (job) => t(`job.${job}`),
    build: (job) => BUILD[job](map, zoomToItem),
  });
