import { gunzipSync } from "node:zlib";
import { z } from "zod";
import type { Values } from "../../components/values-file.ts";
import type { Kube } from "../../steps/lib/kube.ts";

const Notes = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()).optional() }),
      data: z.object({ release: z.string() }),
    }),
  ),
});

const Release = z.object({
  version: z.number(),
  info: z.object({ status: z.string() }),
  chart: z.object({
    metadata: z.object({ name: z.string(), version: z.string() }),
    /** The chart's own values. */
    values: z.record(z.string(), z.unknown()).nullish(),
  }),
  /** The values that somebody gave; not the chart's own. */
  config: z.record(z.string(), z.unknown()).nullish(),
  manifest: z.string(),
});

/** What Helm notes of a release, in Secrets beside it: https://helm.sh/docs/topics/advanced/#storage-backends */
export interface ReleaseNote {
  status: string;
  chart: { name: string; version: string };
  /** The values that somebody gave. */
  values: Values;
  /** The chart's own, which count where nobody gave any. */
  defaults: Values;
  /** The objects that it has made, as `Kind/name`. */
  objects: string[];
  /** Names of the Secrets that hold the note, of this and of earlier versions. */
  secrets: string[];
}

/** The newest version of a release; undefined where Helm knows none. */
export async function findRelease(
  kube: Kube,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<ReleaseNote | undefined> {
  const selector = encodeURIComponent(`owner=helm,name=${name}`);
  const path = `/api/v1/namespaces/${namespace}/secrets?labelSelector=${selector}`;
  const notes = (await kube.get(path, Notes, signal))?.items ?? [];
  const read = notes.map(({ data }) => readNote(data.release));
  const newest = read.toSorted((one, other) => other.version - one.version)[0];
  if (newest === undefined) return undefined;
  return {
    status: newest.info.status,
    chart: newest.chart.metadata,
    values: newest.config ?? {},
    defaults: newest.chart.values ?? {},
    objects: objectsOf(newest.manifest),
    secrets: notes.map(({ metadata }) => metadata.name),
  };
}

/** Kubernetes' base64 around Helm's, around gzip. */
export function readNote(data: string): z.output<typeof Release> {
  const packed = Buffer.from(Buffer.from(data, "base64").toString(), "base64");
  return Release.parse(JSON.parse(gunzipSync(packed).toString()));
}

function objectsOf(manifest: string): string[] {
  return manifest.split(/^---$/m).flatMap((document) => {
    const kind = /^kind: (\S+)/m.exec(document)?.[1];
    const name = /^metadata:\n(?: {2}.*\n)*? {2}name: (\S+)/m.exec(document)?.[1];
    return kind && name ? [`${kind}/${name}`] : [];
  });
}
