/** The list of settings: each key once, with its rule, default, unit and what it gives. docs/settings.md shows it. */
import { clusterSettings } from "./cluster.ts";
import { dayTwoSettings } from "./day-two.ts";
import { edgeSettings } from "./edge.ts";
import { vaultSettings } from "./vault.ts";

/** All settings. */
export const settingList = { ...clusterSettings, ...vaultSettings, ...dayTwoSettings, ...edgeSettings };

/** Name of a setting. */
export type Key = keyof typeof settingList;
