import assert from "node:assert/strict";
import { type Findings, needed, preflightProblems, publishes } from "../../setup/preflight.ts";

const ready: Findings = {
  missingTools: [],
  busyPorts: [],
  dockerAnswers: true,
  freeMemoryGiB: needed.memoryGiB + 1,
  freeDiskGiB: needed.diskGiB + 1,
  clusterRuns: false,
};

describe("the preflight", () => {
  it("has nothing to say about a machine that is ready", () => {
    assert.deepEqual(preflightProblems(ready), []);
  });

  it("reports everything that is missing at once, each with a command", () => {
    const problems = preflightProblems({
      missingTools: ["kind"],
      busyPorts: [{ setting: "cluster.ports.vault", port: 30000 }],
      dockerAnswers: false,
      freeMemoryGiB: 0.5,
      freeDiskGiB: 1,
      clusterRuns: false,
    });
    assert.equal(problems.length, 5);
    const [tool, docker, port, memory, disk] = problems as [string, string, string, string, string];
    assert.match(tool, /^kind is not on PATH[\s\S]*npm run -s env/);
    assert.match(docker, /No Docker engine answers[\s\S]*docker info/);
    assert.match(
      port,
      /30000 \(cluster\.ports\.vault\) is in use[\s\S]*pulumi config set cluster\.ports\.vault/,
    );
    assert.match(memory, /0\.5 GiB of memory[\s\S]*vault\.replicas 1/);
    assert.match(disk, /1\.0 GiB of disk[\s\S]*docker system df/);
  });

  it("does not ask for an engine where the docker program itself is missing", () => {
    assert.equal(preflightProblems({ ...ready, missingTools: ["docker"], dockerAnswers: false }).length, 1);
  });

  it("does not ask for the memory and disk of a cluster that runs already", () => {
    assert.deepEqual(
      preflightProblems({ ...ready, freeMemoryGiB: 0.1, freeDiskGiB: 0.1, clusterRuns: true }),
      [],
    );
  });

  it("takes the ports of a stack's own cluster for free, also where Docker folds neighbours into a range", () => {
    const ports = "127.0.0.1:30000-30002->30000-30002/tcp, 127.0.0.1:8080->80/tcp, [::1]:8443->443/tcp";
    for (const port of [30000, 30001, 30002, 8080, 8443]) assert.ok(publishes(ports, port), `${port}`);
    for (const port of [29999, 30003, 80, 443, 800]) assert.ok(!publishes(ports, port), `${port}`);
  });
});
