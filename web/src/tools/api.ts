/** What the server knows of addresses and coordinates. */

import { request } from "../api";
import type { Words } from "../types";

export interface Address {
  match: string;
  title: string;
  position: [number, number];
  collection: string;
  id: string;
  score: number;
}

/** One meaning of typed coordinates. */
export interface Reading {
  crs: string;
  position: [number, number];
  how: Words;
  in_city: boolean;
}

/** A place in one of the ways people write it. */
export interface Writing {
  crs: string;
  form: "decimal" | "dms" | "metres";
  text: string;
  how: Words;
}

/** Return places of an address, the best first. */
export async function findAddresses(address: string, limit: number, signal: AbortSignal): Promise<Address[]> {
  const query = new URLSearchParams({ address, limit: String(limit) });
  return (await request<{ places: Address[] }>(`/api/geocode?${query}`, { signal })).places;
}

/** Return what typed coordinates may mean; nothing where they are none. */
export async function readCoordinates(text: string, signal?: AbortSignal): Promise<Reading[]> {
  const query = new URLSearchParams({ q: text });
  return (await request<{ readings: Reading[] }>(`/api/coordinates?${query}`, signal ? { signal } : undefined))
    .readings;
}

/** Return a place as people write it: in degrees twice, and in metres of the city. */
export async function writePosition(lon: number, lat: number, signal?: AbortSignal): Promise<Writing[]> {
  const query = new URLSearchParams({ lon: lon.toFixed(7), lat: lat.toFixed(7) });
  return (await request<{ writings: Writing[] }>(`/api/position?${query}`, signal ? { signal } : undefined)).writings;
}
