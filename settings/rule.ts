import { Cron } from "croner";
import { z } from "zod";

/** One setting: its rule, its default as it would be typed, its unit, and what it gives. */
export interface Setting<T = unknown> {
  schema: z.ZodType<T, string>;
  /** As typed on the command line; undefined = the setting has no value unless somebody gives one. */
  fallback: string | undefined;
  unit: string;
  gives: string;
}

export const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, `takes a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((n) => n >= min && n <= max, `takes a whole number from ${min} to ${max}`);
export const port = whole(1, 65535);
export const yesNo = z
  .string()
  .regex(/^(true|false)$/, "takes true or false")
  .transform((text) => text === "true");
export const dnsLabel = z
  .string()
  .regex(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/, "takes lower-case letters, digits and -");
export const hostName = z
  .string()
  .regex(
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
    "takes a host name in lower case",
  );

const cronRule = "takes a cron expression of five fields such as 0 */6 * * *, in UTC, that comes round";
/** As Kubernetes reads it: minute, hour, day, month, weekday. Nothing that only other crons know. */
export const cron = z
  .string()
  .regex(/^[\d*,/-]+ [\d*,/-]+ [\d*,/-]+ [\d*,/A-Za-z-]+ [\d*,/A-Za-z-]+$/, cronRule)
  .refine((text) => {
    try {
      return new Cron(text, { mode: "5-part", timezone: "Etc/UTC" }).nextRun() !== null;
    } catch {
      return false;
    }
  }, cronRule);

export const path = (what: string) => z.string().regex(/^\P{Cc}+$/u, `takes the path of ${what}`);
const pathsRule = "takes the paths of public keys, separated by commas";
export const paths = z
  .string()
  .regex(/^\P{Cc}+$/u, pathsRule)
  .transform((text) => text.split(",").map((each) => each.trim()))
  .refine((each) => each.every((path) => path !== ""), pathsRule);

export const setting = <T>(
  schema: z.ZodType<T, string>,
  fallback: string | undefined,
  unit: string,
  gives: string,
) => ({ schema, fallback, unit, gives }) satisfies Setting<T>;
