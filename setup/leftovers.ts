import { dockerLines } from "../steps/lib/docker.ts";
import type { Resource } from "./stack.ts";

/** What Docker holds of clusters, by kind of thing. */
export interface Held {
  containers: string[];
  volumes: string[];
  networks: string[];
}

/** The stack's clusters: index.ts names one by the stack and the random suffix, which the state holds. */
export function clusterNames(resources: Resource[], stack: string): string[] {
  return resources
    .filter(({ type }) => type === "random:index/randomString:RandomString")
    .map(({ outputs }) => `vault-ha-${stack}-${outputs?.result}`);
}

/** What Docker holds of the clusters with these names: kind's containers, their volumes, their network. */
export async function heldBy(clusters: string[]): Promise<Held> {
  const containers = (await Promise.all(clusters.map(containersOf))).flat();
  const networks = await dockerLines("network", "ls", "--format", "{{.Name}}");
  const volumes = containers.length > 0 ? await volumesOf(containers) : [];
  return { containers, volumes, networks: networks.filter((name) => clusters.includes(name)) };
}

/** Which of the things are still there. */
export async function stillHeld(held: Held): Promise<Held> {
  const [containers, volumes, networks] = await Promise.all([
    dockerLines("ps", "--all", "--format", "{{.Names}}"),
    dockerLines("volume", "ls", "--format", "{{.Name}}"),
    dockerLines("network", "ls", "--format", "{{.Name}}"),
  ]);
  return {
    containers: held.containers.filter((name) => containers.includes(name)),
    volumes: held.volumes.filter((name) => volumes.includes(name)),
    networks: held.networks.filter((name) => networks.includes(name)),
  };
}

/** The commands that remove what is left; none where nothing is. */
export function removal({ containers, volumes, networks }: Held): string[] {
  return [
    ...(containers.length > 0 ? [`docker rm --force --volumes ${containers.join(" ")}`] : []),
    ...(volumes.length > 0 ? [`docker volume rm ${volumes.join(" ")}`] : []),
    ...(networks.length > 0 ? [`docker network rm ${networks.join(" ")}`] : []),
  ];
}

/** kind labels its containers with the cluster's name. */
async function containersOf(cluster: string): Promise<string[]> {
  const label = `label=io.x-k8s.kind.cluster=${cluster}`;
  return await dockerLines("ps", "--all", "--filter", label, "--format", "{{.Names}}");
}

async function volumesOf(containers: string[]): Promise<string[]> {
  const template = '{{range .Mounts}}{{if eq .Type "volume"}}{{println .Name}}{{end}}{{end}}';
  return await dockerLines("inspect", "--format", template, ...containers);
}
