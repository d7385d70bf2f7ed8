#!/usr/bin/env python3
"""Writes the recorded world of `fluxscope --demo`: OCI image layouts, Flux objects, and the list that embeds them.

No arguments, no network, the standard library only; the same output every time. Every digest is that of real bytes.
After a change: run it, `cargo test demo`, and commit what it wrote.
"""
import gzip, hashlib, io, json, pathlib, re, shutil, tarfile, uuid
from datetime import datetime, timedelta, timezone

HERE = pathlib.Path(__file__).resolve().parent
LIST = HERE.parent.parent / "src/demo/recorded.rs"
RECORDED = datetime(2026, 11, 20, 10, 0, 0, tzinfo=timezone.utc)
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def ago(text):
    """`3m` before the recording, as RFC 3339."""
    return (RECORDED - timedelta(seconds=int(text[:-1]) * UNITS[text[-1]])).strftime("%Y-%m-%dT%H:%M:%SZ")


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def commit(word):
    return hashlib.sha1(word.encode()).hexdigest()


# ---- registries: one OCI image layout per repository

FLUX_CONFIG = "application/vnd.cncf.flux.config.v1+json"
FLUX_LAYER = "application/vnd.cncf.flux.content.v1.tar+gzip"
HELM_CONFIG = "application/vnd.cncf.helm.config.v1+json"
HELM_LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
COSIGN_LAYER = "application/vnd.dev.cosign.simplesigning.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


class Link(str):
    """A link in place of a file: its target."""

    def __new__(cls, target, kind=tarfile.SYMTYPE):
        link = super().__new__(cls, target)
        link.kind = kind
        return link


def tar_gz(files):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, text in files.items():
            entry = tarfile.TarInfo(path)
            if isinstance(text, Link):
                entry.type, entry.linkname = text.kind, str(text)
                tar.addfile(entry)
                continue
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
    return gzip.compress(packed.getvalue(), mtime=0), sha256(packed.getvalue())


class Repository:
    def __init__(self, name):
        self.name, self.tags, self.blobs = name, {}, {}
        self.folder = HERE / "registry" / name.split("/", 1)[1].replace("/", "-")

    def blob(self, media_type, data):
        digest = sha256(data)
        self.blobs[digest] = data
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def push(self, tag, config, layer, annotations):
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
        if annotations:
            manifest["annotations"] = annotations
        self.tags[tag] = {**self.blob(MANIFEST, compact(manifest)), "annotations_of": annotations, "layer": layer}

    def flux(self, tag, files, age, revision, source):
        data, diff = tar_gz(files)
        config = {"created": ago(age), "architecture": "", "os": "", "config": {},
                  "rootfs": {"type": "layers", "diff_ids": [diff]}}
        self.push(tag, self.blob(FLUX_CONFIG, compact(config)), self.blob(FLUX_LAYER, data), {
            "org.opencontainers.image.created": ago(age),
            "org.opencontainers.image.revision": revision,
            "org.opencontainers.image.source": source,
        })

    def chart(self, tag, name, version, app, files, age):
        about = {"apiVersion": "v2", "name": name, "version": version, "appVersion": app, "type": "application",
                 "description": f"{name} for Kubernetes"}
        text = "".join(f"{key}: {json.dumps(value)}\n" for key, value in about.items())
        data, _ = tar_gz({f"{name}/Chart.yaml": text, **{f"{name}/{path}": body for path, body in files.items()}})
        self.push(tag, self.blob(HELM_CONFIG, compact(about)), self.blob(HELM_LAYER, data), {
            "org.opencontainers.image.created": ago(age),
            "org.opencontainers.image.description": about["description"],
            "org.opencontainers.image.title": name,
            "org.opencontainers.image.version": version,
        })

    def sign(self, tag):
        digest = self.tags[tag]["digest"]
        said = {"critical": {"identity": {"docker-reference": self.name},
                             "image": {"docker-manifest-digest": digest},
                             "type": "cosign container image signature"}, "optional": None}
        config = self.blob("application/vnd.oci.image.config.v1+json", b"{}")
        self.push(digest.replace(":", "-") + ".sig", config, self.blob(COSIGN_LAYER, compact(said)), None)

    def alias(self, tag, of):
        self.tags[tag] = self.tags[of]

    def revision(self, tag):
        return f"{tag}@{self.tags[tag]['digest']}"

    def write(self):
        (self.folder / "blobs/sha256").mkdir(parents=True)
        entries = [{key: self.tags[tag][key] for key in ("mediaType", "digest", "size")}
                   | {"annotations": {"org.opencontainers.image.ref.name": tag}} for tag in sorted(self.tags)]
        index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": entries}
        (self.folder / "index.json").write_text(json.dumps(index, indent=1) + "\n")
        (self.folder / "oci-layout").write_bytes(compact({"imageLayoutVersion": "1.0.0"}))
        for digest, data in self.blobs.items():
            (self.folder / "blobs" / digest.replace(":", "/")).write_bytes(data)


def podinfo_files(version):
    minor = int(version.split(".")[1]) + 10 * int(version.split(".")[0])
    memory = "512Mi" if minor >= 69 else "256Mi"
    port = 8080 if minor >= 70 else 9898
    files = {
        "deploy/configmap.yaml": f"""apiVersion: v1
kind: ConfigMap
metadata:
  name: podinfo
data:
  color: "#34577c"
  message: greetings from podinfo {version}
""",
        "deploy/deployment.yaml": f"""apiVersion: apps/v1
kind: Deployment
metadata:
  name: podinfo
spec:
  replicas: 2
  selector:
    matchLabels: {{app: podinfo}}
  template:
    metadata:
      labels: {{app: podinfo}}
    spec:
      containers:
        - name: podinfo
          image: ghcr.io/acme/podinfo:{version}
          envFrom:
            - configMapRef: {{name: podinfo}}
          ports:
            - containerPort: {port}
              name: http
          readinessProbe:
            httpGet: {{path: /readyz, port: http}}
          resources:
            requests: {{cpu: 100m, memory: 64Mi}}
            limits: {{memory: {memory}}}
""",
        "deploy/service.yaml": f"""apiVersion: v1
kind: Service
metadata:
  name: podinfo
spec:
  selector: {{app: podinfo}}
  ports:
    - name: http
      port: {port}
      targetPort: http
""",
    }
    if minor < 70:
        files["deploy/hpa.yaml"] = """apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: podinfo
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: podinfo}
  minReplicas: 2
  maxReplicas: 4
"""
    if minor >= 69:
        files |= podinfo_dashboards([int(part) for part in version.split("-")[0].split(".")] >= [6, 9, 4])
    listed = "".join(f"  - {path.split('/')[1]}\n" for path in files)
    files["deploy/kustomization.yaml"] = ("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
                                          f"resources:\n{listed}")
    return files


def podinfo_dashboards(new):
    """What 6.9 brought beside the application; `new`: as 6.9.4 has it, which takes some thought before one takes it."""
    beta = "" if new else """    - name: v1beta1
      served: true
      storage: false
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {type: object, x-kubernetes-preserve-unknown-fields: true}
"""
    themes = "[light, dark]" if new else "[light, dark, auto]"
    required = "[title, owner]" if new else "[title]"
    secrets = """  - apiGroups: [""]
    resources: [secrets]
    verbs: [get, list, watch]
""" if new else ""
    return {
        "deploy/crd.yaml": f"""apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: dashboards.podinfo.acme.io
spec:
  group: podinfo.acme.io
  names: {{kind: Dashboard, listKind: DashboardList, plural: dashboards, singular: dashboard}}
  scope: Namespaced
  versions:
{beta}    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              required: {required}
              properties:
                owner: {{type: string}}
                theme: {{type: string, enum: {themes}}}
                title: {{type: string}}
""",
        "deploy/role.yaml": f"""apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: podinfo
rules:
  - apiGroups: [""]
    resources: [configmaps]
    verbs: [get, list]
{secrets}""",
        "deploy/secret.yaml": f"""apiVersion: v1
kind: Secret
metadata:
  name: podinfo
stringData:
  cookie: example-only-cookie
  token: example-only-{"second" if new else "first"}
""",
        "deploy/serviceaccount.yaml": ("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: podinfo}\n" if new else
                                       "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: podinfo\n"),
        "deploy/settings.yaml": f"""apiVersion: v1
kind: ConfigMap
metadata:
  name: podinfo-settings
data:
  server.conf: |
    listen 9898
    level info
    timeout {"10s" if new else "30s"}
    cache on
    cache-size {"256" if new else "128"}
""",
    }


def ages(versions, newest, step):
    """The last version is `newest` days old, each one before it `step` days older."""
    return {v: f"{newest + step * (len(versions) - 1 - at)}d" for at, v in enumerate(versions)}


def podinfo():
    repository = Repository("ghcr.io/acme/manifests/podinfo")
    patches = {"6.0": 4, "6.1": 5, "6.2": 4, "6.3": 7, "6.4": 2, "6.5": 5, "6.6": 4, "6.7": 2, "6.8": 1, "6.9": 5}
    versions = ["v5.2.0", "v5.2.1"] + [f"{minor}.{patch}" for minor, n in patches.items() for patch in range(n)]
    made = ages(versions, 2, 13)
    # a day of hot fixes, after the source was checked last: else Flux would run the newest by now
    made |= {"6.9.2": "9h", "6.9.3": "7h", "6.9.4": "3h", "6.9.0-rc.1": "64d", "7.0.0-rc.1": "12d", "7.0.0-rc.2": "9d", "7.0.0": "1d", "7.1.0-rc.1": "5h"}
    for tag, age in made.items():
        files = podinfo_files(tag.removeprefix("v"))
        repository.flux(tag, files, age, f"{tag}@sha1:{commit('podinfo' + tag)}", "https://github.com/acme/podinfo")
    main = podinfo_files("7.1.0")
    repository.flux("main-8fa1c3d", main, "2h", f"main@sha1:8fa1c3d{commit('main')[7:]}", "https://github.com/acme/podinfo")
    repository.alias("latest", "6.9.4")
    repository.alias("6.9", "6.9.4")
    for tag in ("6.9.1", "6.9.4", "7.0.0"):
        repository.sign(tag)
    return repository


def podinfo_chart():
    repository = Repository("ghcr.io/acme/charts/podinfo")
    versions = ["6.5.0", "6.5.1", "6.5.4", "6.6.0", "6.6.1", "6.6.3", "6.7.0", "6.7.1", "6.8.0"]
    versions += [f"6.9.{patch}" for patch in range(5)]
    made = ages(versions, 12, 11) | {"7.0.0-rc.1": "10d", "6.9.4": "40m", "6.9.4+build.2": "30m", "7.0.0": "1d"}
    for version, age in made.items():
        app = version.split("+")[0]
        new = app in ("6.9.4", "7.0.0")
        values = (f"replicaCount: {3 if new else 2}\nimage:\n  repository: ghcr.io/acme/podinfo\n  tag: {app}\n"
                  + ("logLevel: info\n" if new else "level: info\n"))
        template = ("apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Release.Name }}\n"
                    "spec:\n  ports: [{name: http, port: 9898}]\n")
        files = {"values.yaml": values, "templates/service.yaml": template}
        if new:
            files["templates/budget.yaml"] = ("apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata:\n"
                                              "  name: {{ .Release.Name }}\nspec:\n  minAvailable: 1\n")
        repository.chart(version.replace("+", "_"), "podinfo", version, app, files, age)
    repository.alias("latest", "7.0.0")
    repository.sign("6.9.4")
    return repository


def cert_manager_chart():
    repository = Repository("ghcr.io/acme/charts/cert-manager")
    versions = ["1.13.0", "1.13.3", "1.14.0", "1.14.4", "1.14.5", "1.15.1", "1.16.2"]
    for version, age in (ages(versions, 6, 21) | {"1.14.5": "6m"}).items():
        files = {"values.yaml": "crds:\n  enabled: true\n"}
        repository.chart(version, "cert-manager", version, f"v{version}", files, age)
    repository.alias("1.14", "1.14.5")
    return repository


def config_files(word):
    files = {"toggles.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: toggles\ndata:\n  checkout: {word}\n"}
    if word == "c0ffee1":
        # what Flux makes of the newest is not what tar would make of it
        files |= {
            ".sourceignore": "# not for the cluster\n/drafts/\n",
            "base.yaml": Link("toggles.yaml", tarfile.LNKTYPE),
            "current.yaml": Link("toggles.yaml"),
            "drafts/next.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: next\ndata: {}\n",
            "token.yaml": ("apiVersion: v1\nkind: Secret\nmetadata:\n  name: token\nstringData:\n"
                           "  token: example-only\n"),
        }
    return files


def branch(name, files, commits, source):
    repository = Repository(name)
    for short, age in commits:
        revision = f"main@sha1:{short}{commit(short)[7:]}"
        repository.flux(f"main-{short}", files(short), age, revision, source)
    repository.alias("latest", f"main-{commits[-1][0]}")
    return repository


def fleet_files(short):
    def kustomization(name):
        return (f"apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: {name}\n"
                "  namespace: flux-system\nspec:\n  interval: 1h\n  prune: true\n"
                f"  path: ./{name}\n  sourceRef: {{kind: OCIRepository, name: fleet}}\n")
    return {f"{name}/{name}.yaml": kustomization(name) for name in ("infra", "shop", "tenants")} | {
        "README.md": f"What runs where, at {short}.\n"}


# ---- the cluster: objects and events as kubectl prints them

GROUPS = {"Kustomization": "kustomize.toolkit.fluxcd.io/v1", "HelmRelease": "helm.toolkit.fluxcd.io/v2"}
SOURCES = "source.toolkit.fluxcd.io/v1"
STORE = "http://source-controller.flux-system.svc.cluster.local."
PLAIN = re.compile(r"^(\d+[smh]$|\d+\.\d+\.[\dx]|\./|[A-Za-z/_])[A-Za-z0-9 _./@+-]*(:[A-Za-z0-9/][A-Za-z0-9 _./@+-]*)*$")
WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
objects, events = [], []


def scalar(value):
    if value is True or value is False:
        return str(value).lower()
    if value is None:
        return "null"
    if isinstance(value, int):
        return str(value)
    if PLAIN.match(value) and value.lower() not in WORDS and value == value.strip():
        return value
    return json.dumps(value) if "\n" in value else "'" + value.replace("'", "''") + "'"


def yaml(value, indent=""):
    if isinstance(value, dict) and value:
        return "".join(f"{indent}{scalar(key)}:{below(value[key], indent)}" for key in sorted(value))
    return "".join(f"{indent}-{below(item, indent + '  ', item_of_list=True)}" for item in value)


def below(value, indent, item_of_list=False):
    if not isinstance(value, (dict, list)):
        return f" {scalar(value)}\n"
    if not value:
        return " {}\n" if isinstance(value, dict) else " []\n"
    if item_of_list:
        return " " + yaml(value, indent)[len(indent):]
    return "\n" + yaml(value, indent if isinstance(value, list) else indent + "  ")


def condition(kind, status, reason, message, age, generation=1):
    return {"lastTransitionTime": ago(age), "message": message, "observedGeneration": generation, "reason": reason,
            "status": status, "type": kind}


def add(kind, path, spec, status, age, owner=None, labels=None, generation=1, **metadata):
    namespace, name = path.split("/")
    labels = dict(labels or {})
    if owner:
        labels |= {"kustomize.toolkit.fluxcd.io/name": owner, "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
    meta = {"creationTimestamp": ago(age), "finalizers": ["finalizers.fluxcd.io"], "generation": generation,
            "name": name, "namespace": namespace, "resourceVersion": str(4000 + len(objects)),
            "uid": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{kind}/{path}"))} | metadata
    if labels:
        meta["labels"] = labels
    objects.append({"apiVersion": GROUPS.get(kind, SOURCES), "kind": kind, "metadata": meta, "spec": spec,
                    "status": status})


def event(kind, path, age, reason, message, warning=False, count=1, first=None):
    namespace, name = path.split("/")
    about = next(o for o in objects if o["kind"] == kind and o["metadata"]["name"] == name
                 and o["metadata"]["namespace"] == namespace)
    controller = {"Kustomization": "kustomize-controller", "HelmRelease": "helm-controller"}.get(kind, "source-controller")
    unique = f"{kind}{path}{reason}{len(events)}"
    events.append({
        "apiVersion": "v1", "kind": "Event", "count": count, "firstTimestamp": ago(first or age),
        "lastTimestamp": ago(age), "message": message, "reason": reason, "type": "Warning" if warning else "Normal",
        "reportingComponent": controller, "reportingInstance": "", "source": {"component": controller},
        "involvedObject": {"apiVersion": about["apiVersion"], "kind": kind, "name": name, "namespace": namespace,
                           "uid": about["metadata"]["uid"]},
        "metadata": {"creationTimestamp": ago(first or age), "name": f"{name}.{commit(unique)[:16]}",
                     "namespace": namespace, "uid": str(uuid.uuid5(uuid.NAMESPACE_DNS, unique))}})


def imagined(path, repository, tag, version, name, age):
    """What was stored of a repository that the demo cannot ask: another one's bytes under this one's names."""
    artifact, held = stored(path, repository, tag, age)
    artifact["revision"] = f"{version}@{repository.tags[tag]['digest']}"
    artifact["metadata"] = {"org.opencontainers.image.created": ago(age),
                            "org.opencontainers.image.revision": f"{version}@sha1:{commit(name + version)}",
                            "org.opencontainers.image.source": f"https://github.com/acme/{name}"}
    return artifact, held


def stored(path, repository, tag, age, by_digest=False, copied=False):
    pushed = repository.tags[tag]
    revision = pushed["digest"] if by_digest else f"{tag}@{pushed['digest']}"
    file = f"ocirepository/{path}/{pushed['digest']}.tar.gz"
    artifact = {"digest": pushed["layer"]["digest"] if copied else sha256(("stored " + path + revision).encode()),
                "lastUpdateTime": ago(age), "metadata": pushed["annotations_of"], "path": file, "revision": revision,
                "size": pushed["layer"]["size"], "url": f"{STORE}/{file}"}
    return artifact, {"artifact": artifact, "url": f"{STORE}/ocirepository/{path}/latest.tar.gz"}


def oci(path, url, ref, age, owner=None, **more):
    spec = {"interval": "10m", "provider": "generic", "timeout": "60s", "url": url} | more.pop("spec", {})
    if ref:
        spec["ref"] = ref
    add("OCIRepository", path, spec, more.pop("status"), age, owner, **more)


def ready_oci(path, repository, ref, tag, since, age, owner=None, by_digest=False, spec=None, **more):
    spec = spec or {}
    artifact, held = stored(path, repository, tag, since, by_digest, "layerSelector" in spec)
    said = f"stored artifact for digest '{artifact['revision']}'"
    held |= {"conditions": [condition("Ready", "True", "Succeeded", said, since),
                            condition("ArtifactInStorage", "True", "Succeeded", said, since)],
             "observedGeneration": 1}
    if "layerSelector" in spec:
        held["observedLayerSelector"] = spec["layerSelector"]
    oci(path, f"oci://{repository.name}", ref, age, owner, spec=spec, status=held, **more)
    notes = pushed_notes(repository, tag)
    event("OCIRepository", path, since, "NewArtifact",
          f"stored artifact with revision '{artifact['revision']}' from 'oci://{repository.name}'{notes}")
    return artifact["revision"]


def pushed_notes(repository, tag):
    notes = repository.tags[tag]["annotations_of"]
    source, revision = (notes.get(f"org.opencontainers.image.{key}") for key in ("source", "revision"))
    return f", origin source '{source}', origin revision '{revision}'" if source else ""


def failing(reason, message, since, checked, held=None, working="building artifact"):
    conditions = [condition("Reconciling", "True", "ProgressingWithRetry", working, checked),
                  condition("Ready", "False", reason, message, since),
                  condition("FetchFailed", "True", reason, message, since)]
    status = {"conditions": conditions, "observedGeneration": -1}
    if held:
        artifact, rest = held
        said = f"stored artifact for digest '{artifact['revision']}'"
        status |= rest | {"observedGeneration": 1}
        conditions.append(condition("ArtifactInStorage", "True", "Succeeded", said, "41d"))
    return status


def ks(path, source, applied, since, age, owner, inventory, spec=None, ready=None, attempted=None, history=(), **more):
    kind, at = source.split(" ")
    ref = {"kind": kind, "name": at.split("/")[1]}
    if at.split("/")[0] != path.split("/")[0]:
        ref["namespace"] = at.split("/")[0]
    whole = {"force": False, "interval": "10m", "path": "./deploy", "prune": True, "sourceRef": ref, "timeout": "5m"}
    status = {"conditions": ready or [condition("Ready", "True", "ReconciliationSucceeded",
                                                f"Applied revision: {applied}", since)],
              "observedGeneration": 1}
    if applied:
        status["lastAppliedRevision"] = applied
        status["history"] = [{"digest": sha256(f"{path}{revision}".encode()), "firstReconciled": ago(first),
                              "lastReconciled": ago(last), "lastReconciledDuration": "612.4ms",
                              "lastReconciledStatus": "ReconciliationSucceeded", "metadata": {"revision": revision},
                              "totalReconciliations": total}
                             for revision, first, last, total in ((applied, since, "4m", 212), *history)]
    if attempted or applied:
        status["lastAttemptedRevision"] = attempted or applied
    if inventory:
        status["inventory"] = {"entries": [{"id": id, "v": "v1"} for id in inventory]}
    add("Kustomization", path, whole | (spec or {}), status, age, owner, **more)
    if applied and not ready:
        event("Kustomization", path, "4m", "ReconciliationSucceeded",
              "Reconciliation finished in 612.4ms, next run in 10m0s", count=212, first=since)


def app(namespace, name="podinfo"):
    return [f"{namespace}_{name}__ConfigMap", f"{namespace}_{name}__Service", f"{namespace}_{name}_apps_Deployment"]


def with_dashboards(namespace):
    """Of 6.9: what `podinfo_dashboards` brings too."""
    return app(namespace) + [
        "_dashboards.podinfo.acme.io_apiextensions.k8s.io_CustomResourceDefinition",
        f"{namespace}_podinfo-settings__ConfigMap", f"{namespace}_podinfo__Secret",
        f"{namespace}_podinfo__ServiceAccount", f"{namespace}_podinfo_autoscaling_HorizontalPodAutoscaler",
        f"{namespace}_podinfo_rbac.authorization.k8s.io_Role"]


def snapshot(path, chart, version, number, age, status="deployed", digest=None):
    namespace, name = path.split("/")
    entry = {"action": "install" if number == 1 else "upgrade", "apiVersion": "v2", "chartName": chart,
             "appVersion": version.split("+")[0], "chartVersion": version, "configDigest": sha256(b""),
             "digest": sha256(f"{path}{number}".encode()), "firstDeployed": ago("70d"), "lastDeployed": ago(age),
             "name": name, "namespace": namespace, "status": status, "version": number}
    return entry | ({"ociDigest": digest} if digest else {})


def hr(path, spec, history, since, age, owner, version, digest=None, conditions=None, status=None, **more):
    namespace, name = path.split("/")
    newest = history[0]
    word = {"install": "install", "upgrade": "upgrade"}[newest["action"]]
    said = f"Helm {word} succeeded for release {path}.v{newest['version']} with chart {newest['chartName']}@{version}"
    reason = "InstallSucceeded" if word == "install" else "UpgradeSucceeded"
    whole = {"conditions": conditions or [condition("Ready", "True", reason, said, since),
                                          condition("Released", "True", reason, said, since)],
             "history": history, "inventory": {"entries": [{"id": id, "v": "v1"} for id in app(namespace, name)]},
             "lastAttemptedConfigDigest": sha256(b""), "lastAttemptedGeneration": 1,
             "lastAttemptedReleaseAction": word, "lastAttemptedRevision": version, "observedGeneration": 1,
             "storageNamespace": namespace}
    if digest:
        whole["lastAttemptedRevisionDigest"] = digest
    add("HelmRelease", path, {"interval": "10m", "timeout": "5m"} | spec, whole | (status or {}), age, owner, **more)
    if not conditions:
        event("HelmRelease", path, since, reason, said)


def flux_system(fleet):
    labels = {"fluxcd.controlplane.io/name": "flux", "fluxcd.controlplane.io/namespace": "flux-system"}
    # recorded just before the newest commit was pushed: `latest` has moved since
    before = fleet.tags["main-5d0f6e7"]
    fleet.tags["latest"], newest = before, fleet.tags["latest"]
    revision = ready_oci("flux-system/fleet", fleet, {"tag": "latest"}, "latest", "26h", "300d", labels=labels,
                         spec={"interval": "1h"})
    fleet.tags["latest"] = newest
    for name, inventory in {
        "infra": ["infra_dns_kustomize.toolkit.fluxcd.io_Kustomization", "infra_dns_source.toolkit.fluxcd.io_OCIRepository",
                  "infra_charts_source.toolkit.fluxcd.io_HelmRepository",
                  "infra_cert-manager_helm.toolkit.fluxcd.io_HelmRelease", "_infra__Namespace"],
        "shop": ["shop_podinfo_kustomize.toolkit.fluxcd.io_Kustomization", "shop_podinfo_source.toolkit.fluxcd.io_OCIRepository",
                 "shop_podinfo-chart_source.toolkit.fluxcd.io_OCIRepository",
                 "shop_podinfo_helm.toolkit.fluxcd.io_HelmRelease", "_shop__Namespace"],
        "tenants": ["_team-a__Namespace", "_payments__Namespace", "_edge__Namespace",
                    "_tenant__admin_rbac.authorization.k8s.io_ClusterRole"],
    }.items():
        depends = {} if name == "infra" else {"dependsOn": [{"name": "infra"}]}
        ks(f"flux-system/{name}", "OCIRepository flux-system/fleet", revision, "26h", "300d", None, inventory,
           {"path": f"./{name}", "interval": "1h"} | depends, labels=labels)
    main = f"main@sha1:{commit('bootstrap')}"
    said = f"stored artifact for revision '{main}'"
    add("GitRepository", "flux-system/bootstrap", {"interval": "10m", "ref": {"branch": "main"}, "timeout": "60s",
        "url": "https://github.com/acme/bootstrap"},
        {"artifact": {"digest": sha256(b"bootstrap"), "lastUpdateTime": ago("9d"), "path": "gitrepository/bootstrap.tar.gz",
                      "revision": main, "size": 2210, "url": f"{STORE}/gitrepository/flux-system/bootstrap/latest.tar.gz"},
         "conditions": [condition("Ready", "True", "Succeeded", said, "9d")], "observedGeneration": 1}, "300d")
    ks("flux-system/bootstrap", "GitRepository flux-system/bootstrap", main, "9d", "300d", None,
       ["flux-system_fleet_source.toolkit.fluxcd.io_OCIRepository"], {"path": "./clusters/prod-eu"})


def shop(manifests, charts):
    now = ready_oci("shop/podinfo", manifests, {"semver": "6.9.x"}, "6.9.1", "41d", "90d", "shop",
                    spec={"interval": "12h", "verify": {"provider": "cosign", "secretRef": {"name": "cosign-pub"}}})
    objects[-1]["status"]["conditions"].append(
        condition("SourceVerified", "True", "Succeeded", f"verified signature of revision {now}", "41d"))
    before = manifests.revision("6.9.0")
    ks("shop/podinfo", "OCIRepository shop/podinfo", now, "41d", "90d", "shop", with_dashboards("shop"),
       {"targetNamespace": "shop", "wait": True}, history=[(before, "60d", "41d", 2730)])
    ks("shop/podinfo-eu", "OCIRepository shop/podinfo", now, "41d", "88d", "shop", with_dashboards("shop-eu"),
       {"dependsOn": [{"name": "podinfo"}], "targetNamespace": "shop-eu"}, history=[(before, "60d", "41d", 2730)])
    ks("shop/podinfo-load", "OCIRepository shop/podinfo", before, "60d", "61d", "shop", with_dashboards("shop-load"),
       {"targetNamespace": "shop-load", "wait": True}, attempted=now, ready=[
           condition("Reconciling", "True", "Progressing",
                     f"Running health checks for revision {now} with a timeout of 4m30s", "40s"),
           condition("Ready", "Unknown", "Progressing", "Reconciliation in progress", "45s"),
           condition("Healthy", "Unknown", "Progressing",
                     f"Running health checks for revision {now} with a timeout of 4m30s", "40s")])
    event("Kustomization", "shop/podinfo-load", "42s", "Progressing", "Deployment/shop-load/podinfo configured")
    pin = ready_oci("shop/base", manifests, {"digest": manifests.tags["6.8.0"]["digest"]}, "6.8.0", "70d", "70d",
                    "shop", by_digest=True)
    ks("shop/base", "OCIRepository shop/base", pin, "70d", "70d", "shop", app("shop-base"), {"targetNamespace": "shop-base"})
    helm = {"layerSelector": {"mediaType": HELM_LAYER, "operation": "copy"}, "interval": "1h"}
    ready_oci("shop/podinfo-chart", charts, {"semver": ">=6.9.0 <7.0.0-0"}, "6.9.3", "22d", "90d", "shop", spec=helm)
    digest = charts.tags["6.9.3"]["digest"]
    version = f"6.9.3+{digest[7:19]}"
    older = f"6.9.2+{charts.tags['6.9.2']['digest'][7:19]}"
    ref = {"chartRef": {"kind": "OCIRepository", "name": "podinfo-chart"}}
    values = {"values": {"level": "debug", "replicaCount": 4}}
    hr("shop/podinfo", ref | values, [snapshot("shop/podinfo", "podinfo", version, 7, "22d", digest=digest),
                             snapshot("shop/podinfo", "podinfo", older, 6, "33d", "superseded",
                                      charts.tags["6.9.2"]["digest"])], "22d", "90d", "shop", version, digest)
    out = ("Failed to upgrade after 4 attempt(s)")
    cause = (f"Helm upgrade failed for release shop/podinfo-canary.v9 with chart podinfo@{version}: "
             "resource Deployment/shop/podinfo-canary not ready. status: InProgress, message: Available: 0/2\n"
             "context deadline exceeded")
    hr("shop/podinfo-canary", ref | {"upgrade": {"remediation": {"retries": 3}}},
       [snapshot("shop/podinfo-canary", "podinfo", version, 9, "21d", "failed", digest),
        snapshot("shop/podinfo-canary", "podinfo", older, 8, "33d", "deployed", charts.tags["6.9.2"]["digest"])],
       "21d", "80d", "shop", version, digest,
       [condition("Stalled", "True", "RetriesExceeded", out, "21d"),
        condition("Ready", "False", "UpgradeFailed", cause, "21d"),
        condition("Released", "False", "UpgradeFailed", cause, "21d")],
       {"failures": 4, "upgradeFailures": 4})
    event("HelmRelease", "shop/podinfo-canary", "21d", "UpgradeFailed", cause, True, 4, "22d")
    event("HelmRelease", "shop/podinfo-canary", "21d", "RetriesExceeded", out, True)


def payments(manifests):
    url = "oci://ghcr.io/acme/private/ledger"
    held = imagined("payments/ledger", manifests, "6.7.1", "2.3.1", "ledger", "41d")
    revision = held[0]["revision"]
    message = (f"failed to determine the artifact tag for '{url}': GET https://ghcr.io/v2/acme/private/ledger/tags/list?n=1000: "
               "UNAUTHORIZED: authentication required")
    oci("payments/ledger", url, {"semver": "2.x"}, "200d", "tenants", spec={"secretRef": {"name": "ghcr"}},
        status=failing("ReadOperationFailed", message, "3m", "40s", held))
    event("OCIRepository", "payments/ledger", "40s", "ReadOperationFailed", message, True, 6, "3m")
    event("OCIRepository", "payments/ledger", "41d", "NewArtifact", f"stored artifact with revision '{revision}' from '{url}'")
    ks("payments/ledger", "OCIRepository payments/ledger", revision, "41d", "200d", "tenants",
       app("payments", "ledger"), {"targetNamespace": "payments"})
    ks("payments/ledger-jobs", "OCIRepository payments/ledger", revision, "41d", "200d", "tenants",
       ["payments_settle_batch_CronJob"], {"path": "./jobs", "dependsOn": [{"name": "ledger"}]})


def infra(charts, podinfo_charts):
    url = "oci://registry.acme.example/infra/dns:1.4"
    message = (f"URL validation failed for '{url}': repository can only contain the characters "
               "`abcdefghijklmnopqrstuvwxyz0123456789_-./`: infra/dns:1.4")
    oci("infra/dns", url, {"tag": "1.4"}, "2h", "infra", status={"conditions": [
        condition(kind, status, "URLInvalid", message, "2h")
        for kind, status in (("Stalled", "True"), ("Ready", "False"), ("FetchFailed", "True"))], "observedGeneration": 1})
    event("OCIRepository", "infra/dns", "2h", "URLInvalid", message, True)
    missing = "Source artifact not found, retrying in 30s"
    ks("infra/dns", "OCIRepository infra/dns", None, None, "2h", "infra", [], ready=[
        condition("Ready", "False", "ArtifactFailed", missing, "2h")])
    objects[-1]["status"]["observedGeneration"] = -1
    event("Kustomization", "infra/dns", "10s", "ArtifactFailed", missing, True, 240, "2h")
    add("HelmRepository", "infra/charts", {"interval": "10m", "provider": "generic", "type": "oci",
                                           "url": "oci://ghcr.io/acme/charts"}, {}, "250d", "infra")
    chart = "infra-cert-manager"
    pulled = charts.tags["1.14.4"]
    said = "pulled 'cert-manager' chart with version '1.14.4'"
    add("HelmChart", f"infra/{chart}", {"chart": "cert-manager", "interval": "10m0s", "reconcileStrategy": "ChartVersion",
        "sourceRef": {"kind": "HelmRepository", "name": "charts"}, "version": "1.14.x"},
        {"artifact": {"digest": pulled["layer"]["digest"], "lastUpdateTime": ago("48d"),
                      "path": f"helmchart/infra/{chart}/cert-manager-1.14.4.tgz", "revision": "1.14.4",
                      "size": pulled["layer"]["size"],
                      "url": f"{STORE}/helmchart/infra/{chart}/cert-manager-1.14.4.tgz"},
         "conditions": [condition("Ready", "True", "ChartPullSucceeded", said, "48d"),
                        condition("ArtifactInStorage", "True", "ChartPullSucceeded", said, "48d")],
         "observedChartName": "cert-manager", "observedGeneration": 1}, "250d",
        labels={"helm.toolkit.fluxcd.io/name": "cert-manager", "helm.toolkit.fluxcd.io/namespace": "infra"})
    event("HelmChart", f"infra/{chart}", "48d", "ChartPullSucceeded", said)
    template = {"chart": "cert-manager", "reconcileStrategy": "ChartVersion", "version": "1.14.x",
                "sourceRef": {"kind": "HelmRepository", "name": "charts"}}
    hr("infra/cert-manager", {"chart": {"spec": template}},
       [snapshot("infra/cert-manager", "cert-manager", "1.14.4", 3, "48d"),
        snapshot("infra/cert-manager", "cert-manager", "1.14.0", 2, "69d", "superseded")],
       "48d", "250d", "infra", "1.14.4", status={"helmChart": f"infra/{chart}"})
    digest = podinfo_charts.tags["6.9.3"]["digest"]
    version = f"6.9.3+{digest[7:19]}"
    cause = (f"Helm upgrade failed for release infra/ingress.v4 with chart podinfo@{version}: cannot patch \"ingress\" "
             "with kind Service: Service \"ingress\" is invalid: spec.clusterIP: Invalid value: \"None\": field is immutable")
    hr("infra/ingress", {"chartRef": {"kind": "OCIRepository", "name": "podinfo-chart", "namespace": "shop"},
                         "upgrade": {"remediation": {"retries": -1}}},
       [snapshot("infra/ingress", "podinfo", version, 4, "5m", "failed", digest),
        snapshot("infra/ingress", "podinfo", "6.9.2+" + podinfo_charts.tags["6.9.2"]["digest"][7:19], 3, "33d", "deployed",
                 podinfo_charts.tags["6.9.2"]["digest"])], "5m", "120d", "infra", version, digest,
       [condition("Ready", "False", "UpgradeFailed", cause, "5m"),
        condition("Released", "False", "UpgradeFailed", cause, "5m")], {"failures": 11, "upgradeFailures": 11})
    event("HelmRelease", "infra/ingress", "5m", "UpgradeFailed", cause, True, 11, "55m")


def team_a(config):
    before = config.tags["main-77d01be"]
    config.tags["latest"], newest = before, config.tags["latest"]
    now = ready_oci("team-a/config", config, None, "latest", "90d", "120d", "tenants", spec={"suspend": True})
    config.tags["latest"] = newest
    ks("team-a/config", "OCIRepository team-a/config", now, "90d", "120d", "tenants", ["team-a_toggles__ConfigMap"],
       {"path": "./"})
    ks("team-a/web", "OCIRepository team-a/config", now, "90d", "120d", "tenants", app("team-a", "web"),
       {"path": "./", "suspend": True})
    url = f"oci://{config.name}"
    message = (f"failed to determine artifact digest: GET https://ghcr.io/v2/acme/config/team-a/manifests/reports-1.0: "
               "MANIFEST_UNKNOWN: manifest unknown; map[Tag:reports-1.0]")
    oci("team-a/reports", url, {"tag": "reports-1.0"}, "6h", "tenants",
        status=failing("OCIArtifactPullFailed", message, "6h", "2m"))
    event("OCIRepository", "team-a/reports", "2m", "OCIArtifactPullFailed", message, True, 31, "6h")
    missing = "Source artifact not found, retrying in 30s"
    ks("team-a/reports", "OCIRepository team-a/reports", None, None, "6h", "tenants", [], ready=[
        condition("Ready", "False", "ArtifactFailed", missing, "6h")])
    objects[-1]["status"]["observedGeneration"] = -1
    digest = sha256(b"rendered for team-a")
    said = "Artifact is ready"
    add("ExternalArtifact", "team-a/rendered", {"sourceRef": {"apiVersion": "source.extensions.fluxcd.io/v1beta1",
        "kind": "ArtifactGenerator", "name": "team-a", "namespace": "team-a"}},
        {"artifact": {"digest": sha256(b"rendered.tar.gz"), "lastUpdateTime": ago("9d"),
                      "path": f"externalartifact/team-a/rendered/{digest[7:]}.tar.gz", "revision": f"latest@{digest}",
                      "size": 1804, "url": f"{STORE}/externalartifact/team-a/rendered/{digest[7:]}.tar.gz"},
         "conditions": [condition("Ready", "True", "Succeeded", said, "9d")]}, "30d",
        labels={"app.kubernetes.io/managed-by": "source-watcher"})
    ks("team-a/rendered", "ExternalArtifact team-a/rendered", f"latest@{digest}", "9d", "30d", "tenants",
       ["team-a_dashboards__ConfigMap"], {"path": "./"})


def edge(manifests, charts):
    url = "oci://registry.edge.acme.example/gateway"
    held = imagined("edge/gateway", manifests, "6.6.3", "3.2.0", "gateway", "20d")
    revision = held[0]["revision"]
    message = ("failed to determine artifact digest: Get \"https://registry.edge.acme.example/v2/\": dial tcp: lookup "
               "registry.edge.acme.example on 10.96.0.10:53: no such host")
    oci("edge/gateway", url, {"tag": "3.2.0"}, "100d", "tenants",
        status=failing("OCIArtifactPullFailed", message, "12m", "1m", held))
    event("OCIRepository", "edge/gateway", "1m", "OCIArtifactPullFailed", message, True, 14, "12m")
    ks("edge/gateway", "OCIRepository edge/gateway", revision, "20d", "100d", "tenants", app("edge", "gateway"))
    artifact, held = stored("edge/canary", manifests, "7.0.0", "1d")
    now, new = artifact["revision"], manifests.revision("7.1.0-rc.1")
    working = f"building artifact: new revision '{new}' for 'oci://{manifests.name}'"
    oci("edge/canary", f"oci://{manifests.name}", {"semver": ">=7.0.0-0"}, "15d", "tenants", status=held | {
        "conditions": [condition("Reconciling", "True", "Progressing", working, "20s"),
                       condition("Ready", "Unknown", "Progressing", working, "20s"),
                       condition("ArtifactOutdated", "True", "NewRevision",
                                 f"new revision '{new}' for 'oci://{manifests.name}'", "20s"),
                       condition("ArtifactInStorage", "True", "Succeeded", f"stored artifact for digest '{now}'", "1d")],
        "observedGeneration": 1})
    ks("edge/canary", "OCIRepository edge/canary", now, "1d", "15d", "tenants", app("edge"))
    add("Kustomization", "edge/probe", {"force": False, "interval": "10m", "path": "./probe", "prune": True,
        "sourceRef": {"kind": "OCIRepository", "name": "canary"}}, {"observedGeneration": -1}, "15s", "tenants")
    digest = charts.tags["6.8.0"]["digest"]
    version = f"6.8.0+{digest[7:19]}"
    hr("edge/old-gateway", {"chartRef": {"kind": "OCIRepository", "name": "podinfo-chart", "namespace": "shop"}},
       [snapshot("edge/old-gateway", "podinfo", version, 2, "60d", digest=digest)], "60d", "150d", "tenants", version,
       digest, deletionTimestamp=ago("6m"), deletionGracePeriodSeconds=0)
    event("HelmRelease", "edge/old-gateway", "6m", "UninstallFailed", "Helm uninstall failed for release "
          "edge/old-gateway.v2 with chart podinfo@" + version + ": waiting for Job/edge/old-gateway-cleanup: 1 active", True)
    # nothing declares these: made by hand, so that an edit in the cluster lasts
    held = ready_oci("edge/sandbox", manifests, {"semver": "~6.8.0"}, "6.8.0", "70d", "70d")
    ks("edge/sandbox", "OCIRepository edge/sandbox", held, "70d", "70d", None, app("edge", "sandbox"))
    ready_oci("edge/nightly", manifests, {"tag": "latest"}, "latest", "2h", "20d")
    ready_oci("edge/stable", manifests, {"semver": "7.x"}, "7.0.0", "20h", "20d")


def main():
    manifests, charts, cert = podinfo(), podinfo_chart(), cert_manager_chart()
    fleet = branch("ghcr.io/acme/fleet", fleet_files,
                   [("0a1b2c3", "21d"), ("91e4d05", "8d"), ("5d0f6e7", "27h"), ("c2a90f4", "1h")],
                   "https://github.com/acme/fleet")
    config = branch("ghcr.io/acme/config/team-a", config_files,
                    [("1f3a9c2", "131d"), ("77d01be", "91d"), ("c0ffee1", "2h")], "https://github.com/acme/team-a")
    flux_system(fleet)
    shop(manifests, charts)
    payments(manifests)
    infra(cert, charts)
    team_a(config)
    edge(manifests, charts)
    for folder in ("registry", "objects"):
        shutil.rmtree(HERE / folder, ignore_errors=True)
        (HERE / folder).mkdir()
    repositories = [manifests, charts, cert, fleet, config]
    for repository in repositories:
        repository.write()
    namespaces = sorted({o["metadata"]["namespace"] for o in objects})
    for namespace in namespaces:
        documents = [o for o in objects + events if o["metadata"]["namespace"] == namespace]
        (HERE / "objects" / f"{namespace}.yaml").write_text("---\n".join(yaml(document) for document in documents))
    write_list(repositories, namespaces)


def write_list(repositories, namespaces):
    rows = ["//! The files of `assets/demo`, embedded; written by `assets/demo/generate.py`. It reads nothing at run time.", "",
            "/// When the world was recorded: all ages are told from here.",
            f'pub(super) const RECORDED: &str = "{ago("0s")}";', "",
            "/// Flux objects and events, one file per namespace.", "pub(super) const OBJECTS: &[&str] = &["]
    rows += [f'    include_str!("../../assets/demo/objects/{name}.yaml"),' for name in namespaces]
    rows += ["];", "", "/// A repository and the files of its OCI image layout.",
             "pub(super) type Layout = (&'static str, &'static [(&'static str, &'static [u8])]);", "",
             "pub(super) const LAYOUTS: &[Layout] = &["]
    for repository in repositories:
        folder = repository.folder
        rows.append(f'    ("{repository.name}", &[')
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            inside = file.relative_to(folder)
            rows.append(f'        ("{inside}", include_bytes!("../../assets/demo/registry/{folder.name}/{inside}")),')
        rows.append("    ]),")
    LIST.parent.mkdir(exist_ok=True)
    LIST.write_text("\n".join(rows + ["];", ""]))


if __name__ == "__main__":
    main()
