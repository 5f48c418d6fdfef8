import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkServerIdentity, createServer, type Server } from "node:tls";
import { loadCertificate } from "../../components/brought-certificate.ts";
import { readSettings, type Settings } from "../../config.ts";
import { certificateProblems, namesNeeded, serverNames } from "../../steps/lib/certificates.ts";
import { hasPeerWildcard, secured } from "../../steps/lib/road.ts";
import { issueCertificate, type Made, makeAuthority } from "../../steps/lib/x509.ts";
import { KubeApi } from "../support/kube-api.ts";

const called = { namespace: "secrets", host: "vault.example.org" };
const names = serverNames(called);
const pods = ["vault-0", "vault-1", "vault-2"];
const needed = namesNeeded(pods, called.host);
const day = 24 * 60 * 60 * 1000;

describe("a certificate of the stack's own", () => {
  let authority: Made;
  let made: Made;

  before(async () => {
    authority = await makeAuthority("one");
    made = await issueCertificate(authority, names);
  });
  const bundle = () => ({ cert: made.cert, key: made.key, caCert: authority.cert });

  it("is for every name under which Vault is called, and has nothing wrong with it", () => {
    const names = new X509Certificate(made.cert).subjectAltName?.split(", ") ?? [];
    for (const name of [
      ...[
        "vault",
        "vault.secrets",
        "vault.secrets.svc",
        "vault-active",
        "vault-internal",
        "*.vault-internal",
      ],
      ...["localhost", "vault.example.org"],
    ])
      assert.ok(names.includes(`DNS:${name}`), `${name} is not in ${names}`);
    assert.ok(names.includes("IP Address:127.0.0.1"));
    assert.deepEqual(certificateProblems(bundle(), needed), []);
  });

  it("names each pod, too, for clients that take no wildcard right under a top-level name", () => {
    const shown = { subjectaltname: "DNS:*.vault-internal" };
    assert.ok(checkServerIdentity("vault-1.vault-internal", shown as never), "Node takes the wildcard");
    const certificate = new X509Certificate(made.cert);
    for (const pod of ["vault-0", "vault-6"])
      assert.ok(certificate.checkHost(`${pod}.vault-internal`, { wildcards: false }), pod);
  });

  it("may not sign others, and its authority may sign no further authority", () => {
    assert.equal(new X509Certificate(made.cert).ca, false);
    assert.equal(new X509Certificate(authority.cert).ca, true);
    assert.deepEqual(new X509Certificate(made.cert).keyUsage, ["1.3.6.1.5.5.7.3.1"]);
  });

  it("is good for a year, and its authority for ten", () => {
    const days = ({ notAfter }: Made) => Math.round((Date.parse(notAfter) - Date.now()) / day);
    assert.equal(days(made), 365);
    assert.equal(days(authority), 3650);
  });

  it("is refused with every reason at once", async () => {
    const other = await makeAuthority("other");
    const stranger = await issueCertificate(other, ["elsewhere"]);
    const mixed = { cert: stranger.cert, key: made.key, caCert: authority.cert };
    const found = certificateProblems(mixed, needed, Date.now() + 400 * day);
    for (const reason of [
      /^the certificate expired on \d{4}-\d\d-\d\d$/,
      /^the private key is not that of the certificate$/,
      /^the certificate is not for vault-0\.vault-internal, .*, vault\.example\.org; it is for DNS:elsewhere$/,
      /^the authority did not sign the certificate \(issuer: CN=other\)$/,
    ])
      assert.ok(
        found.some((problem) => reason.test(problem)),
        `${reason} is not in ${found.join("\n")}`,
      );
    assert.equal(found.length, 4);
  });

  it("is refused before its time, after that of its authority, and by an authority of the same name", async () => {
    assert.match(
      certificateProblems(bundle(), needed, Date.now() - day).join(),
      /the certificate is not valid before/,
    );
    assert.match(
      certificateProblems(bundle(), [], Date.now() + 3651 * day).join(),
      /the authority expired on/,
    );
    const namesake = await makeAuthority("one");
    assert.match(
      certificateProblems({ ...bundle(), caCert: namesake.cert }, needed).join(),
      /^the authority did not sign/,
    );
  });

  it("is refused where a part is missing or is no PEM, and the text of a key is never told", () => {
    assert.deepEqual(certificateProblems({ cert: "", key: "", caCert: "" }, needed), [
      "there is no certificate (tls.crt)",
      "there is no authority (ca.crt)",
      "there is no private key (tls.key)",
    ]);
    const [problem = "", ...more] = certificateProblems({ ...bundle(), key: "MARKED-KEY" }, needed);
    assert.deepEqual(more, []);
    assert.match(problem, /^the private key \(tls\.key\) cannot be read as PEM: /);
    assert.doesNotMatch(problem, /MARKED/);
  });

  it("is taken with its authority behind it in the same text, as some tools write it", () => {
    const cert = made.cert + authority.cert;
    assert.deepEqual(certificateProblems({ ...bundle(), cert }, needed), []);
  });
});

describe("a node's certificate", () => {
  let server: Server;
  let authority: Made;
  let served: Made;

  before(async () => {
    authority = await makeAuthority("one");
    served = await issueCertificate(authority, ["*.vault-internal", "*.elsewhere"]);
    server = createServer({ cert: served.cert, key: served.key }, (socket) => socket.end());
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  });
  after(() => server.close());

  const speakTo = async (name: string, caCert: string) => {
    const { port } = server.address() as import("node:net").AddressInfo;
    const { connect: plain } = await import("node:net");
    const stream = await secured(plain(port, "127.0.0.1"), name, { scheme: "https", caCert });
    stream.destroy();
  };

  it("may be for all peers, as Vault itself takes it", async () => {
    await speakTo("vault-2.vault-internal", authority.cert);
  });

  it("is refused under a name that no peer has, and where another authority signed it", async () => {
    for (const name of ["a.b.vault-internal", "vault-internal", "vault-0.elsewhere", "localhost"])
      await assert.rejects(speakTo(name, authority.cert), new RegExp(`not for ${name}`), name);
    await assert.rejects(speakTo("vault-2.vault-internal", (await makeAuthority("one")).cert), /certificate/);
  });

  it("is for all peers only where it says so itself", () => {
    assert.ok(hasPeerWildcard("vault-0.vault-internal", "DNS:vault, DNS:*.vault-internal"));
    for (const names of [
      undefined,
      "",
      "DNS:vault",
      "DNS:*",
      "DNS:*.vault-internal.evil",
      "DNS:x*.vault-internal",
    ])
      assert.ok(!hasPeerWildcard("vault-0.vault-internal", names), names);
  });
});

describe("a certificate that somebody brings", () => {
  let folder: string;
  let good: { certFile: string; keyFile: string; caFile: string };
  let authority: Made;
  let made: Made;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "vault-ha-test-"));
    authority = await makeAuthority("theirs");
    made = await issueCertificate(authority, needed);
    const write = (name: string, pem: string) => {
      writeFileSync(join(folder, name), pem);
      return join(folder, name);
    };
    good = {
      certFile: write("tls.crt", made.cert),
      keyFile: write("tls.key", made.key),
      caFile: write("ca.crt", authority.cert),
    };
  });
  after(() => rmSync(folder, { recursive: true }));

  const load = (tls: Record<string, string>, stackDir = join(folder, "no-stack")) => {
    const given = Object.entries(tls).map(([key, value]) => [`vault.tls.${key}`, value]);
    const settings = readSettings({ "vault.host": called.host, ...Object.fromEntries(given) })
      .settings as Settings;
    return loadCertificate(settings.vault, stackDir);
  };

  it("in files is read", async () => {
    assert.deepEqual(await load({ source: "files", ...good }), {
      cert: made.cert,
      key: made.key,
      caCert: authority.cert,
    });
  });

  it("in files is refused with every file that cannot be read", async () => {
    await assert.rejects(
      load({ source: "files", ...good, certFile: join(folder, "none.crt"), keyFile: folder }),
      /none\.crt\) cannot be used; nothing was changed\.\n {2}vault\.tls\.certFile: ENOENT.*\n {2}vault\.tls\.keyFile: EISDIR/,
    );
  });

  it("in files is refused where it does not fit, with the command that shows it", async () => {
    await assert.rejects(
      load({ source: "files", ...good, caFile: good.certFile, keyFile: good.keyFile, certFile: good.caFile }),
      /the private key is not that of the certificate[\s\S]*not for vault-0[\s\S]*\n {4}openssl x509 -in .*ca\.crt -noout/,
    );
  });

  it("of no source but these is left to the program", async () => {
    assert.equal(await load({}), undefined);
    assert.equal(await load({ enabled: "false" }), undefined);
  });

  describe("in a Secret", () => {
    let api: KubeApi;
    let stackDir: string;
    before(async () => {
      api = await KubeApi.start();
      stackDir = folder;
      writeFileSync(join(folder, "kubeconfig"), api.kubeconfig);
    });
    after(() => api.end());
    const source = { source: "secret", secretName: "mine" };

    it("is not known before there is a cluster, or while nobody has made it", async () => {
      assert.equal(await load(source, join(folder, "no-stack")), undefined);
      assert.equal(await load(source, stackDir), undefined);
    });

    it("is read in every run, and refused where it does not fit", async () => {
      api.secrets.mine = { "tls.crt": made.cert, "tls.key": made.key, "ca.crt": authority.cert };
      assert.equal((await load(source, stackDir))?.cert, made.cert);
      api.secrets.mine = { "tls.crt": made.cert, "tls.key": made.key };
      await assert.rejects(
        load(source, stackDir),
        /\(Secret mine\) cannot be used; nothing was changed\.\n {2}there is no authority \(ca\.crt\)\n {4}kubectl --kubeconfig .* describe secret mine$/,
      );
    });
  });
});
