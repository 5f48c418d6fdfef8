import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseDocument, stringify } from "yaml";
import { parseHcl } from "../../components/hcl.ts";
import { readValuesFile, valueAt } from "../../components/values-file.ts";
import { type VaultValuesArgs, vaultValues } from "../../components/vault-values.ts";

const exampleFile = "examples/vault-ha-values.yaml";
const example = readFileSync(exampleFile, "utf8");
const image = { repository: "hashicorp/vault", tag: "1.21.1" };
const settings: VaultValuesArgs = { replicas: 3, storageSize: "10Gi", image, performanceMultiplier: 5 };

describe("The values of the Vault chart", () => {
  let folder: string;
  let ownFile: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "vault-values-"));
    ownFile = join(folder, "own.yaml");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Values with a stack's own file: `own` is its text, or what to write in it. */
  function withOwn(own: string | object, more: Partial<VaultValuesArgs> = {}) {
    writeFileSync(ownFile, typeof own === "string" ? own : stringify(own));
    return vaultValues({ ...settings, ownFile, ...more });
  }
  /** The one problem there is, which has to be about this key of the own file. */
  function onlyProblem(own: string | object, key: string, more: Partial<VaultValuesArgs> = {}): string {
    const { problems } = withOwn(own, more);
    assert.equal(problems.length, 1, problems.join("\n"));
    const [problem = ""] = problems;
    assert.ok(problem.startsWith(`${ownFile}: ${key}: `), problem);
    assert.match(problem, /\n {4}\S/, "the last line says what to do instead");
    return problem;
  }
  const config = (text: string) => ({ server: { ha: { raft: { config: text } } } });
  const exampleConfig = valueAt(readValuesFile(exampleFile).values, "server.ha.raft.config") as string;
  const changed = (from: string | RegExp, to: string) => {
    const text = exampleConfig.replace(from, to);
    assert.notEqual(text, exampleConfig);
    return config(text);
  };

  describe("without a file of the stack's own", () => {
    it("are the example's, with the image of the settings", () => {
      const { values, problems } = vaultValues(settings);
      assert.deepEqual(problems, []);
      assert.equal(valueAt(values, "injector.enabled"), false);
      assert.equal(valueAt(values, "server.ha.raft.setNodeId"), true);
      assert.equal(valueAt(values, "ui.serviceType"), "NodePort");
      assert.equal(valueAt(values, "ui.serviceNodePort"), 30000);
      assert.deepEqual(valueAt(values, "server.image"), image);
    });

    it("follow the settings for replicas, volume size and node port", () => {
      const { values } = vaultValues({ ...settings, replicas: 5, storageSize: "2Gi", nodePort: 30002 });
      assert.equal(valueAt(values, "server.ha.replicas"), 5);
      assert.equal(valueAt(values, "server.dataStorage.size"), "2Gi");
      assert.equal(valueAt(values, "ui.serviceNodePort"), 30002);
    });

    it("give each node a volume for its audit log, of the same class, and none without", () => {
      assert.equal(valueAt(vaultValues(settings).values, "server.auditStorage"), undefined);
      const { values } = vaultValues({ ...settings, audit: true, storageClass: "fast" });
      assert.deepEqual(valueAt(values, "server.auditStorage"), { enabled: true, storageClass: "fast" });
      writeFileSync(ownFile, "server:\n  auditStorage:\n    enabled: false\n");
      const { problems } = vaultValues({ ...settings, audit: true, ownFile });
      assert.match(problems.join(), /server\.auditStorage\.enabled: .*audit log \(audit\.enabled\)/);
    });

    it("are refused when the example itself has lost what the lifecycle relies on", () => {
      writeFileSync(
        ownFile,
        example.replace("setNodeId: true", "").replace("  enabled: false", "  enabled: true"),
      );
      const { problems } = vaultValues({ ...settings, exampleFile: ownFile });
      assert.deepEqual(
        problems.map((problem) => problem.split(":")[1]?.trim()),
        ["injector.enabled", "server.ha.raft.setNodeId"],
      );
      assert.match(problems[0] ?? "", /git checkout /);
    });

    for (const key of [
      "injector.enabled",
      "server.ha.enabled",
      "server.ha.raft.enabled",
      "server.ha.raft.setNodeId",
      "ui.enabled",
      "ui.serviceType",
    ])
      it(`are refused when the example has lost ${key}, whose default in the chart is another`, () => {
        const document = parseDocument(example);
        assert.ok(document.deleteIn(key.split(".")));
        writeFileSync(ownFile, document.toString());
        const { problems } = vaultValues({ ...settings, exampleFile: ownFile });
        assert.equal(problems.length, 1, problems.join("\n"));
        assert.ok(problems[0]?.startsWith(`${ownFile}: ${key}: empty cannot be used`), problems[0]);
      });
  });

  describe("with a file of the stack's own", () => {
    it("take its values over the example's, key by key, and lists as a whole", () => {
      const { values, problems } = withOwn({
        server: {
          resources: { requests: { cpu: "250m" } },
          readinessProbe: { periodSeconds: 2 },
          tolerations: [{ key: "a" }],
        },
        ui: { annotations: { a: "b" } },
      });
      assert.deepEqual(problems, []);
      assert.deepEqual(valueAt(values, "server.resources"), { requests: { cpu: "250m" } });
      assert.deepEqual(valueAt(values, "server.readinessProbe"), { enabled: true, periodSeconds: 2 });
      assert.deepEqual(valueAt(values, "server.tolerations"), [{ key: "a" }]);
      assert.equal(valueAt(values, "ui.enabled"), true);
      assert.deepEqual(valueAt(values, "ui.annotations"), { a: "b" });
    });

    it("accept a copy of the whole example", () => {
      assert.deepEqual(withOwn(example).problems, []);
    });

    it("accept an empty file", () => {
      assert.deepEqual(withOwn("# nothing yet\n").values, vaultValues(settings).values);
    });

    it("leave keys that no rule names to the chart's schema", () => {
      const { values, problems } = withOwn({ serverr: { a: 1 } });
      assert.deepEqual(problems, []);
      assert.deepEqual(values.serverr, { a: 1 });
    });

    it("read YAML as Helm does: on is true, 0400 is octal, a date is a text", () => {
      const { values } = withOwn("server:\n  a: on\n  b: 0400\n  c: 2026-01-01\n  d: 1:30\n");
      const { a, b, c, d } = values.server as Record<string, unknown>;
      assert.deepEqual([a, b, c, d], [true, 256, "2026-01-01", "1:30"]);
    });

    it("report every problem at once", () => {
      const { problems } = withOwn({
        injector: { enabled: true },
        server: { ha: { replicas: 5, raft: { setNodeId: false, config: "ui = true" } } },
      });
      assert.deepEqual(
        problems.map((problem) => problem.slice(ownFile.length + 2).split(":")[0]),
        [
          "injector.enabled",
          "server.ha.raft.setNodeId",
          "server.ha.replicas",
          ...Array(3).fill("server.ha.raft.config"),
        ],
      );
    });

    it("say when the file is not there, and how to do without", () => {
      const { problems } = vaultValues({ ...settings, ownFile: join(folder, "none.yaml") });
      assert.equal(problems.length, 1);
      assert.match(
        problems[0] ?? "",
        /none\.yaml: there is no such file.*\n.*pulumi config rm vault\.valuesFile/,
      );
    });

    it("say when the file is a folder", () => {
      const { problems } = vaultValues({ ...settings, ownFile: folder });
      assert.match(problems.join(), /cannot be read \(EISDIR\)/);
    });

    it("say on which line the file is not YAML", () => {
      const { problems } = withOwn("server:\n  image: {tag: 1\nui:\n");
      assert.ok(problems.length > 0);
      assert.match(problems.join(), /own\.yaml: not valid YAML: .*line \d/);
    });

    it("say when a key stands twice", () => {
      assert.match(withOwn("server: {}\nserver: {}\n").problems.join(), /unique.*line 2/);
    });

    it("say when the file holds no keys", () => {
      assert.match(withOwn("- a\n- b\n").problems.join(), /\["a","b"\] was found where keys/);
    });

    for (const [text, found] of [
      ["server:\n", /server has nothing under it\. .*dataStorage, readinessProbe, ha\./],
      ["server: {ha: 3}\n", /server\.ha is 3\. .*enabled, replicas, raft/],
      ["ui: []\n", /ui is \[\]\. .*serviceType/],
    ] as const)
      it(`do not let ${JSON.stringify(text)} remove every value under the key`, () => {
        const { values, problems } = withOwn(text);
        assert.equal(problems.length, 1, problems.join("\n"));
        assert.match(problems[0] ?? "", found);
        assert.equal(valueAt(values, "server.ha.raft.enabled"), true);
      });
  });

  describe("cannot be changed where the lifecycle relies on them:", () => {
    const refused: [key: string, value: unknown, says: RegExp][] = [
      ["global.enabled", false, /Nothing would be installed/],
      ["global.externalVaultAddr", "http://vault.example", /installs none/],
      ["global.namespace", "elsewhere", /pulumi config set vault\.namespace/],
      ["global.tlsDisable", false, /speak HTTP /],
      ["fullnameOverride", "safe", /vault-0, vault-1/],
      ["nameOverride", "safe", /vault-0, vault-1/],
      ["injector.enabled", true, /no image/],
      ["injector.enabled", "-", /no image/],
      ["csi.enabled", true, /no image/],
      ["server.enabled", false, /Nothing would be installed/],
      ["server.dev.enabled", true, /keeps nothing/],
      ["server.standalone.enabled", true, /vault\.replicas 1/],
      ["server.ha.enabled", false, /vault\.replicas 1/],
      ["server.ha.enabled", null, /is empty|empty cannot be used/],
      ["server.ha.raft.enabled", false, /Raft storage/],
      ["server.ha.raft.setNodeId", false, /pod's name/],
      ["server.ha.replicas", 5, /has 3 \(vault\.replicas\)[\s\S]*pulumi config set vault\.replicas/],
      ["server.ha.clusterAddr", "https://10.0.0.1:8201", /address of its own/],
      ["server.dataStorage.enabled", false, /loses its data/],
      [
        "server.dataStorage.size",
        "20Gi",
        /10Gi \(vault\.storageSize\)[\s\S]*pulumi config set vault\.storageSize/,
      ],
      ["server.dataStorage.mountPath", "/data", /outside the volume/],
      ["server.image.repository", "example.com/vault", /hashicorp\/vault:1\.21\.1/],
      ["server.image.tag", "1.19.0", /hashicorp\/vault:1\.21\.1/],
      ["server.updateStrategyType", "RollingUpdate", /comes back sealed/],
      ["server.service.enabled", false, /vault-internal/],
      ["server.extraEnvironmentVars.VAULT_RAFT_NODE_ID", "one", /same in every pod/],
      ["server.extraEnvironmentVars.VAULT_RAFT_PATH", "/tmp", /same in every pod/],
      ["server.extraEnvironmentVars.VAULT_CLUSTER_ADDR", "https://a:8201", /same in every pod/],
      ["server.livenessProbe.enabled", true, /kills a pod[\s\S]*sealedcode=204&uninitcode=204/],
      ["ui.enabled", false, /vault-ui/],
      ["ui.serviceType", "ClusterIP", /node port 30000/],
      ["ui.serviceNodePort", 30005, /cluster\.ports\.vault/],
      ["ui.targetPort", 8300, /listens on 8200/],
    ];
    for (const [key, value, says] of refused)
      it(`${key} as ${JSON.stringify(value)}`, () => {
        const own = key
          .split(".")
          .reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as object;
        assert.match(onlyProblem(own, key), says);
      });

    describe("of the image", () => {
      const other = { repository: "registry.example.com:5000/vault", tag: "1.21.0" };
      const pulls = { ownImage: true };

      it("names another one where the nodes pull what they run, in every container that is Vault's", () => {
        const tls = { secretName: "issued", watched: true };
        const { values, problems } = withOwn(
          { server: { image: other } },
          { ...pulls, tls, image: { repository: "hashicorp/vault", tag: "1.21.1" } },
        );
        assert.deepEqual(problems, []);
        assert.deepEqual(valueAt(values, "server.image"), other);
        const [watch] = valueAt(values, "server.extraContainers") as { image: string }[];
        assert.equal(watch?.image, `${other.repository}:${other.tag}`);
      });

      it("names its tag alone, and the repository stays", () => {
        const { values } = withOwn({ server: { image: { tag: "1.21.0" } } }, pulls);
        assert.deepEqual(valueAt(values, "server.image"), { ...image, tag: "1.21.0" });
      });

      it("is told that YAML has made a number of a tag", () => {
        const said = onlyProblem("server: { image: { tag: 1.20 } }", "server.image.tag", pulls);
        assert.match(said, /reads 1\.21 as a number[\s\S]*Write it in quotes: tag: "/);
      });
    });

    it("but a value that says what is so anyway stays", () => {
      const { problems } = withOwn({
        global: { enabled: true, namespace: "" },
        fullnameOverride: "vault",
        server: {
          enabled: "-",
          updateStrategyType: "OnDelete",
          ha: { replicas: 3, clusterAddr: null },
          image: { tag: "1.21.1", pullPolicy: "Never" },
        },
      });
      assert.deepEqual(problems, []);
    });

    it("but a cluster address that differs by pod stays", () => {
      assert.deepEqual(withOwn({ server: { ha: { clusterAddr: "https://$(POD_IP):8201" } } }).problems, []);
    });

    it("but a liveness probe that spares sealed and new pods stays", () => {
      const path = "/v1/sys/health?standbyok=true&sealedcode=204&uninitcode=204";
      for (const half of ["sealedcode", "uninitcode"])
        onlyProblem(
          { server: { livenessProbe: { enabled: true, path: `/v1/sys/health?${half}=204` } } },
          "server.livenessProbe.enabled",
        );
      assert.deepEqual(withOwn({ server: { livenessProbe: { enabled: true, path } } }).problems, []);
      assert.deepEqual(
        withOwn({ server: { livenessProbe: { enabled: true, execCommand: ["true"] } } }).problems,
        [],
      );
    });
  });

  describe("hold Vault's own configuration, which", () => {
    const key = "server.ha.raft.config";
    const refused: [says: string, own: object, found: RegExp][] = [
      ["has to have a listener", changed(/listener "tcp"/, 'listener "unix"'), /no listener "tcp"/],
      [
        "has to listen on every address of the pod",
        changed("[::]:8200", "127.0.0.1:8200"),
        /address is "127\.0\.0\.1:8200"/,
      ],
      ["has to listen on port 8200", changed("[::]:8200", "[::]:8300"), /address is "\[::\]:8300"/],
      ["has to say where it listens", changed(/ address +=.*\n/, "\n"), /address is empty/],
      [
        "has to have the cluster port at 8201",
        changed("[::]:8201", "[::]:9201"),
        /cluster_address is "\[::\]:9201"/,
      ],
      ["cannot turn TLS on where the steps speak HTTP", changed(/tls_disable += 1/, ""), /TLS is on/],
      ["has to use Raft's storage", changed('storage "raft"', 'storage "file"'), /storage is storage file/],
      [
        "has to use it for the data too",
        changed('storage "raft"', 'ha_storage "raft"'),
        /storage is ha_storage raft/,
      ],
      [
        "counts the last of two equal keys",
        changed('address         = "[::]:8200"', 'address = "[::]:8200"\naddress = "[::]:1"'),
        /address is "\[::\]:1"/,
      ],
      [
        "has to register with Kubernetes",
        changed('service_registration "kubernetes"', 'service_registration "consul"'),
        /no service_registration/,
      ],
      ["has to have a storage", changed(/storage "raft" \{[^}]*\}/, ""), /no storage/],
      [
        "cannot have two storages",
        changed('storage "raft"', 'ha_storage "consul" {}\nstorage "raft"'),
        /ha_storage consul and storage raft/,
      ],
      ["has to keep its data in the volume", changed("/vault/data", "/data"), /storage path is "\/data"/],
      [
        "cannot let the nodes join by themselves",
        changed('path = "/vault/data"', 'path = "/vault/data"\nretry_join {\n}'),
        /retry_join[\s\S]*32099/,
      ],
      [
        "cannot be unsealed by another",
        config(`${exampleConfig}\nseal "awskms" {\n region = "x"\n}\n`),
        /seal "awskms"[\s\S]*key shares/,
      ],
      [
        "has to label the pods",
        changed('service_registration "kubernetes" {}', ""),
        /no service_registration/,
      ],
      [
        "cannot do without the cluster",
        config(`${exampleConfig}\ndisable_clustering = true\n`),
        /disable_clustering is on/,
      ],
      [
        "has to be HCL that can be read",
        config(`${exampleConfig}\nlistener "tcp" {\n`),
        /a name was expected, found the end/,
      ],
      ["has to be a text", { server: { ha: { raft: { config: 5 } } } }, /it is 5, not a text/],
      ["is not read as JSON", config('{"ui": true}'), /JSON/],
    ];
    for (const [says, own, found] of refused)
      it(says, () => {
        assert.match(onlyProblem(own, key), found);
      });

    describe("Raft's performance_multiplier, which", () => {
      const stanza = (own: object, performanceMultiplier: number) => {
        const { values, problems } = withOwn(own, { performanceMultiplier });
        assert.deepEqual(problems, []);
        const text = valueAt(values, key) as string;
        const storage = parseHcl(text).blocks.filter(({ type }) => type === "storage");
        assert.equal(storage.length, 1);
        return { text, attributes: storage[0]?.body.attributes.map(({ key, value }) => [key, value]) };
      };

      it("is the setting's, written into the storage and nowhere else", () => {
        const { text, attributes } = stanza({}, 2);
        assert.deepEqual(attributes, [
          ["performance_multiplier", 2],
          ["path", "/vault/data"],
          ["autopilot_reconcile_interval", "1s"],
          ["autopilot_update_interval", "500ms"],
        ]);
        assert.equal(
          text.replace("  performance_multiplier = 2\n", ""),
          exampleConfig,
          "the rest of the text is not as it was",
        );
      });

      it("is written into a storage that stands on one line", () => {
        const own = changed(/storage "raft" \{[^}]*\}/, 'storage "raft" { path = "/vault/data" }');
        assert.deepEqual(stanza(own, 3).attributes, [
          ["performance_multiplier", 3],
          ["path", "/vault/data"],
        ]);
      });

      it("is left out of the example, so that plain Helm has Vault's own", () => {
        assert.ok(!/^\s*performance_multiplier/m.test(exampleConfig));
      });

      for (const same of ["5", '"5"'])
        it(`may stand in the stack's own file as the setting says it: ${same}`, () => {
          const own = changed(
            'path = "/vault/data"',
            `path = "/vault/data"\nperformance_multiplier = ${same}`,
          );
          const { text } = stanza(own, 5);
          assert.equal(text.match(/performance_multiplier =/g)?.length, 1);
        });

      for (const [other, mend] of [
        ["1", "1"],
        ['"7"', "7"],
        ["0", "<1 to 10>"],
      ] as const)
        it(`is refused where the stack's own file says ${other} and the setting 5`, () => {
          const own = changed(
            'path = "/vault/data"',
            `path = "/vault/data"\nperformance_multiplier = ${other}`,
          );
          const problem = onlyProblem(own, key);
          assert.match(problem, /This stack's is 5 \(raft\.performanceMultiplier\)/);
          assert.ok(
            problem.endsWith(`Remove it, and: pulumi config set raft.performanceMultiplier ${mend}`),
            problem,
          );
        });
    });

    it("may have a second listener, and other addresses that mean every one", () => {
      const own = exampleConfig.replace("[::]:8200", "0.0.0.0:8200").replace(/cluster_address.*\n/, "\n");
      const second = 'listener "tcp" {\n  address = "127.0.0.1:8300"\n  tls_disable = "true"\n}\n';
      assert.deepEqual(withOwn(config(`${second}${own}`)).problems, []);
    });

    it("may have a seal that is disabled", () => {
      assert.deepEqual(
        withOwn(config(`${exampleConfig}\nseal "transit" {\n disabled = "true"\n}\n`)).problems,
        [],
      );
    });
  });

  describe("with TLS", () => {
    const tls = { secretName: "vault-server-tls" };

    it("mount the secret, serve its certificate and trust its authority", () => {
      const { values, problems } = vaultValues({ ...settings, tls });
      assert.deepEqual(problems, []);
      assert.equal(valueAt(values, "global.tlsDisable"), false);
      assert.deepEqual(valueAt(values, "server.volumes"), [{ name: "vault-tls", secret: tls }]);
      assert.deepEqual(valueAt(values, "server.volumeMounts"), [
        { name: "vault-tls", mountPath: "/vault/tls", readOnly: true },
      ]);
      assert.equal(valueAt(values, "server.extraEnvironmentVars.VAULT_CACERT"), "/vault/tls/ca.crt");
      const listener = parseHcl(valueAt(values, "server.ha.raft.config") as string).blocks[0]?.body
        .attributes;
      assert.deepEqual(
        listener?.map(({ key, value }) => [key, value]),
        [
          ["address", "[::]:8200"],
          ["cluster_address", "[::]:8201"],
          ["tls_cert_file", "/vault/tls/tls.crt"],
          ["tls_key_file", "/vault/tls/tls.key"],
        ],
      );
    });

    it("turn TLS on in every listener that has it off", () => {
      const second = 'listener "tcp" {\n  address = "127.0.0.1:8300"\n  tls_disable = true\n}\n';
      const { values, problems } = withOwn(config(`${exampleConfig}\n${second}`), { tls });
      assert.deepEqual(problems, []);
      const listeners = parseHcl(valueAt(values, "server.ha.raft.config") as string).blocks.filter(
        ({ type }) => type === "listener",
      );
      for (const { body } of listeners)
        assert.deepEqual(
          body.attributes.map(({ key }) => key).filter((key) => key.startsWith("tls")),
          ["tls_cert_file", "tls_key_file"],
        );
      assert.equal(listeners.length, 2);
    });

    it("keep the stack's own volumes, and its own listener's certificate", () => {
      const own = changed(
        /tls_disable += 1/,
        'tls_disable = 0\n  tls_cert_file = "/own/cert"\n  tls_key_file = "/own/key"',
      ) as {
        server: Record<string, unknown>;
      };
      own.server.volumes = [{ name: "own", emptyDir: {} }];
      const { values, problems } = withOwn(own, { tls });
      assert.deepEqual(problems, []);
      assert.equal((valueAt(values, "server.volumes") as unknown[]).length, 2);
      assert.match(valueAt(values, "server.ha.raft.config") as string, /tls_disable = 0\n.*\/own\/cert/);
    });

    it("refuse tlsDisable in the stack's own file", () => {
      assert.match(
        onlyProblem({ global: { tlsDisable: true } }, "global.tlsDisable", { tls }),
        /speak HTTPS/,
      );
    });
  });
});

describe("Vault's configuration is read", () => {
  const values = (text: string) => parseHcl(text).attributes.map(({ value }) => value);

  it("with comments of all three kinds", () => {
    assert.deepEqual(values('# a = 1\na = 2 // b = 3\n/* c = 4\n*/ d = "5 # 6"'), [2, "5 # 6"]);
  });
  it("with texts, numbers, truths, lists and maps", () => {
    assert.deepEqual(values('a = "x\\"y"\nb = -1.5\nc = true\nd = ["e", 2,]\nf = { g = 1 }').slice(0, 4), [
      'x"y',
      -1.5,
      true,
      ["e", 2],
    ]);
  });
  it("with texts of several lines", () => {
    assert.deepEqual(values("a = <<EOF\none\ntwo\nEOF\nb = <<-END\n  x\n  END\n"), ["one\ntwo", "  x"]);
  });
  it("with blocks on one line and blocks in blocks", () => {
    const [storage] = parseHcl('storage "raft" { path = "/d" retry_join { leader = "a" } }').blocks;
    assert.deepEqual([storage?.labels, storage?.body.attributes[0]?.value], [["raft"], "/d"]);
    assert.equal(storage?.body.blocks[0]?.type, "retry_join");
  });
  it("with the place of each attribute", () => {
    const text = 'ui = true\nlistener "tcp" {\n  tls_disable = 1 # why\n}\n';
    const found = parseHcl(text).blocks[0]?.body.attributes[0];
    assert.equal(text.slice(found?.start, found?.end), "tls_disable = 1");
  });
  for (const [text, says] of [
    ["a =", /^line 1: a value was expected, found the end/],
    ["\na", /^line 2: after a, = or \{ was expected/],
    ['\n\na = "x', /^line 3: a text begins here/],
    ["a = b", /^line 1: b is no value/],
    ["a = [1 2]", /^line 1: , or \] was expected, found 2/],
    ["}", /^line 1: a name was expected, found \}/],
    ["a = 1 ;", /^line 1: ";" is not expected/],
    ['a = "\\q"', /^line 1: .*escape/],
  ] as const)
    it(`with the line of what is wrong in ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => parseHcl(text),
        (error: Error) => says.test(error.message),
      );
    });
});
