#!/usr/bin/env python3
"""Writes the CustomResourceDefinitions of this folder.

The structure (fields, types, defaults, validation) is the contract with Flux and is taken from ../../../../shared/data/crds; the words are ours and stand
below, by field path. A field without words stops the script. Usage: generate.py [folder of the contract]
"""
import pathlib
import sys

import yaml

HERE = pathlib.Path(__file__).parent
CONTRACT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else HERE / "../../../../shared/data/crds")

COMMON = {
    "apiVersion": "Group and version of this object's schema.",
    "kind": "Type of this object.",
    "status.conditions": "What can be said about the object now, one entry a type.",
    "status.conditions.lastTransitionTime": "When status, reason or message last changed.",
    "status.conditions.message": "Explanation for people.",
    "status.conditions.observedGeneration": "The generation of the object that this entry is about.",
    "status.conditions.reason": "One word why, for programs.",
    "status.conditions.status": "True, False or Unknown.",
    "status.conditions.type": "What the entry is about, such as Ready.",
    "status.lastHandledReconcileAt": "The last value of the annotation reconcile.fluxcd.io/requestedAt that was acted upon.",
    "status.observedGeneration": "The last generation that was brought to an end.",
}

SELECTOR = {
    "": "Which objects; all given fields must fit, none given means all objects.",
    "annotationSelector": "Label selector expression over annotations.",
    "group": "API group, a regular expression matched whole.",
    "kind": "Kind, a regular expression matched whole.",
    "labelSelector": "Label selector expression over labels.",
    "name": "Name, a regular expression matched whole.",
    "namespace": "Namespace, a regular expression matched whole.",
    "version": "API version, a regular expression matched whole.",
}

KUSTOMIZATION = {
    "": "A directory of a source that is built and applied to a cluster.",
    "spec": "What is wanted.",
    "spec.buildMetadata": "Which annotations about their origin the built objects carry.",
    "spec.commonMetadata": "Labels and annotations that every object gets after the build, over those it has.",
    "spec.commonMetadata.annotations": "Annotations for every object.",
    "spec.commonMetadata.labels": "Labels for every object; selectors and templates are left alone.",
    "spec.components": "Paths of kustomize components, relative to the path, added to the kustomization.",
    "spec.decryption": "How encrypted files and objects are decrypted.",
    "spec.decryption.provider": "The format of encryption.",
    "spec.decryption.secretRef": "Secret with private keys, in the namespace of this object.",
    "spec.decryption.secretRef.name": "Name of the Secret.",
    "spec.decryption.serviceAccountName": "Account whose identity unlocks cloud keys.",
    "spec.deletionPolicy": "What happens to the applied objects when this object is deleted; MirrorPrune follows prune.",
    "spec.dependsOn": "Kustomizations that must be ready before this one is applied.",
    "spec.dependsOn.name": "Name of the Kustomization.",
    "spec.dependsOn.namespace": "Namespace of the Kustomization, this object's unless given.",
    "spec.dependsOn.readyExpr": "CEL expression over self and dep that decides readiness.",
    "spec.force": "Delete and create objects anew when an immutable field has to change.",
    "spec.healthCheckExprs": "Health rules for custom resources, in CEL.",
    "spec.healthCheckExprs.apiVersion": "API version of the resources; the version part does not matter.",
    "spec.healthCheckExprs.current": "True when the resource has reached what it should be.",
    "spec.healthCheckExprs.failed": "True when the resource will not get there.",
    "spec.healthCheckExprs.inProgress": "True while the resource is on its way.",
    "spec.healthCheckExprs.kind": "Kind of the resources; empty for all of the group.",
    "spec.healthChecks": "Objects whose health decides about readiness when wait is false.",
    "spec.healthChecks.apiVersion": "API version, apps/v1 unless given.",
    "spec.healthChecks.kind": "Kind of the object.",
    "spec.healthChecks.name": "Name of the object.",
    "spec.healthChecks.namespace": "Namespace of the object; empty for cluster-wide ones.",
    "spec.ignore": "Fields that others may change.",
    "spec.ignore.paths": "JSON pointers of the fields.",
    "spec.ignoreMissingComponents": "Leave out components whose path does not exist.",
    "spec.images": "Replacements of image names, tags and digests.",
    "spec.images.digest": "New digest; stronger than a tag.",
    "spec.images.name": "Image name to look for, without tag.",
    "spec.images.newName": "New name.",
    "spec.images.newTag": "New tag.",
    "spec.interval": "Time between two runs.",
    "spec.kubeConfig": "Another cluster to apply to.",
    "spec.kubeConfig.configMapRef": "ConfigMap that says how to log on with a workload identity.",
    "spec.kubeConfig.configMapRef.name": "Name of the ConfigMap.",
    "spec.kubeConfig.secretRef": "Secret with a kubeconfig.",
    "spec.kubeConfig.secretRef.key": "Key of the kubeconfig in the Secret; value or value.yaml unless given.",
    "spec.kubeConfig.secretRef.name": "Name of the Secret.",
    "spec.namePrefix": "Put before the names of all objects.",
    "spec.nameSuffix": "Put after the names of all objects.",
    "spec.patches": "Patches added to the kustomization.",
    "spec.patches.patch": "Strategic merge patch or JSON patch, as YAML text.",
    "spec.path": "Directory of the source; its root unless given.",
    "spec.postBuild": "What is done to the built objects.",
    "spec.postBuild.substitute": "Variables and their values.",
    "spec.postBuild.substituteFrom": "ConfigMaps and Secrets with variables; later ones win.",
    "spec.postBuild.substituteFrom.kind": "ConfigMap or Secret.",
    "spec.postBuild.substituteFrom.name": "Name in the namespace of this object.",
    "spec.postBuild.substituteFrom.optional": "Go on when it does not exist.",
    "spec.postBuild.substituteStrategy": "Always substitute, or only when there are variables.",
    "spec.prune": "Delete objects that left the source.",
    "spec.retryInterval": "Time to the next run after a failed one; interval unless given.",
    "spec.serviceAccountName": "Account in this namespace to act as.",
    "spec.sourceRef": "Where the files come from.",
    "spec.sourceRef.apiVersion": "API version of the source.",
    "spec.sourceRef.kind": "Kind of the source.",
    "spec.sourceRef.name": "Name of the source.",
    "spec.sourceRef.namespace": "Namespace of the source, this object's unless given.",
    "spec.suspend": "Do nothing until this is false again.",
    "spec.targetNamespace": "Namespace that all objects are put into.",
    "spec.timeout": "Longest time that health checks may take.",
    "spec.wait": "Be ready only when all applied objects are.",
    "status": "What was found and done.",
    "status.history": "The last few results, newest first.",
    "status.history.digest": "Digest of what was built.",
    "status.history.firstReconciled": "When this result came first.",
    "status.history.lastReconciled": "When this result came last.",
    "status.history.lastReconciledDuration": "How long the last such run took.",
    "status.history.lastReconciledStatus": "Reason of the condition Ready at the end.",
    "status.history.metadata": "Revisions of the last such run.",
    "status.history.totalReconciliations": "How often this result came.",
    "status.inventory": "The objects that are applied.",
    "status.inventory.entries": "One entry an object.",
    "status.inventory.entries.id": "namespace_name_group_kind.",
    "status.inventory.entries.v": "API version without the group.",
    "status.lastAppliedOriginRevision": "Revision of the origin of the artifact that was applied last.",
    "status.lastAppliedRevision": "Revision that was applied last with success.",
    "status.lastAttemptedRevision": "Revision that was tried last.",
}
for prefix in ("spec.ignore.target", "spec.patches.target"):
    KUSTOMIZATION.update({(prefix + "." + k).rstrip("."): v for k, v in SELECTOR.items()})

ARTIFACT = {
    "digest": "Digest of the file, algorithm:hex.",
    "lastUpdateTime": "When the file was stored.",
    "metadata": "What the origin says about it.",
    "path": "Path of the file in the storage.",
    "revision": "Readable name of the state it holds.",
    "size": "Size of the file in bytes.",
    "url": "Where the file can be downloaded.",
}

INCLUDE = {
    "fromPath": "Directory of the other repository; its root unless given.",
    "repository": "The other GitRepository.",
    "repository.name": "Name of the GitRepository.",
    "toPath": "Directory it is put into; the repository's name unless given.",
}

GIT_REPOSITORY = {
    "": "A git repository whose state is made available as an artifact.",
    "spec": "What is wanted.",
    "spec.ignore": "Patterns of files to leave out, as in .gitignore.",
    "spec.include": "Other repositories whose files are put into this one's artifact.",
    "spec.interval": "Time between two looks at the repository.",
    "spec.provider": "Who gives credentials.",
    "spec.proxySecretRef": "Secret with address and credentials of a proxy.",
    "spec.proxySecretRef.name": "Name of the Secret.",
    "spec.recurseSubmodules": "Take in the files of submodules.",
    "spec.ref": "Which commit; commit is stronger than name, name than semver, semver than tag, tag than branch.",
    "spec.ref.branch": "Branch; master when nothing else is given.",
    "spec.ref.commit": "Hash of a commit.",
    "spec.ref.name": "Full name of a reference, such as refs/pull/4/head.",
    "spec.ref.semver": "Range of versions; the tag with the highest one in it is taken.",
    "spec.ref.tag": "Tag.",
    "spec.secretRef": "Secret with credentials.",
    "spec.secretRef.name": "Name of the Secret.",
    "spec.serviceAccountName": "Account whose identity gives credentials.",
    "spec.sparseCheckout": "Directories to take; all unless given.",
    "spec.suspend": "Do nothing until this is false again.",
    "spec.timeout": "Longest time that network operations may take.",
    "spec.url": "Address of the repository, http, https or ssh.",
    "spec.verify": "Which signatures the commit must have.",
    "spec.verify.mode": "What must be signed: the commit, the tag or both.",
    "spec.verify.secretRef": "Secret with the public keys that are trusted.",
    "spec.verify.secretRef.name": "Name of the Secret.",
    "status": "What was found and done.",
    "status.artifact": "The stored state.",
    "status.includedArtifacts": "Artifacts that were included.",
    "status.observedIgnore": "spec.ignore when the artifact was made.",
    "status.observedInclude": "spec.include when the artifact was made.",
    "status.observedRecurseSubmodules": "spec.recurseSubmodules when the artifact was made.",
    "status.observedSparseCheckout": "spec.sparseCheckout when the artifact was made.",
    "status.sourceVerificationMode": "spec.verify.mode of the last check that passed.",
}
for prefix in ("status.artifact.", "status.includedArtifacts."):
    GIT_REPOSITORY.update({prefix + k: v for k, v in ARTIFACT.items()})
for prefix in ("spec.include.", "status.observedInclude."):
    GIT_REPOSITORY.update({prefix + k: v for k, v in INCLUDE.items()})


def reword(schema, path, words):
    had = schema.pop("description", None) is not None
    for name, child in schema.get("properties", {}).items():
        reword(child, f"{path}.{name}".lstrip("."), words)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            schema[key].pop("description", None)
            for name, child in schema[key].get("properties", {}).items():
                reword(child, f"{path}.{name}".lstrip("."), words)
    if path in words:
        schema["description"] = words[path]
    elif had:
        sys.exit(f"no words for {path}")


def write(name, words):
    crd = yaml.safe_load((CONTRACT / name).read_text())
    crd["metadata"] = {"name": crd["metadata"]["name"], "annotations": {"kustomize.toolkit.fluxcd.io/substitute": "disabled"}}
    for version in crd["spec"]["versions"]:
        reword(version["schema"]["openAPIV3Schema"], "", {**COMMON, **words})
    (HERE / name).write_text("# Made by generate.py.\n" + yaml.safe_dump(crd, width=1000))


write("kustomize.toolkit.fluxcd.io_kustomizations.yaml", KUSTOMIZATION)
write("source.toolkit.fluxcd.io_gitrepositories.yaml", GIT_REPOSITORY)
