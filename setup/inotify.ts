import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Say } from "./progress.ts";

/** What kind asks for, lest pods end with "too many open files": https://kind.sigs.k8s.io/docs/user/known-issues/ */
const wanted = { max_user_instances: 512, max_user_watches: 524_288 };

/**
 * Sees to it that the kernel lets the nodes of several clusters watch their files. With Debian's limit of 128
 * one cluster of four nodes works, and the kube-proxies of a second one end at once. Root raises the limits
 * until the next boot; anybody else is told how.
 */
export function raiseWatchLimits(
  say: Say,
  folder = "/proc/sys/fs/inotify",
  isRoot = process.getuid?.() === 0,
): void {
  for (const [name, value] of Object.entries(wanted)) {
    const file = `${folder}/${name}`;
    if (!existsSync(file)) continue;
    const found = Number(readFileSync(file, "utf8"));
    if (found >= value) continue;
    if (isRoot) {
      writeFileSync(file, `${value}\n`);
      say.line(`raised fs.inotify.${name} from ${found} to ${value} until the next boot, as kind asks`);
    } else {
      say.line(
        `fs.inotify.${name} is ${found}: one cluster works, a second may not. sudo sysctl fs.inotify.${name}=${value}`,
      );
    }
  }
}
