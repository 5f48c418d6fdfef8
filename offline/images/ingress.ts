import { chmod, mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../lib/part.ts";
import { run } from "../lib/run.ts";
import { group, passwd } from "./base.ts";
import { copyInto, copyWithLibraries, folders, program, write } from "./folder.ts";
import { forDebianNginx } from "./ingress/template.ts";

/** Account of the controller and of nginx, by number: ingress-nginx's chart names it in `runAsUser`. */
const wwwData = { uid: 101, gid: 82 };

/** Debian's packages of which this image holds every file; what else it takes comes in as their libraries. */
export const ingressPackages = [
  "nginx",
  "nginx-common",
  "libnginx-mod-http-ndk",
  "libnginx-mod-http-lua",
  "libnginx-mod-http-headers-more-filter",
  "libnginx-mod-http-set-misc",
  "libnginx-mod-stream",
  "lua-resty-core",
  "lua-resty-lrucache",
  "lua-cjson",
  "lua-nginx-cookie",
  "lua-nginx-dns",
  "dumb-init",
];

export interface IngressFrom {
  /** A Debian root that has `ingressPackages` and setcap. It must be writable: setcap runs in it. */
  debian: string;
  /** Folder of the controller's programs: nginx-ingress-controller, dbg, wait-shutdown. */
  programs: string;
  /** The module's rootfs/etc: nginx's template and Lua. */
  etc: string;
  /** Lua modules that neither Debian nor the module has: images/ingress/lua of this project. */
  lua: string;
}

/** The layer of ingress-nginx's controller on Debian's nginx. It stands on the base layer. */
export async function ingressFolder(log: Log, from: IngressFrom, to: string): Promise<void> {
  // It is put together inside the Debian root, where setcap and ldd can see it.
  const inside = "/ingress-image";
  const image = join(from.debian, inside);
  await mkdir(image);
  await copyNginx(log, from.debian, image);

  await copyInto(log, from.etc, join(image, "etc"));
  await rm(join(image, "etc/nginx/lua/test"), { recursive: true, force: true });
  await copyInto(log, from.lua, join(image, "etc/nginx/lua"));
  const template = join(image, "etc/nginx/template/nginx.tmpl");
  await writeFile(template, forDebianNginx(await readFile(template, "utf8")));

  for (const name of ["nginx-ingress-controller", "dbg", "wait-shutdown"]) {
    await program(join(from.programs, name), image, name);
  }
  await write(image, "etc/passwd", `${passwd}www-data:x:101:82:www-data:/var/www:/bin/false\n`);
  await write(image, "etc/group", `${group}www-data:x:82:\n`);
  await symlink("/usr/lib/nginx/modules", join(image, "etc/nginx/modules"));
  await symlink("/usr/sbin/nginx", join(image, "usr/bin/nginx"));
  await folders(
    image,
    [
      ...["ssl", "auth", "geoip", "telemetry"].map((name) => `etc/ingress-controller/${name}`),
      ...["etc/ingress-controller", "tmp/nginx", "var/lib/nginx", "var/log/nginx"],
    ],
    wwwData,
  );
  await chmod(join(image, "tmp"), 0o1777);
  await symlink("/dev/stdout", join(image, "var/log/nginx/access.log"));
  await symlink("/dev/stderr", join(image, "var/log/nginx/error.log"));
  await run(log, "chown", ["--recursive", "--no-dereference", "101:82", join(image, "etc/nginx")]);
  // Not root, yet they bind ports 80 and 443.
  for (const name of ["nginx-ingress-controller", "usr/sbin/nginx", "usr/bin/dumb-init"]) {
    await run(log, "chroot", [from.debian, "setcap", "cap_net_bind_service=+ep", `${inside}/${name}`]);
  }
  await rename(image, to);
}

/** Every file of the packages that is of use in a container, with the libraries that they name. */
async function copyNginx(log: Log, debian: string, image: string): Promise<void> {
  const listed = await run(log, "chroot", [debian, "dpkg-query", "--listfiles", ...ingressPackages]);
  const useless =
    /^\/(var|etc\/(default|init\.d|logrotate\.d|ufw)|usr\/share\/(doc|man|lintian|apport|vim|nginx\/html))\/|^\/lib\/systemd/;
  const files: string[] = [];
  for (const path of new Set(listed.split("\n"))) {
    if (!path.startsWith("/") || useless.test(path)) continue;
    files.push(path);
  }
  const kept = await run(
    log,
    "chroot",
    [debian, "sh", "-c", 'while read -r path; do [ -d "$path" ] || [ ! -e "$path" ] || echo "$path"; done'],
    { input: `${files.join("\n")}\n` },
  );
  // Of Debian's own configuration, what the controller's template includes.
  const modules = (
    await run(log, "chroot", [debian, "sh", "-c", "ls -d /etc/nginx/modules-enabled/*"])
  ).split("\n");
  const included = ["/etc/nginx/mime.types", "/etc/nginx/fastcgi_params"];
  const wanted = kept.split("\n").filter((path) => !path.startsWith("/etc/nginx/"));
  await copyWithLibraries(log, debian, image, [...wanted, ...modules, ...included]);
  // wait-shutdown ends the controller by `bash -c "pkill -f ..."`; busybox's shell would end itself by it.
  await copyWithLibraries(log, debian, image, ["/usr/bin/diff", "/usr/bin/bash", "/usr/bin/pkill"]);
  // A link to a folder, under which Debian's lists name the modules.
  await run(log, "cp", [
    "--archive",
    join(debian, "usr/share/nginx/modules"),
    join(image, "usr/share/nginx/"),
  ]);
}
