/** Projects of the plan as the panel needs them: stage, progress against plan, money, dates, whether late. */

import { readItems, request } from "../api";
import type { Item } from "../types";

export const PROJECTS = "planning_projects";
const MOST = "1000";

export interface Project {
  id: string;
  name: string;
  type: string;
  stage: string;
  progress: number;
  planned: number | null;
  quality: string | null;
  budget: number | null;
  spent: number | null;
  start: string | null;
  finish: string | null;
  expected: string | null;
  ward: string;
  geometry: GeoJSON.Geometry | null;
  /** Not finished although its end has passed. */
  late: boolean;
  /** Expected to end after the end that was set. */
  slipping: boolean;
  /** Less done than planned for today. */
  behind: boolean;
}

const DONE: readonly string[] = ["finished", "cancelled"];
const BEHIND = 0.05;

const text = (value: unknown): string | null => (typeof value === "string" ? value : null);
const number = (value: unknown): number | null => (typeof value === "number" ? value : null);

/** Whether somebody should look after a project. */
export const isBad = ({ late, slipping, behind }: Project): boolean => late || slipping || behind;

export function readProject({ id, geometry, properties }: Item, today: string): Project {
  const [finish, expected] = [text(properties["finish"]), text(properties["expected_finish"])];
  const stage = text(properties["stage"]) ?? "";
  const [progress, planned] = [number(properties["progress"]) ?? 0, number(properties["planned_progress"])];
  const open = !DONE.includes(stage);
  return {
    id,
    geometry,
    stage,
    progress,
    planned,
    finish,
    expected,
    name: text(properties["name"]) ?? id,
    type: text(properties["project_type"]) ?? "",
    quality: text(properties["quality"]),
    budget: number(properties["budget"]),
    spent: number(properties["spent"]),
    start: text(properties["start"]),
    ward: text(properties["ward_code"]) ?? "",
    late: open && finish !== null && finish < today,
    slipping: open && finish !== null && finish >= today && expected !== null && expected > finish,
    behind: open && planned !== null && planned - progress > BEHIND,
  };
}

/** Return all projects, the first to begin first. */
export async function readProjects(): Promise<Project[]> {
  const today = new Date().toISOString().slice(0, 10);
  const { features } = await readItems(PROJECTS, { limit: MOST });
  return features.map((item) => readProject(item, today)).sort((a, b) => (a.start ?? "").localeCompare(b.start ?? ""));
}

export interface ZoneSum {
  zone: string | null;
  count: number;
  area: number;
}

/** Return count and area of the zoning by class. */
export const readZones = async (): Promise<ZoneSum[]> =>
  (await request<{ groups: ZoneSum[] }>("/api/collections/zoning/aggregate?group_by=zone&measure=count,area")).groups;
