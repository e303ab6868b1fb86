/** A long profile as files: the drawing, a picture of it, its nodes as a table. */

import { t } from "../i18n";
import { csvText, saveText } from "../panels/csv";
import type { LongProfile } from "./profile-chart";

/** A picture is drawn so many times as large as it is on the screen, for paper. */
const SCALE = 2;
const KEEP_MS = 10_000;

const writeDrawing = (drawing: SVGElement): string => new XMLSerializer().serializeToString(drawing);

export const saveDrawing = (name: string, drawing: SVGElement): void =>
  saveText(name, writeDrawing(drawing), "image/svg+xml");

/** Save the drawing as PNG. */
export async function savePicture(name: string, drawing: SVGElement): Promise<void> {
  const source = URL.createObjectURL(new Blob([writeDrawing(drawing)], { type: "image/svg+xml" }));
  const picture = new Image();
  picture.src = source;
  await picture.decode();
  const canvas = document.createElement("canvas");
  canvas.width = picture.width * SCALE;
  canvas.height = picture.height * SCALE;
  canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(source);
  canvas.toBlob((blob) => {
    if (!blob) return;
    const href = URL.createObjectURL(blob);
    const anchor = document.createElement("a");
    anchor.href = href;
    anchor.download = name;
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(href), KEEP_MS);
  });
}

/** Save the nodes with the links that follow them as a table. */
export function saveStations(name: string, { stations, reaches, isDry }: LongProfile): void {
  const level = (value: number | null | undefined): number | string =>
    value === null || value === undefined || !Number.isFinite(value) ? "" : Number(value.toFixed(3));
  const heads = isDry ? [] : [t("profile.highest"), t("profile.moment")];
  const headings = [
    t("profile.node"),
    `${t("profile.distance")} [m]`,
    `${t("profile.ground")} [m]`,
    `${t("profile.bed")} [m]`,
    ...heads.map((words) => `${words} [m]`),
    t("profile.link"),
    `${t("profile.linkBed")} [m]`,
    `${t("profile.linkCrown")} [m]`,
  ];
  const rows = stations.id.map((id, at) => [
    id,
    level(stations.distance[at]),
    level(stations.rim[at]),
    level(stations.invert[at]),
    ...(isDry ? [] : [level(stations.max_head[at]), level(stations.head[at])]),
    reaches.id[at] ?? "",
    level(reaches.start_bed[at]),
    level(reaches.start_crown[at]),
  ]);
  saveText(name, csvText([headings, ...rows]));
}
