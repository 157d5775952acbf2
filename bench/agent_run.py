#!/usr/bin/env python3
"""One measurement of bench/agent.sh, inside a cluster (KUBECONFIG).

agent_run.py SCENARIO N PROGRAM CAP: SCENARIO as in agent.sh, PROGRAM a weber or a kustomize-controller, CAP the seconds after which it gives up.
Prints one row of the table and, with `ready`, a line of plain figures for the ratios on descriptor 3.
"""
import functools
import glob
import hashlib
import http.server
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time

scenario, n, program, cap = sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4])
root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
cache = os.environ.get("WEBER_TOOLS_DIR") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "weber-tools")
KUBECTL = sorted(glob.glob(cache + "/kubectl/*/kubectl"))[-1]
is_weber = not os.path.basename(program).startswith("kustomize-controller")

WORKLOAD = """apiVersion: v1
kind: ServiceAccount
metadata: {{name: a{0}, namespace: default}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: a{0}, namespace: default, annotations: {{version: "{1}"}}}}
spec:
  replicas: 0
  selector: {{matchLabels: {{app: a{0}}}}}
  template:
    metadata: {{labels: {{app: a{0}}}}}
    spec: {{serviceAccountName: a{0}, containers: [{{name: c, image: nginx}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: a{0}, namespace: default}}
spec: {{selector: {{app: a{0}}}, ports: [{{port: 80}}]}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: a{0}, namespace: default}}
spec: {{rules: [{{host: a{0}.example.org, http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: a{0}, port: {{number: 80}}}}}}}}]}}}}]}}
"""
CONFIG_MAP = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a{0}-{1}, namespace: default}}\ndata: {{k: v}}\n"
OBJECTS = 500  # ConfigMaps of a Kustomization in the scenario `interval`


def app(i, version="1"):
    if scenario in ("ready", "commit"):
        return WORKLOAD.format(i, version)
    if scenario == "interval":
        return "".join(CONFIG_MAP.format(i, j) for j in range(OBJECTS))
    if scenario == "failing" and i % 10 == 3:
        return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Not_A_Name, namespace: default}\n"
    return CONFIG_MAP.format(i, 0)


def kustomization(i):
    depends = f", dependsOn: [{{name: a{i - 1}}}]" if scenario == "chain" and i > 0 else ""
    return (f"---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: a{i}, namespace: default}}\n"
            f"spec: {{interval: 1h, path: ./apps/a{i}, prune: true, wait: true{depends}, sourceRef: {{kind: GitRepository, name: fleet}}}}\n")


def bare_definition(kind, plural):
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return json.dumps({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": plural + ".source.toolkit.fluxcd.io"},
                       "spec": {"group": "source.toolkit.fluxcd.io", "scope": "Namespaced", "names": {"kind": kind, "plural": plural},
                                "versions": [{"name": "v1", "served": True, "storage": True, "subresources": {"status": {}}, "schema": schema}]}})


def kubectl(*words, text=None):
    return subprocess.run([KUBECTL, *words], input=text, capture_output=True, text=True, check=True).stdout


def requests():
    """Answered requests without watches, all in all and by verb, dry runs apart."""
    total, by_verb = 0, {}
    for line in kubectl("get", "--raw", "/metrics").splitlines():
        if not line.startswith("apiserver_request_total"):
            continue
        label = dict(re.findall(r'(\w+)="([^"]*)"', line))
        if label["verb"] == "WATCH":
            continue
        count = int(float(line.rsplit(" ", 1)[1]))
        total += count
        verb = "dry run" if label["dry_run"] else label["verb"] + (" status" if label["subresource"] == "status" else "")
        if label["resource"] not in ("events", "leases"):
            by_verb[verb] = by_verb.get(verb, 0) + count
    return total, by_verb


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def servers_cpu():
    """Of etcd, kube-apiserver and kube-controller-manager: on two cores, what everybody waits for."""
    with open(os.path.dirname(os.environ["KUBECONFIG"]) + "/pids", encoding="utf-8") as f:
        return {line.split()[1]: cpu_seconds(line.split()[0]) for line in f}


class Statuses:
    """What a single watch tells of Kustomizations, so that looking costs the server nothing."""

    def __init__(self):
        form = ("jsonpath={.metadata.name}|{.status.conditions[?(@.type=='Ready')].status}|{.status.lastAppliedRevision}|{.status.lastHandledReconcileAt}{'\\n'}")
        self.seen, self.first, self.changed = {}, {}, threading.Condition()
        self.process = subprocess.Popen([KUBECTL, "get", "kustomizations", "--watch", "-o", form], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            name, ready, revision, handled = line.rstrip("\n").split("|")
            with self.changed:
                self.seen[name] = (ready, revision, handled)
                if ready == "True":
                    self.first.setdefault(name, time.monotonic())
                self.changed.notify_all()

    def wait(self, wanted):
        """Until `wanted(seen)`; false when the cap came first."""
        limit = time.monotonic() + cap
        with self.changed:
            return self.changed.wait_for(lambda: wanted(self.seen), timeout=max(0, limit - time.monotonic()))


class Fleet:
    def __init__(self, directory):
        self.directory, self.revision = directory, 0
        handler = functools.partial(Quiet, directory=directory)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        for i in range(n):
            self.write(i, app(i))
        kubectl("create", "-f", "-", text="apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: fleet, namespace: default}\n"
                                          "spec: {interval: 1h, url: 'https://example.org/fleet.git'}\n")

    def write(self, i, text):
        path = f"{self.directory}/source/apps/a{i}"
        os.makedirs(path, exist_ok=True)
        with open(path + "/app.yaml", "w", encoding="utf-8") as f:
            f.write(text)

    def publish(self):
        self.revision += 1
        name = f"{self.revision}.tar.gz"
        with tarfile.open(f"{self.directory}/{name}", "w:gz") as tar:
            tar.add(f"{self.directory}/source", arcname=".")
        with open(f"{self.directory}/{name}", "rb") as f:
            digest = hashlib.sha256(f.read()).hexdigest()
        revision = f"main@sha1:{self.revision}"
        artifact = {"url": f"http://127.0.0.1:{self.server.server_port}/{name}", "digest": "sha256:" + digest, "revision": revision, "path": "x",
                    "lastUpdateTime": "2026-01-01T00:00:00Z"}
        kubectl("patch", "gitrepository", "fleet", "--subresource=status", "--type=merge", "-p", json.dumps({"status": {"artifact": artifact}}))
        return revision


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Engine:
    def __init__(self, directory):
        words = [program, "--concurrent=10"]
        if is_weber:
            words = [program, "agent", "--controllers", "kustomization", "--concurrent", "10", "--kubeconfig", os.environ["KUBECONFIG"], "--metrics-addr", "", "--health-addr", ""]
        else:
            words += ["--enable-leader-election=false", "--health-addr=127.0.0.1:0", "--metrics-addr=127.0.0.1:0"]
        environment = dict(os.environ, RUNTIME_NAMESPACE="default", TMPDIR=directory)
        self.process = subprocess.Popen(words, env=environment, stdout=open(directory + "/log", "w"), stderr=subprocess.STDOUT)

    def usage(self):
        """CPU seconds and peak MiB."""
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as f:
            peak = int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1)) / 1024
        return cpu_seconds(self.process.pid), peak


def measure(directory):
    kubectl("apply", "--server-side", "-k", root + "/deploy/install/crds")
    for kind, plural in (("OCIRepository", "ocirepositories"), ("Bucket", "buckets"), ("ExternalArtifact", "externalartifacts")):
        kubectl("apply", "--server-side", "-f", "-", text=bare_definition(kind, plural))
    kubectl("wait", "--for=condition=Established", "crd", "--all")
    fleet = Fleet(directory)
    revision = fleet.publish()
    kubectl("create", "-f", "-", text="".join(kustomization(i) for i in range(n)))
    good = {f"a{i}" for i in range(n) if not (scenario == "failing" and i % 10 == 3)}
    before, verbs_before = requests()
    servers_before = servers_cpu()
    begin = time.monotonic()
    engine, statuses = Engine(directory), Statuses()
    try:
        done = statuses.wait(lambda seen: all(seen.get(name, ("",))[0] == "True" and seen[name][1] == revision for name in good))
        seconds = time.monotonic() - begin
        cpu, peak = engine.usage()
        servers = servers_cpu()
        total, verbs = requests()
        count = total - before
        ready = sum(1 for name in good if statuses.seen.get(name, ("",))[0] == "True")
        who = "weber" if is_weber else "kustomize-controller"
        note = "servers' CPU s: " + ", ".join(f"{name.removeprefix('kube-')} {used - servers_before[name]:.1f}" for name, used in servers.items())
        note += "; " + difference(verbs, verbs_before)
        note += "" if done else f"; {ready} ready when given up"
        if scenario == "chain" and done:
            times = [statuses.first[f"a{i}"] for i in range(n)]
            note += f"; longest hop {max(b - a for a, b in zip(times, times[1:])):.2f} s, mean {(times[-1] - times[0]) / (n - 1):.2f} s"
        print(f"| {scenario} | {n} | {who} | {seconds:.1f} | {cpu:.2f} | {peak:.0f} | {count} | {count / n:.1f} | {note} |", flush=True)
        if scenario == "ready":
            os.write(3, f"{who} {n} {seconds} {cpu} {peak} {count / n} {ready}\n".encode())
        if done and scenario == "commit":
            commit(fleet, statuses, who)
        if done and scenario == "interval":
            interval(engine, statuses, who)
    finally:
        statuses.process.kill()
        engine.process.send_signal(signal.SIGTERM)
        try:
            engine.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            engine.process.kill()


def difference(after, before):
    return ", ".join(f"{verb} {count - before.get(verb, 0)}" for verb, count in sorted(after.items()) if count > before.get(verb, 0))


def commit(fleet, statuses, who):
    quiet()
    _, before = requests()
    touched = min(7, n - 1)
    fleet.write(touched, app(touched, "2"))
    begin = time.monotonic()
    revision = fleet.publish()
    statuses.wait(lambda seen: seen[f"a{touched}"][:2] == ("True", revision))
    one = time.monotonic() - begin
    statuses.wait(lambda seen: all(s[:2] == ("True", revision) for s in seen.values()))
    everything = time.monotonic() - begin
    print(f"| one-app commit | {n} | {who} | {one:.2f} | | | | | all at the new revision after {everything:.2f} s; {difference(requests()[1], before)} |", flush=True)


def interval(engine, statuses, who):
    quiet()
    _, before = requests()
    cpu = engine.usage()[0]
    begin = time.monotonic()
    kubectl("annotate", "kustomizations", "--all", "--overwrite", "reconcile.fluxcd.io/requestedAt=now")
    statuses.wait(lambda seen: all(s[2] == "now" and s[0] == "True" for s in seen.values()))
    seconds = time.monotonic() - begin
    print(f"| {n * OBJECTS} objects, nothing to do | {n} | {who} | {seconds:.2f} | {engine.usage()[0] - cpu:.2f} | | | | "
          f"{difference(requests()[1], before)} (the annotations and this look at them included) |", flush=True)


def quiet():
    """Until the server has answered nothing but this look for two seconds: nobody is still writing."""
    last = -1
    while True:
        total, _ = requests()
        if total - last <= 8:
            return
        last = total
        time.sleep(2)


with tempfile.TemporaryDirectory() as scratch:
    measure(scratch)
