/**
 * The commands of the documents: what runs each, or why nothing does. test/unit/documented-commands.test.ts holds this
 * against the documents, so a command that is new there needs a row here, and a row goes with its command.
 *
 * A command stands as the document has it, without its comment and without `--stack <name>`; the stack's name in a path
 * is `<stack>`. A row that ends with " …" stands for every command that begins so and has no `<placeholder>`.
 */

/** By the file that runs them: each command, and words of that file which run it. An empty text: the command's own. */
export const tested: Record<string, Record<string, string>> = {
  "test/cluster/1-raise.test.ts": {
    "npm run up": 'shared.command("up")',
    "pulumi up": "shared.test.stack.up(",
    // npm run up names the pack to it.
    "pulumi up --policy-pack policy": 'shared.command("up")',
  },
  "test/cluster/2-previews.test.ts": {
    "npm run preview -- --markdown": 'branch.run("preview", "--markdown"',
    "npm run preview -- --refresh --expect-no-changes": '"--refresh", "--expect-no-changes"',
  },
  "test/cluster/2-runs-again.test.ts": {
    "kubectl --kubeconfig .local/stacks/<stack>/kubeconfig --namespace vault delete pvc/data-vault-0 pod/vault-0":
      'tools.kubectl("delete", "pvc", "data-vault-2"',
    "pulumi config set vault.giveUp <the old PVC's UID, as the message has it>":
      'setConfig("vault.giveUp", { value: known })',
    "pulumi config set vault.giveUp <UID of the claim>": 'setConfig("vault.giveUp", { value: known })',
    "vault operator raft remove-peer vault-2": 'tools.removePeer("vault-2")',
    "pulumi stack import --file .local/stacks/<stack>/state-before-down.json": "stack.importStack(",
    "kubectl delete pod": 'tools.deletePods("vault-2")',
    "kubectl delete pod vault-2": 'tools.deletePods("vault-2")',
    "docker stop": 'execa("docker", ["stop"',
  },
  "test/cluster/3-tls.test.ts": {
    "pulumi up --replace '**vault-tls-certificate'": "replace: [urn]",
  },
  "test/cluster/4-rehearse.test.ts": { "npm run rehearse failover": '"failover",' },
  "test/cluster/faults/certificates.ts": {
    "pulumi up --refresh --replace '**vault-tls-certificate'": 'tools.looks.follow("pulumi up")',
  },
  "test/cluster/faults/files.ts": { "pulumi cancel --yes": '["cancel", "--yes"' },
  "test/cluster/7-recover.test.ts": {
    "npm run recover quorum -- --dry-run": '"recover", "quorum", "--dry-run"',
    "npm run recover quorum": '"recover", "quorum", "--confirm"',
  },
  "test/cluster/7-tour.test.ts": {
    "npm run tour": 'shared.command("tour", "--through", through)',
    "npm run tour -- --through ingress": 'shared.command("tour", "--through", through)',
  },
  "test/cluster/7-typed.test.ts": {
    'eval "$(npm run -s env)"': "",
    "pulumi stack output rootToken --show-secrets": "",
    "pulumi stack output shares --show-secrets": "",
    "curl http://localhost:30000/v1/sys/health": "",
    "curl http://whoami.localhost:8080": "",
    "kubectl --kubeconfig .local/stacks/<stack>/kubeconfig --namespace vault get pods": "",
    "kubectl config get-contexts": "",
    "kubectl get storageclasses": "",
    "pulumi preview": "",
    "pulumi preview --policy-pack policy": "",
    "npm run preview": "",
    "npm run status": "",
    "npm run status -- --json": "",
    "npm run doctor": "",
    "npm run -s doctor -- --json | jq --raw-output '.findings[] | select(.because == []) | .id'": "",
    "npm run explain": "",
    "export VAULT_ADDR=$(pulumi stack output vaultAddress)": "",
    "export VAULT_CACERT=$(pulumi stack output vaultAuthorityFile)": "",
    'curl --cacert "$VAULT_CACERT" "$VAULT_ADDR/v1/sys/health"': "",
    "curl --cacert .local/stacks/<stack>/vault-ca.crt https://vault.localhost:8443/v1/sys/health": "",
    "docker image ls vault-ha/node": "",
    "node offline/build.ts --list": "",
    "pulumi up --refresh": "",
    "pulumi config set …": "pulumi config set",
    "pulumi config rm …": "pulumi config rm",
    "kubectl --kubeconfig .local/stacks/<stack>/kubeconfig --namespace vault port-forward service/vault 8200:8200":
      "",
    "npm run rehearse failover -- --pod delete": "",
  },
  "test/cluster/7-snapshots.test.ts": {
    "npm run snapshot save": '"snapshot", "save", "--json"',
    "npm run snapshot list": '"snapshot", "list", "--json"',
    "npm run snapshot inspect <snapshot>": '"snapshot", "inspect", file',
    "npm run rehearse restore": '"rehearse", "restore", "--json"',
    "npm run restore <snapshot>": '"restore", file, "--confirm"',
    "npm run restore .local/stacks/<stack>/snapshots/<snapshot>": '"restore", file, "--confirm"',
    "npm run restore .local/stacks/<stack>/snapshots/<snapshot> -- --dry-run": '"restore", file, "--dry-run"',
  },
  "test/cluster/7-keys.test.ts": {
    "npm run rekey": 'json("rekey")',
    "npm run rekey -- --dry-run": 'json("rekey", "--dry-run")',
    "npm run rotate": 'json("rotate")',
    "npm run root revoke": '"root", "revoke", "--user", "olga"',
    "npm run root revoke -- --user olga": '"root", "revoke", "--user", "olga"',
    "npm run root revoke -- --user olga --dry-run": 'run("--dry-run")',
    "npm run root generate": 'json("root", "generate")',
  },
  "test/vault/rekey.test.ts": {
    "npm run rekey -- --shares 7 --threshold 4": "rekey({ shares: 3, threshold: 2 }, rotating)",
    "npm run rekey -- --cancel <nonce>": "await cancel(nonce, await rotating())",
  },
  "test/vault/root.test.ts": {
    "npm run rotate -- --dry-run": "await rotatingOn(stack), false)",
    "vault login -method=userpass username=olga": "auth/userpass/login/",
    "vault print token | npm run -s root generate -- --token": "generateRoot(rotating, await login())",
  },
  "test/cluster/7-backup.test.ts": {
    "npm run snapshot fetch <snapshot>": '"snapshot", "fetch", name',
    "kubectl --kubeconfig .local/stacks/<stack>/kubeconfig --namespace vault create job now --from cronjob/vault-backup":
      '"create", "job", "now"',
  },
  "test/cluster/7-bucket.test.ts": {
    "kubectl --kubeconfig .local/stacks/<stack>/kubeconfig --namespace vault create secret generic bucket-key --from-env-file bucket.env":
      '"create", "secret", "generic", "bucket-key", "--from-env-file"',
    "kubectl --kubeconfig .local/stacks/<stack>/kubeconfig --namespace vault annotate serviceaccount vault-backup eks.amazonaws.com/role-arn=<role>":
      '"annotate", "serviceaccount", "vault-backup"',
  },
  "test/stacks/2-custody.test.ts": {
    "npm run custody shares": 'run("custody", "shares", "--json")',
    "gpg --decrypt share.asc | npm run -s rekey": 'const given = await onStack("rekey", ["--json"]',
    "gpg --decrypt new-share.asc | npm run -s rekey": 'const proved = await onStack("rekey", ["--json"]',
    "npm run custody token": 'onStack("custody", ["token"], root)',
    "gpg --decrypt root-token.asc | npm run -s custody token": 'onStack("custody", ["token"], root)',
    "npm run custody drill": 'run("custody", "drill", "--json")',
    "npm run custody answer": 'onStack("custody", ["answer"], answer)',
    "npm run unseal": 'onStack("unseal", ["--json"]',
    "npm run unseal -- --cancel": 'onStack("unseal", ["--cancel"',
    "gpg --decrypt share.asc | npm run -s unseal -- --kubeconfig kubeconfig --authority vault-ca.crt":
      '["--kubeconfig", kubeconfig, "--authority", authority, "--stay", "30"]',
    "gpg --decrypt share.asc | npm run -s unseal -- --stay 60":
      'start("unseal", ["--stack", test.name, "--stay", "30"]',
    "kubectl --namespace vault apply --filename examples/holder-role.yaml":
      'join(checkout, "examples/holder-role.yaml")',
    "kubectl --namespace vault create rolebinding holders --role vault-unseal --group holders":
      '"create", "rolebinding", "holders"',
  },
  "test/vault/custody-gpg.test.ts": {
    'gpg --quick-generate-key "Olga <olga@example.org>" default default 2y':
      '["--quick-generate-key", "Olga <olga@example.org>", "default", "default", "2y"]',
    "gpg --export --armor olga@example.org > olga.asc": '["--export", "--armor", "olga@example.org"]',
    "gpg --decrypt share.asc": '["--decrypt", "share.asc"]',
    "gpg --decrypt drill.asc": '["--decrypt", "drill.asc"]',
    "gpg --fingerprint olga@example.org": '["--fingerprint", "olga@example.org"]',
  },
  "test/vault/custody.test.ts": {
    "vault operator generate-root -init -pgp-key=olga.asc": '"generate-root", "-init"',
    "vault operator generate-root": '"generate-root", "-nonce"',
    "vault token revoke -self": '["token", "revoke", "-self"]',
  },
  "test/stacks/1-adopt.test.ts": {
    "npm run -s adopt -- --context my-context < cluster-keys.json": '"--context", cluster.context',
    "npm run -s adopt -- < cluster-keys.json": '["commands/adopt.ts", "--stack", test.name',
    "npm run -s adopt": 'adopt("")',
  },
  "test/stacks/1-migrate.test.ts": {
    "npm run -s migrate standalone -- --context my-context --dry-run": 'migrate("", "--dry-run")',
    "npm run -s migrate standalone -- --context my-context < cluster-keys.json":
      "migrate(JSON.stringify(keys))",
    "npm run -s migrate standalone -- --context my-context --begin-anew":
      '"--begin-anew", "--confirm", test.name',
    "npm run migrate standalone": "migrate(",
  },
  "test/vault/migrate.test.ts": {
    "rm -r /vault/data/vault.db /vault/data/raft /vault/data/migrated-from-file":
      '["vault.db", "raft", migratedMark]',
  },
  "operate/migrate/volume-script.ts": {
    "vault operator migrate": "vault operator migrate -config",
    "vault operator migrate -reset": "",
  },
  "test/support/made-by-hand.ts": {
    "vault operator init": '"init", "-key-shares=5"',
    "vault operator init -format=json": '"-format=json"',
  },
  "test/stacks/1-existing.test.ts": {
    "kubectl create namespace vault": 'cluster.kubectl("create", "namespace", "vault")',
    "kubectl label namespace vault vault-ha/stack=<stack>": 'cluster.kubectl("label", "namespace", "vault"',
    "kubectl apply --filename .local/stacks/<stack>/missing-rights.yaml":
      'cluster.kubectl("apply", "--filename", join(test.stackDir, "missing-rights.yaml"))',
    "kubectl --kubeconfig .local/stacks/<stack>/kubeconfig --namespace vault exec vault-0 -- tail -n 1 /vault/audit/audit.log":
      '"/vault/audit/audit.log"',
    "npm run down": 'run("down")',
    "npm run down -- --confirm <stack>": 'run("down", "--confirm", test.name)',
    "npm run down -- --json": 'run("down", "--json")',
  },
  "test/cluster/8-side-by-side.test.ts": {
    "npm run -s restore <snapshot> -- --from-cluster <cluster id> --confirm <stack> < cluster-keys.json":
      '["commands/restore.ts", saved.file',
  },
  "test/stacks/2-seal.test.ts": {
    "vault secrets enable transit": "",
    "vault write -f transit/keys/vault-unseal": "",
    "vault policy write vault-unseal vault-unseal.hcl": "",
    "vault token create -orphan -policy=vault-unseal -period=24h -field=token > VAULT_TOKEN":
      "vault token create -orphan -policy=vault-unseal -period=24h -field=token",
    "kubectl --namespace vault create secret generic vault-seal --from-file VAULT_TOKEN":
      "kubectl create secret generic vault-seal --from-file VAULT_TOKEN",
    "kubectl --namespace vault delete pod vault-2": "tools.deletePods(follower)",
  },
  "test/vault/seal.test.ts": {
    "kubectl --namespace vault exec -it vault-2 -- vault operator unseal -migrate": "migrate: true",
  },
  "test/cluster/9-end.test.ts": { "pulumi destroy": "test.stack.destroy(" },
  "test/setup/start.test.ts": { "npm ci": "packages: npm ci" },
  "test/support/outside-cluster.ts": { "kind create cluster": '["create", "cluster"' },
  "test/support/test-stack.ts": { "pulumi stack init <stack>": "LocalWorkspace.createOrSelectStack(" },
  "test/vault/metrics.test.ts": {
    "vault token create -orphan -policy=metrics -period=24h -no-default-policy": '"auth/token/create-orphan"',
    'echo \'path "sys/metrics" { capabilities = ["read"] }\' | vault policy write metrics -':
      '"sys/policies/acl/metrics"',
  },
  // Every line that npm run explain shows is typed there.
  "test/vault/explain.test.ts": {
    "vault operator raft list-peers": "raises three blank nodes to a Vault of three voters",
  },
};

/** By the reason why no test runs them. */
export const untested: Record<string, string[]> = {
  "it is what runs the tests": ["npm test", "npm test -- unit vault", "npm test -- check unit"],
  "it is the stage check of npm test": ["npm run check"],
  "npm test begins with it": ["npm run setup"],
  "it would stop the Docker engine in which the tests run": ["npm run down -- --all"],
  "it measures for half an hour, and asserts nothing": ["npm run bench"],
  "it fills a Vault with 10,000 secrets, and asserts no time": ["npm run bench -- restore"],
  "the same as without a file, which is tested; no such folder is there": [
    "npm run snapshot save /mnt/backup/dev.snap",
    "npm run snapshot inspect /mnt/backup/dev.snap",
    "npm run rehearse restore /mnt/backup/dev.snap",
  ],
  "it takes long, and runs where it is named": ["npm test -- soak"],
  "it builds for half an hour; the set-up of npm test builds the same where it has to": [
    "node offline/build.ts",
    "node offline/build.ts vault",
  ],
  "it changes the machine's packages": ["apt-get install chromium libnss3-tools"],
  "it is a form: those that are written out are typed": [
    "pulumi config set <key> <value>",
    "pulumi config set vault.valuesFile <path>",
  ],
  "it takes what the official network gives; npm run up hands the same values to Helm's library": [
    "helm install",
    "helm repo add hashicorp https://helm.releases.hashicorp.com",
    "helm install vault hashicorp/vault --version 0.34.1 --namespace vault --create-namespace --values vault-ha-values.yaml",
  ],
  "no helm is on a closed network; test/unit/adopt.test.ts has when it is said": [
    "helm upgrade vault hashicorp/vault --version 0.30.0 --namespace vault --reuse-values --set injector.enabled=false",
  ],
  "it says with what a benchmark compares": ["pulumi new", "pulumi new typescript"],
  "it names what a probe, a tool or a person does, and is nothing to be typed": [
    "vault status",
    "kind export logs",
    "kubectl scale",
    "helm upgrade",
    "vault audit disable file",
    "vault operator generate-root -cancel",
    "vault operator step-down",
    "vault operator unseal",
    "vault operator seal",
    "pulumi import",
  ],
  "kind has one storage class, whose volumes do not grow; test/unit/preview-consequences.test.ts has when it is said":
    ["kubectl delete statefulset vault --cascade=orphan", "kubectl patch pvc"],
  "Vault's data would have to be lost; test/vault/identity.test.ts runs the step": [
    "pulumi up --replace '**lifecycle-init-vault-0'",
  ],
  "somebody would have to change the login first; test/vault/backup.test.ts runs the step again": [
    "pulumi up --replace '**lifecycle-backup-login'",
  ],
  "a Vault would have to be lost, and another raised; test/unit/preview-around.test.ts has what it lets pass":
    ["pulumi config set vault.giveUp <cluster id>"],
  "it takes minutes; test/vault/rehearsal.test.ts goes several rounds": [
    "npm run rehearse failover -- --rounds 5",
    "npm run rehearse failover -- --rounds 5 --json",
  ],
  "each rehearsal takes half a minute; two are run, the default and --pod delete": [
    "npm run rehearse failover -- --node stop",
    "npm run rehearse failover -- --signal TERM",
  ],
  "a cluster would have to vanish; test/unit/teardown.test.ts has when it is wanted": [
    "npm run down -- --cluster-is-gone",
  ],
  "a receipt says it, for a loss on purpose: test/unit/teardown.test.ts": [
    "kubectl --kubeconfig .local/stacks/<stack>/kubeconfig delete namespace vault",
    "rm .local/stacks/<stack>/vault-init.json",
  ],
  "it undoes what test/stacks/1-adopt.test.ts does, for a hand that goes on with Helm": [
    "pulumi stack rm --force",
    "kubectl --namespace vault replace --force --filename .local/stacks/<stack>/sh.helm.release.v1.vault.v1.json",
  ],
  "it is Kubernetes' own, on the way back; test/vault/migrate.test.ts starts the file storage again": [
    "kubectl --namespace vault scale statefulset vault --replicas=1",
  ],
  "a migration of the seal is a hand's; test/vault/seal.test.ts goes on with one that was done so": [
    "kubectl --namespace vault edit configmap vault-config",
    "kubectl --namespace vault set env statefulset/vault --from secret/vault-seal",
  ],
  "the same as without a file for the authority, which is tested": [
    "kubectl --namespace vault create secret generic vault-seal --from-file VAULT_TOKEN --from-file ca.crt",
  ],
  "it removes a file that the test does not make": ["rm VAULT_TOKEN"],
  "it is the other Vault's own, and Vault's promise": ["vault write -f transit/keys/vault-unseal/rotate"],
  "a service of one's own would have to be there": ["redis-cli -p 30001"],
};

/** Code that is no command and that no file here says: whose words it is. */
export const foreignWords: Record<string, string> = {
  "connection refused": "what curl and kubectl say",
  'min by (pod) (up{job="vault-internal"}) == 0': "what Prometheus is asked",
  "max(vault_autopilot_failure_tolerance) == 0": "what Prometheus is asked",
  "increase(vault_audit_log_request_failure[5m]) > 0": "what Prometheus is asked",
  "storage migration in progress": "what Vault says",
  "failed to audit request, cannot continue": "what Vault says",
  "no space left on device": "what the kernel says",
  "error parsing Seal configuration": "what Vault says",
  "invalid token": "what Vault says",
  "seal migration complete": "what Vault says",
  'disabled = "true"': "a line of Vault's configuration",
  "x509: certificate signed by unknown authority": "what Vault says",
  "there is no Secret vault-seal in namespace vault": "what the step seal-secret says",
  "vault-0 runs with the seal shamir": "what a step says",
  "Sealed true": "a line of vault status",
};
