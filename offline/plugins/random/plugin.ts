import type { Plugin } from "../lib/plugin.ts";
import { randomId } from "./random-id.ts";
import { randomString } from "./random-string.ts";
import { randomUuid } from "./random-uuid.ts";

/**
 * The random plug-in, in place of the official 4.21.2. Refused by name are the kinds that need more than chance:
 * RandomPet (its word lists), RandomPassword (bcrypt), RandomBytes (its id is the secret in the clear),
 * RandomInteger and RandomShuffle (Go's own generator for a seed).
 */
export const randomPlugin: Plugin = {
  name: "random",
  version: "4.21.2",
  resources: {
    "random:index/randomId:RandomId": randomId,
    "random:index/randomString:RandomString": randomString,
    "random:index/randomUuid:RandomUuid": randomUuid,
  },
  functions: {},
};
