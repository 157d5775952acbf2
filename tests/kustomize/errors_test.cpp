// One row an error: what is written, and what we say: file, line, field, what was expected. kustomize refuses each of them, too.
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

#include "kustomize/build.h"
#include "tests/support/peers.h"

namespace weber::kustomize {
namespace {

namespace stdfs = std::filesystem;

struct Case {
    std::string_view name, kustomization;
    std::vector<std::pair<std::string_view, std::string_view>> files; // beside cm.yaml
    std::string_view error; // how the message begins
};

constexpr std::string_view kConfigMap = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n";

const std::vector<Case>& cases() {
    static const std::vector<Case> all = {
        {"unknown_field", "resources: [cm.yaml]\nnamePrefixes: x\n", {}, "kustomization.yaml:2: invalid Kustomization: unknown field \"namePrefixes\""},
        {"unknown_nested_field", "resources: [cm.yaml]\nimages:\n- name: i\n  tag: '1'\n", {}, "kustomization.yaml:4: invalid Kustomization: images: unknown field \"tag\""},
        {"wrong_type", "resources: [cm.yaml]\nnamePrefix: [a]\n", {}, "kustomization.yaml:2: invalid Kustomization: namePrefix: expected a string, found array"},
        {"wrong_item_type", "resources: [cm.yaml]\nimages:\n- nginx\n", {}, "kustomization.yaml:3: invalid Kustomization: images: expected a map, found string"},
        {"bool_label", "resources: [cm.yaml]\ncommonLabels:\n  a: yes\n", {}, "kustomization.yaml:3: invalid Kustomization: commonLabels: a: expected a string, found boolean"},
        {"number_annotation", "resources: [cm.yaml]\ncommonAnnotations:\n  a: 1\n", {}, "kustomization.yaml:3: invalid Kustomization: commonAnnotations: a: expected a string, found integer"},
        {"not_yaml", "resources: [cm.yaml\nnamePrefix: x\n", {}, "kustomization.yaml:2:11: invalid Kustomization: yaml: line 2: did not find expected ',' or ']'"},
        {"wrong_kind", "kind: Kustomizations\nresources: [cm.yaml]\n", {}, "kustomization.yaml:1: Failed to read kustomization file under .:"},
        {"wrong_version", "apiVersion: v1\nresources: [cm.yaml]\n", {}, "kustomization.yaml:1: Failed to read kustomization file under .:"},
        {"empty", "# nothing\n", {}, "kustomization.yaml: kustomization.yaml is empty"},
        {"missing_resource", "resources:\n- cm.yaml\n- missing.yaml\n", {}, "kustomization.yaml:3: accumulating resources: accumulation err='accumulating resources from 'missing.yaml': evalsymlink failure on 'missing.yaml' : lstat missing.yaml: no"},
        {"directory_without_kustomization", "resources:\n- dir\n", {{"dir/x.txt", ""}}, "kustomization.yaml:2: accumulating resources: couldn't make target for path 'dir': unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in d"},
        {"outside", "resources:\n- ../cm.yaml\n", {}, "kustomization.yaml:2: accumulating resources: accumulation err='accumulating resources from '../cm.yaml': evalsymlink failure on"},
        {"bad_resource_yaml", "resources:\n- bad.yaml\n", {{"bad.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n data: x\n"}}, "bad.yaml:5:2: accumulating resources: accumulating resources from 'bad.yaml': MalformedYAMLError: yaml: line 5: did not find expected key"},
        {"tab_indent", "resources:\n- bad.yaml\n", {{"bad.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n\tname: a\n"}}, "bad.yaml:4:1: accumulating resources: accumulating resources from 'bad.yaml': MalformedYAMLError: yaml: line 4: found character that cannot start any token"},
        {"no_kind", "resources:\n- bad.yaml\n", {{"bad.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n---\napiVersion: v1\nmetadata:\n  name: b\n"}}, "bad.yaml:8: accumulating resources: accumulating resources from 'bad.yaml': missing kind in object b"},
        {"no_name", "resources:\n- bad.yaml\n", {{"bad.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {}\n"}}, "bad.yaml:8: accumulating resources: accumulating resources from 'bad.yaml': missing metadata.name in object ConfigMap"},
        {"no_object", "resources:\n- bad.yaml\n", {{"bad.yaml", "- a\n- b\n"}}, "bad.yaml:1: accumulating resources: accumulating resources from 'bad.yaml': missing Resource metadata"},
        {"duplicate_key", "resources:\n- bad.yaml\n", {{"bad.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\ndata: {}\n"}}, "bad.yaml:7: accumulating resources: accumulating resources from 'bad.yaml': MalformedYAMLError: yaml: line 7: mapping key \"data\" already defined"},
        {"duplicate_label", "resources:\n- bad.yaml\n", {{"bad.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  annotations:\n    k: v\n    k: w\n  labels:\n    k: v\n    k: w\n"}}, "bad.yaml:10: accumulating resources: accumulating resources from 'bad.yaml': MalformedYAMLError: yaml: line 10: mapping key \"k\" already defined"},
        {"unknown_anchor", "resources:\n- bad.yaml\n", {{"bad.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\nx: *y\n"}}, "bad.yaml:7: accumulating resources: accumulating resources from 'bad.yaml': MalformedYAMLError: yaml: unknown anchor 'y' referenced"},
        {"same_object_twice", "resources:\n- cm.yaml\n- again.yaml\n", {{"again.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n"}}, "again.yaml:1: accumulating resources: merging resources from 'again.yaml': may not add resource with an already registered id: ConfigMap.v1.[noGrp]/a.[noNs]"},
        {"patch_without_target_object", "resources: [cm.yaml]\npatches:\n- path: p.yaml\n", {{"p.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\ndata:\n  k: v\n"}}, "p.yaml:1: no resource matches strategic merge patch \"ConfigMap.v1.[noGrp]/b.[noNs]\": no matches for Id ConfigMap.v1.[noGrp]/b.[noNs]; failed to find unique target for pat"},
        {"patch_file_missing", "resources: [cm.yaml]\npatches:\n- path: p.yaml\n", {}, "kustomization.yaml:3: failed to get the patch file from path(p.yaml): evalsymlink failure on 'p.yaml' : lstat p.yaml: no such file or directory"},
        {"patch_both", "resources: [cm.yaml]\npatches:\n- path: p.yaml\n  patch: 'x: y'\n", {{"p.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n"}}, "kustomization.yaml:3: patch and path can't be set at the same time"},
        {"patch_neither", "resources: [cm.yaml]\npatches:\n- target:\n    kind: ConfigMap\n", {}, "kustomization.yaml:3: must specify one of patch and path in"},
        {"patch_unreadable", "resources: [cm.yaml]\npatches:\n- patch: |-\n    a: [\n", {}, "kustomization.yaml:3: unable to parse SM or JSON patch from [patch: \"a: [\"]"},
        {"patch_kind_mismatch", "resources: [cm.yaml]\npatches:\n- path: p.yaml\n", {{"p.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: {a: b}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n- x\n"}}, "p.yaml:6: ConfigMap.v1.[noGrp]/a.[noNs]: wrong node kind: expected ScalarNode but got MappingNode"},
        {"patch_directive", "resources: [cm.yaml]\npatches:\n- path: p.yaml\n", {{"p.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n  $patch: destroy\n"}}, "p.yaml:7: ConfigMap.v1.[noGrp]/a.[noNs]: unknown patch strategy 'destroy'"},
        {"patch_directive_inline", "resources: [cm.yaml]\npatches:\n- patch: |\n\n    apiVersion: v1\n    kind: ConfigMap\n    metadata:\n      name: a\n    data:\n      k: v\n      $patch: destroy\n", {}, "kustomization.yaml:11: ConfigMap.v1.[noGrp]/a.[noNs]: unknown patch strategy 'destroy'"},
        {"patch_directive_in_list", "resources: [cm.yaml]\npatchesStrategicMerge:\n- |-\n  apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: a\n  data:\n    k: v\n    $patch: destroy\n", {}, "kustomization.yaml:10: ConfigMap.v1.[noGrp]/a.[noNs]: unknown patch strategy 'destroy'"},
        {"patch_object_inline", "resources: [cm.yaml]\npatchesStrategicMerge:\n- |-\n  apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: b\n", {}, "kustomization.yaml:4: "},
        {"json_patch_remove", "resources: [cm.yaml]\npatches:\n- target: {kind: ConfigMap}\n  patch: |-\n    - {op: remove, path: /data/missing}\n", {}, "kustomization.yaml:3: ConfigMap.v1.[noGrp]/a.[noNs]: error in remove for path: '/data/missing': Unable to remove nonexistent key: missing: missing value"},
        {"json_patch_op", "resources: [cm.yaml]\npatches:\n- target: {kind: ConfigMap}\n  patch: |-\n    - op: change\n      path: /data/k\n      value: x\n", {}, "kustomization.yaml:3: ConfigMap.v1.[noGrp]/a.[noNs]: Unexpected kind: change"},
        {"json_patch_no_target", "resources: [cm.yaml]\npatches:\n- patch: |-\n    - {op: remove, path: /data/k}\n", {}, "kustomization.yaml:3: must specify a target for JSON patch [patch: \"- {op: remove, path: /data/k}\"]"},
        {"json_patch_test", "resources: [cm.yaml]\npatches:\n- target: {kind: ConfigMap}\n  patch: '[{\"op\": \"test\", \"path\": \"/data/k\", \"value\": \"w\"}]'\n", {}, "kustomization.yaml:3: ConfigMap.v1.[noGrp]/a.[noNs]: testing value /data/k failed: test failed"},
        {"target_regex", "resources: [cm.yaml]\npatches:\n- target: {name: '['}\n  patch: '[{\"op\": \"remove\", \"path\": \"/data/k\"}]'\n", {}, "kustomization.yaml:3: error parsing regexp: missing ]: [)$: `^(?:[)$`"},
        {"target_selector", "resources: [cm.yaml]\npatches:\n- target: {labelSelector: 'a in'}\n  patch: '[{\"op\": \"remove\", \"path\": \"/data/k\"}]'\n", {}, "kustomization.yaml:3: unable to parse requirement: found '' expected: '('"},
        {"json6902_no_target_name", "resources: [cm.yaml]\npatchesJson6902:\n- target: {kind: ConfigMap}\n  patch: '[]'\n", {}, "kustomization.yaml:3: must specify the target name"},
        {"generator_merge_nothing", "resources: [cm.yaml]\nconfigMapGenerator:\n- name: b\n  behavior: merge\n  literals: [a=b]\n", {}, "kustomization.yaml:3: merging from generator 'b': id resid.ResId{Gvk:resid.Gvk{Group:\"\", Version:\"v1\", Kind:\"ConfigMap\", isClusterScoped:false}, Name:\"b\", Namespace:\"\"} d"},
        {"generator_create_existing", "resources: [cm.yaml]\nconfigMapGenerator:\n- name: a\n  literals: [a=b]\ngeneratorOptions: {disableNameSuffixHash: true}\n", {}, "kustomization.yaml:3: merging from generator 'a': id resid.ResId{Gvk:resid.Gvk{Group:\"\", Version:\"v1\", Kind:\"ConfigMap\", isClusterScoped:false}, Name:\"a\", Namespace:\"\"} e"},
        {"generator_literal", "resources: [cm.yaml]\nconfigMapGenerator:\n- name: b\n  literals: [a]\n", {}, "kustomization.yaml:3: loading KV pairs: literal sources: invalid literal source, expected key=value"},
        {"generator_two_keys", "resources: [cm.yaml]\nconfigMapGenerator:\n- name: b\n  literals: [a=1, a=2]\n", {}, "kustomization.yaml:3: loading KV pairs: literal sources: configmap b illegally repeats the key `a`"},
        {"generator_file", "resources: [cm.yaml]\nconfigMapGenerator:\n- name: b\n  files: [x=missing.txt]\n", {}, "kustomization.yaml:3: loading KV pairs: file sources: [x=missing.txt]: evalsymlink failure on 'missing.txt' : lstat missing.txt: no such file or directory"},
        {"generator_no_name", "resources: [cm.yaml]\nconfigMapGenerator:\n- literals: [a=b]\n", {}, "kustomization.yaml:3: a configmap must have a name"},
        {"replacement_no_source", "resources: [cm.yaml]\nreplacements:\n- source: {kind: Secret, name: none}\n  targets:\n  - select: {kind: ConfigMap}\n    fieldPaths: [data.k]\n", {}, "kustomization.yaml:3: nothing selected by Secret.[noVer].[noGrp]/none.[noNs]"},
        {"replacement_source_field", "resources: [cm.yaml]\nreplacements:\n- source: {kind: ConfigMap, name: a, fieldPath: data.none}\n  targets:\n  - select: {kind: ConfigMap}\n    fieldPaths: [data.k]\n", {}, "kustomization.yaml:3: fieldPath `data.none` is missing for replacement source ConfigMap.[noVer].[noGrp]/a.[noNs]"},
        {"replacement_target_field", "resources: [cm.yaml]\nreplacements:\n- source: {kind: ConfigMap, name: a}\n  targets:\n  - select: {kind: ConfigMap}\n    fieldPaths: [data.none]\n", {}, "cm.yaml:1: ConfigMap.v1.[noGrp]/a.[noNs]: unable to find field \"data.none\" in replacement target"},
        {"replacement_index", "resources: [cm.yaml]\nreplacements:\n- source: {kind: ConfigMap, name: a, options: {delimiter: '-', index: 3}}\n  targets:\n  - select: {kind: ConfigMap}\n    fieldPaths: [data.k]\n", {}, "cm.yaml:4: options.index 3 is out of bounds for value a"},
        {"replacement_no_targets", "resources: [cm.yaml]\nreplacements:\n- source: {kind: ConfigMap, name: a}\n", {}, "kustomization.yaml:3: replacements must specify a source and at least one target"},
        {"replacement_no_select", "resources: [cm.yaml]\nreplacements:\n- source: {kind: ConfigMap, name: a}\n  targets:\n  - fieldPaths: [data.k]\n", {}, "kustomization.yaml:3: target must specify resources to select"},
        {"replacement_two_sources", "resources: [cm.yaml]\nreplacements:\n- sourceValue: x\n  source: {kind: ConfigMap, name: a}\n  targets:\n  - select: {kind: ConfigMap}\n    fieldPaths: [data.k]\n", {}, "kustomization.yaml:3: value and resource selectors are mutually exclusive"},
        {"replacement_path_and_inline", "resources: [cm.yaml]\nreplacements:\n- path: r.yaml\n  source: {kind: ConfigMap, name: a}\n  targets: []\n", {{"r.yaml", ""}}, "kustomization.yaml:3: cannot specify both path and inline replacement"},
        {"replacement_date", "resources: [d.yaml]\nreplacements:\n- sourceValue: x\n  targets:\n  - select: {kind: ConfigMap}\n    fieldPaths: [data.k]\n", {{"d.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: 2020-01-01\n"}}, "d.yaml:6: ConfigMap.v1.[noGrp]/a.[noNs]: the value to write is no date, which the target is"},
        {"replacement_number_after_json_patch", "resources: [typed]\nreplacements:\n- sourceValue: x\n  targets:\n  - select: {kind: ConfigMap}\n    fieldPaths: [data.new]\n", {{"typed/kustomization.yaml", "resources: [cm.yaml]\nreplacements:\n- sourceValue: '1'\n  targets:\n  - select: {kind: ConfigMap}\n    fieldPaths: [data.new]\n    options: {create: true}\npatchesJson6902:\n- target: {version: v1, kind: ConfigMap, name: a}\n  patch: '[{\"op\": \"remove\", \"path\": \"/data/k\"}]'\ntransformers: [jp.yaml]\n"}, {"typed/jp.yaml", "apiVersion: builtin\nkind: PatchTransformer\nmetadata:\n  name: t\npatch: '[{\"op\": \"add\", \"path\": \"/data/m\", \"value\": \"n\"}]'\ntarget: {kind: ConfigMap}\n"}, {"typed/cm.yaml", kConfigMap}}, "typed/cm.yaml:1: ConfigMap.v1.[noGrp]/a.[noNs]: the value to write is no integer, which the target is"},
        {"generator_replace_changed_kind", "resources: [changed]\nconfigMapGenerator:\n- name: a\n  behavior: replace\n  literals: [k=w]\n", {{"changed/kustomization.yaml", "resources: [cm.yaml]\nnameSuffix: -s\npatchesJson6902:\n- target: {version: v1, kind: ConfigMap, name: a}\n  patch: '[{\"op\": \"replace\", \"path\": \"/kind\", \"value\": \"Changed\"}]'\n"}, {"changed/cm.yaml", kConfigMap}}, "kustomization.yaml:3: Changed.v1.[noGrp]/a-s.[noNs]: merging from generator 'a': cannot find resource with id ConfigMap.v1.[noGrp]/a-s.[noNs] to replace"},
        {"replicas_unknown", "resources: [cm.yaml]\nreplicas:\n- name: none\n  count: 2\n", {}, "kustomization.yaml:3: resource with name none does not match a config with the following GVK [Deployment.[noVer].[noGrp] StatefulSet.[noVer].[noGrp] ReplicaSet.[noVer].[n"},
        {"replicas_type", "resources: [cm.yaml]\nreplicas:\n- name: none\n  count: two\n", {}, "kustomization.yaml:4: invalid Kustomization: replicas: count: expected an integer, found string"},
        {"annotation_key_n", "resources: [cm.yaml]\ncommonAnnotations: {n: x}\n", {}, "kustomization.yaml:2: the key false of a label or annotation is no text"},
        {"label_key_number", "resources: [cm.yaml]\nlabels:\n- pairs: {'1': x}\n", {}, "kustomization.yaml:3: the key 1 of a label or annotation is no text"},
        {"label_key_of_a_transformer", "resources: [cm.yaml]\ntransformers:\n- t.yaml\n", {{"t.yaml", "apiVersion: builtin\nkind: LabelTransformer\nmetadata:\n  name: t\nlabels:\n  '2': x\nfieldSpecs:\n- path: metadata/labels\n  create: true\n"}}, "t.yaml:6: the key 2 of a label or annotation is no text"},
        {"text_is_no_yaml", "resources: [t.yaml]\nreplacements:\n- sourceValue: x\n  targets:\n  - select: {kind: ConfigMap}\n    fieldPaths: [data.conf.a]\n", {{"t.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  conf: |\n    b: 1\n    a: [\n      c\n    d: }\n"}}, "t.yaml:10: ConfigMap.v1.[noGrp]/a.[noNs]: unable to find field \"data.conf.a\" in replacement target: yaml: line 4: did not find expected ',' or ']'"},
        {"text_is_no_map", "resources: [t.yaml]\nreplacements:\n- sourceValue: x\n  targets:\n  - select: {kind: ConfigMap}\n    fieldPaths: [data.conf.a.b]\n", {{"t.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  conf: |\n    b: 1\n    a: [!t x, &y z]\n"}}, "t.yaml:8: ConfigMap.v1.[noGrp]/a.[noNs]: unable to find field \"data.conf.a.b\" in replacement target: wrong node kind: expected MappingNode but got SequenceNode"},
        {"text_in_text", "resources: [t.yaml]\nreplacements:\n- sourceValue: x\n  targets:\n  - select: {kind: ConfigMap}\n    fieldPaths: [data.conf.a.b.c]\n", {{"t.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  conf: |\n    x: 1\n    a: &y |\n      n: 1\n      b: [c]\n"}}, "t.yaml:10: ConfigMap.v1.[noGrp]/a.[noNs]: unable to find field \"data.conf.a.b.c\" in replacement target: wrong node kind: expected MappingNode but got SequenceNode"},
        {"text_index", "resources: [t.yaml]\nreplacements:\n- sourceValue: x\n  targets:\n  - select: {kind: ConfigMap}\n    fieldPaths: [data.conf.a.5]\n", {{"t.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  conf: |\n    b: 1\n    a: &x [c]\n"}}, "t.yaml:8: ConfigMap.v1.[noGrp]/a.[noNs]: unable to find field \"data.conf.a.5\" in replacement target: index 5 specified but only 1 elements found"},
        {"text_in_quotes", "resources: [t.yaml]\nreplacements:\n- sourceValue: x\n  targets:\n  - select: {kind: ConfigMap}\n    fieldPaths: [data.conf.a.b]\n", {{"t.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  conf: \"x: 1\\na: [b]\\n\"\n"}}, "t.yaml:6: ConfigMap.v1.[noGrp]/a.[noNs]: unable to find field \"data.conf.a.b\" in replacement target: wrong node kind: expected MappingNode but got SequenceNode"},
        {"sort_order", "resources: [cm.yaml]\nsortOptions:\n  order: random\n", {}, "kustomization.yaml:3: the field 'sortOptions.order' must be one of [fifo, legacy]"},
        {"sort_fifo_with_legacy", "resources: [cm.yaml]\nsortOptions:\n  order: fifo\n  legacySortOptions: {orderFirst: [Namespace]}\n", {}, "kustomization.yaml:3: the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', not 'legacy'"},
        {"component_kind", "resources:\n- comp\n", {{"comp/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: x\n"}}, "kustomization.yaml:2: accumulating resources: expected kind != 'Component' for path 'comp'"},
        {"components_a_kustomization", "resources: [cm.yaml]\ncomponents:\n- comp\n", {{"comp/kustomization.yaml", "namePrefix: x\n"}}, "kustomization.yaml:3: accumulating components: accumulateDirectory: \"expected kind 'Component' for path 'comp' but got 'Kustomization'\""},
        {"component_file", "resources: [cm.yaml]\ncomponents:\n- cm.yaml\n", {}, "kustomization.yaml:3: accumulating components: loader.New \"must build at directory: 'cm.yaml': file is not directory\""},
        {"two_kustomizations", "resources:\n- sub\n", {{"sub/kustomization.yaml", "namePrefix: x\n"}, {"sub/kustomization.yml", "namePrefix: x\n"}}, "sub/kustomization.yml: accumulating resources: couldn't make target for path 'sub': Found multiple kustomization files under: sub"},
        {"two_kustomizations_on_top", "resources: [cm.yaml]\n", {{"Kustomization", "namePrefix: x\n"}}, "Kustomization: Found multiple kustomization files under: ."},
        {"vars_twice", "resources: [cm.yaml]\nvars:\n- name: A\n  objref: {kind: ConfigMap, name: a, apiVersion: v1}\n- name: A\n  objref: {kind: ConfigMap, name: a, apiVersion: v1}\n", {}, "kustomization.yaml:5: merging vars: var 'A' already encountered"},
        {"vars_nothing", "resources: [cm.yaml]\nvars:\n- name: A\n  objref: {kind: Secret, name: none, apiVersion: v1}\nconfigurations: []\n", {}, "kustomization.yaml:3: var '{A Secret.v1.[noGrp]/none {metadata.name}}' cannot be mapped to a field in the set of known resources"},
        {"configurations_field", "resources: [cm.yaml]\nconfigurations:\n- c.yaml\n", {{"c.yaml", "namePrefx:\n- path: a\n"}}, "c.yaml:2: transformer configuration c.yaml: unknown field \"namePrefx\""},
        {"configurations_conflict", "resources: [cm.yaml]\nconfigurations:\n- c.yaml\n", {{"c.yaml", "namePrefix:\n- path: metadata/name\n  create: true\n"}}, "kustomization.yaml:3: failed to merge NamePrefix fieldSpec: conflicting fieldspecs"},
        {"configurations_of_a_base", "resources: [base]\nconfigurations:\n- c.yaml\n", {{"base/kustomization.yaml", "configurations: [c.yaml]\n"}, {"base/c.yaml", "commonLabels:\n- path: spec/x\n  kind: W\n  create: true\n"}, {"c.yaml", "commonLabels:\n- path: spec/x\n  kind: W\n"}}, "kustomization.yaml:3: failed to merge CommonLabels fieldSpec: conflicting fieldspecs"},
        {"crds_file", "resources: [cm.yaml]\ncrds:\n- crd.json\n", {{"crd.json", "{\"a\": \n"}}, "crd.json:2:1: loading CRDs: yaml: line 2: did not find expected node content"},
        {"metadata_field", "metadata: {name: x, colour: red}\nresources: [cm.yaml]\n", {}, "kustomization.yaml:1: invalid Kustomization: metadata: unknown field \"colour\""},
        {"crds_of_an_api_server", "resources: [cm.yaml]\ncrds:\n- crd.yaml\n", {{"crd.yaml", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: w.example.com}\n"}}, "crd.yaml:1: loading CRDs from crd.yaml: apiVersion: expected an OpenAPI definition, found string"},
        {"openapi_file", "resources: [cm.yaml]\nopenapi:\n  path: missing.json\n", {}, "kustomization.yaml:3: evalsymlink failure on 'missing.json' : lstat missing.json: no such file or directory"},
        {"openapi_version", "resources: [cm.yaml]\nopenapi:\n  version: v9.9.9\n", {}, "kustomization.yaml:3: the specified OpenAPI version is not built in"},
        {"openapi_both", "resources: [cm.yaml]\nopenapi:\n  version: v1.20.4\n  path: s.json\n", {{"s.json", "{}"}}, "kustomization.yaml:3: builtin version and custom schema provided, cannot use both"},
        {"transformer_kind", "resources: [cm.yaml]\ntransformers:\n- t.yaml\n", {{"t.yaml", "apiVersion: builtin\nkind: NoSuchTransformer\nmetadata:\n  name: t\n"}}, "t.yaml:1: unable to load builtin NoSuchTransformer.builtin.[noGrp]: not a transformer"},
        {"transformer_field", "resources: [cm.yaml]\ntransformers:\n- t.yaml\n", {{"t.yaml", "apiVersion: builtin\nkind: PrefixTransformer\nmetadata:\n  name: t\nprefix: [x]\nfieldSpecs: []\n"}}, "t.yaml:5: plugin PrefixTransformer.builtin.[noGrp]/t.[noNs] fails configuration: prefix: expected a string, found array"},
        {"transformer_inline", "resources: [cm.yaml]\ntransformers:\n- |-\n  apiVersion: builtin\n  kind: PrefixTransformer\n  metadata:\n    name: t\n  prefix: [x]\n  fieldSpecs: []\n", {}, "kustomization.yaml:8: plugin PrefixTransformer.builtin.[noGrp]/t.[noNs] fails configuration: "},
        {"generator_inline_function", "generators:\n- |\n  apiVersion: v1\n  kind: G\n  metadata:\n    name: g\n    annotations:\n      config.kubernetes.io/function: 'exec: {path: x}'\n", {}, "kustomization.yaml:3: external plugins disabled; unable to load external plugin 'G': KRM function in executable 'x' is not run"},
        {"generator_inline_yaml", "generators:\n- |\n  apiVersion: v1\n  kind: [G\n  metadata: x\n", {}, "kustomization.yaml:5:9: loading generator plugins: configuring external plugin: yaml: line 3: did not find expected ',' or ']'"},
        {"generator_inline_no_kind", "generators:\n- |\n  apiVersion: v1\n  metadata: {name: g}\n", {}, "kustomization.yaml:3: loading generator plugins: configuring external plugin: missing kind in object g"},
        {"transformer_external", "resources: [cm.yaml]\ntransformers:\n- t.yaml\n", {{"t.yaml", "apiVersion: example.com/v1\nkind: Mine\nmetadata:\n  name: t\n"}}, "t.yaml:1: external plugins disabled; unable to load external plugin 'Mine'"},
        {"generator_plugin_is_transformer", "resources: [cm.yaml]\ngenerators:\n- t.yaml\n", {{"t.yaml", "apiVersion: builtin\nkind: PrefixTransformer\nmetadata:\n  name: t\nprefix: x\nfieldSpecs: []\n"}}, "t.yaml:1: unable to load builtin PrefixTransformer.builtin.[noGrp]: not a generator"},
        {"validator_changes", "resources: [cm.yaml]\nvalidators:\n- t.yaml\n", {{"t.yaml", "apiVersion: builtin\nkind: PrefixTransformer\nmetadata:\n  name: t\nprefix: x\nfieldSpecs:\n- path: metadata/name\n"}}, "t.yaml:1: validator shouldn't modify the resource map"},
        {"helm_not_enabled", "resources: [cm.yaml]\nhelmCharts:\n- name: c\n  repo: https://example.com\n", {}, "kustomization.yaml:3: helmCharts are not inflated by this build: must specify --enable-helm"},
        {"namespace_conflict", "resources:\n- two.yaml\nnamespace: x\n", {{"two.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: p\ndata:\n  k: v\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: q\ndata:\n  k: v\n"}}, "two.yaml:9: namespace transformation produces ID conflict: [ConfigMap.v1.[noGrp]/a.p ConfigMap.v1.[noGrp]/a.q]"},
        {"label_value_path", "resources:\n- d.yaml\ncommonLabels: {a: b}\n", {{"d.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: d\nspec:\n  selector: nothing\n  template:\n    spec:\n      containers:\n      - name: c\n        image: i\n"}}, "d.yaml:6: considering field 'spec/selector/matchLabels' of object Deployment.v1.apps/d.[noNs]: expected sequence or mapping node"},
        {"image_path", "resources:\n- d.yaml\nimages:\n- name: i\n  newTag: '1'\n", {{"d.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: d\nspec:\n  template:\n    spec:\n      containers:\n      - name: c\n        image: [i]\n"}}, "d.yaml:10: wrong node kind: expected ScalarNode but got SequenceNode"},
        {"name_type", "resources:\n- bad.yaml\n", {{"bad.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {a: b}\ndata:\n  k: v\n"}}, "bad.yaml:1: accumulating resources: accumulating resources from 'bad.yaml': missing metadata.name in object ConfigMap"},
        {"missing_env_file", "resources: [cm.yaml]\nsecretGenerator:\n- name: b\n  envs: [none.env]\n", {}, "kustomization.yaml:3: loading KV pairs: env source files: [none.env]: evalsymlink failure on 'none.env' : lstat none.env: no such file or directory"},
        {"strict_patch_in_transformer", "resources: [cm.yaml]\ntransformers:\n- t.yaml\n", {{"t.yaml", "apiVersion: builtin\nkind: PatchTransformer\nmetadata:\n  name: t\npath: none.yaml\n"}}, "t.yaml:1: plugin PatchTransformer.builtin.[noGrp]/t.[noNs] fails configuration: failed to get the patch file from path(none.yaml): evalsymlink failure on 'none.yaml' : ls"},
        {"value_add_no_target", "resources: [cm.yaml]\ntransformers:\n- t.yaml\n", {{"t.yaml", "apiVersion: builtin\nkind: ValueAddTransformer\nmetadata:\n  name: t\nvalue: x\n"}}, "t.yaml:1: plugin ValueAddTransformer.builtin.[noGrp]/t.[noNs] fails configuration: must specify at least one target"},
        {"prefix_plugin_no_specs", "resources: [cm.yaml]\ntransformers:\n- t.yaml\n", {{"t.yaml", "apiVersion: builtin\nkind: PrefixTransformer\nmetadata:\n  name: t\nprefix: x\n"}}, "t.yaml:1: plugin PrefixTransformer.builtin.[noGrp]/t.[noNs] fails configuration: fieldSpecs is not expected to be nil"},
        {"namespace_plugin_subjects", "resources: [cm.yaml]\ntransformers:\n- t.yaml\n", {{"t.yaml", "apiVersion: builtin\nkind: NamespaceTransformer\nmetadata:\n  name: t\n  namespace: n\nsetRoleBindingSubjects: some\n"}}, "t.yaml:6: plugin NamespaceTransformer.builtin.[noGrp]/t.n fails configuration: setRoleBindingSubjects: invalid value \"some\" for setRoleBindingSubjects: must be one of \"de"},
        {"iam_cloud", "resources: [cm.yaml]\ngenerators:\n- t.yaml\n", {{"t.yaml", "apiVersion: builtin\nkind: IAMPolicyGenerator\nmetadata:\n  name: t\ncloud: azure\nkubernetesService: {name: a}\nserviceAccount: {name: a, projectId: b}\n"}}, "t.yaml:1: cloud provider azure not supported yet"},
        {"transformers_missing", "resources: [cm.yaml]\ntransformers:\n- none.yaml\n", {}, "kustomization.yaml:3: accumulation err='accumulating resources from 'none.yaml': evalsymlink failure on 'none.yaml' : lstat none.yaml: no such file or directory': must bu"},
        {"generators_missing", "resources: [cm.yaml]\ngenerators:\n- none.yaml\n", {}, "kustomization.yaml:3: loading generator plugins: accumulation err='accumulating resources from 'none.yaml': evalsymlink failure on 'none.yaml' : lstat none.yaml: no such "},
        {"psm_empty", "resources: [cm.yaml]\npatchesStrategicMerge:\n- p.yaml\n", {{"p.yaml", "# nothing\n"}}, "kustomization.yaml:3: patch appears to be empty; files=[p.yaml], Patch="},
        {"psm_no_match", "resources: [cm.yaml]\npatchesStrategicMerge:\n- p.yaml\n", {{"p.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\ndata:\n  k: v\n"}}, "p.yaml:1: no matches for Id ConfigMap.v1.[noGrp]/b.[noNs]; failed to find unique target for patch ConfigMap.v1.[noGrp]/b.[noNs]"},
        {"json6902_missing", "resources: [cm.yaml]\npatchesJson6902:\n- target: {version: v1, kind: ConfigMap, name: a}\n  path: none.json\n", {}, "kustomization.yaml:3: evalsymlink failure on 'none.json' : lstat none.json: no such file or directory"},
        {"json6902_both", "resources: [cm.yaml]\npatchesJson6902:\n- target: {version: v1, kind: ConfigMap, name: a}\n  path: none.json\n  patch: '[]'\n", {}, "kustomization.yaml:3: must specify a file path or jsonOp, not both"},
        {"patch_target_many_docs", "resources: [cm.yaml]\npatches:\n- target: {kind: ConfigMap}\n  path: p.yaml\n", {{"p.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n"}}, "kustomization.yaml:3: Multiple Strategic-Merge Patches in one `patches` entry is not allowed to set `patches.target` field: [path: \"p.yaml\"]"},
        {"component_twice", "resources: [cm.yaml]\ncomponents: [comp, comp]\n", {{"comp/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [b.yaml]\n"}, {"comp/b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\ndata:\n  k: v\n"}}, "comp/b.yaml:1: accumulating components: accumulateDirectory: \"recursed accumulation of path 'comp': accumulating resources: merging resources from 'b.yaml': may not add r"},
    };
    return all;
}

// The files of a case in a directory of their own.
class Tree {
public:
    explicit Tree(const Case& c) {
        std::string pattern = (stdfs::temp_directory_path() / "weber-errors-XXXXXX").string();
        root_ = stdfs::canonical(mkdtemp(pattern.data()));
        write("cm.yaml", kConfigMap);
        write("kustomization.yaml", c.kustomization);
        for (const auto& [path, text] : c.files) write(path, text);
    }
    Tree(const Tree&) = delete;
    Tree& operator=(const Tree&) = delete;
    ~Tree() { stdfs::remove_all(root_); }

    [[nodiscard]] std::string root() const { return root_.string(); }
    // `text` with paths relative to the tree.
    [[nodiscard]] std::string relative(std::string text) const {
        for (const auto& [from, to] : {std::pair{root() + "/", std::string()}, std::pair{root(), std::string(".")}})
            for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from)) text.replace(at, from.size(), to);
        return text;
    }

private:
    void write(std::string_view path, std::string_view text) {
        const stdfs::path full = root_ / path;
        stdfs::create_directories(full.parent_path());
        std::ofstream(full, std::ios::binary) << text;
    }

    stdfs::path root_;
};

class Errors : public ::testing::TestWithParam<Case> {};

TEST_P(Errors, NameFileLineFieldAndWhatWasExpected) {
    const Tree tree(GetParam());
    DiskFileSystem fs;
    const auto output = build(fs, tree.root(), {.reorder = Reorder::legacy});
    ASSERT_FALSE(output) << to_yaml(output->resources);
    const std::string text = tree.relative(output.error().to_string());
    EXPECT_TRUE(text.starts_with(GetParam().error)) << text;
}

TEST(ErrorsAdvise, TheNextStep) {
    const std::vector<std::pair<std::string_view, std::string_view>> hints = {
        {"unknown_field", "did you mean \"namePrefix\"?"},
        {"missing_resource", "add what is missing to the source, or correct the path"},
        {"patch_file_missing", "add what is missing to the source, or correct the path"},
        {"generator_file", "add what is missing to the source, or correct the path"},
        {"directory_without_kustomization", "add a kustomization.yaml that lists the directory's manifests"},
        {"json_patch_remove", "correct the operation's path; `op: add` makes a field that is not there"},
        {"replacement_no_source", "add that object to the resources, or correct the source's kind, name and namespace"},
        {"patch_without_target_object", "check kind, apiVersion, name and namespace of the patch, or give it a `target`"},
        {"component_kind", "list it under components"},
        {"two_kustomizations_on_top", "keep one of kustomization.yaml and Kustomization"},
    };
    for (const auto& [name, hint] : hints) {
        const auto found = std::ranges::find_if(cases(), [&](const Case& c) { return c.name == name; });
        ASSERT_NE(found, cases().end()) << name;
        const Tree tree(*found);
        DiskFileSystem fs;
        const auto output = build(fs, tree.root());
        ASSERT_FALSE(output);
        EXPECT_EQ(output.error().hint, hint) << name;
    }
}

INSTANTIATE_TEST_SUITE_P(All, Errors, ::testing::ValuesIn(cases()), [](const auto& info) { return std::string(info.param.name); });

// kustomize 5.8.1 knows no options inside texts (docs/differences.md).
TEST(ErrorsInText, OfADelimiterNameTheLine) {
    const Case c = {"text_delimiter", "resources: [t.yaml]\nreplacements:\n- sourceValue: x\n  targets:\n  - select: {kind: ConfigMap}\n    fieldPaths: [data.conf.a]\n    options: {delimiter: ':'}\n", {{"t.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  conf: |\n    b: 1\n    a: &x\n    - !t c\n"}},
                    "t.yaml:8: ConfigMap.v1.[noGrp]/a.[noNs]: delimiter option can only be used with scalar nodes"};
    const Tree tree(c);
    DiskFileSystem fs;
    const auto output = build(fs, tree.root());
    ASSERT_FALSE(output) << to_yaml(output->resources);
    const std::string text = tree.relative(output.error().to_string());
    EXPECT_TRUE(text.starts_with(c.error)) << text;
}

TEST(ErrorsOfKustomize, TheRealOneRefusesTheSame) {
    const auto kustomize = weber::testing::peer("kustomize");
    if (!kustomize) GTEST_SKIP() << "no kustomize: run tests/cluster/tools.sh kustomize";
    for (const Case& c : cases()) {
        const Tree tree(c);
        const auto ran = weber::testing::run("'" + *kustomize + "' build '" + tree.root() + "'", tree.root());
        EXPECT_EQ(ran.status, 1) << c.name << "\n" << ran.out;
    }
}

} // namespace
} // namespace weber::kustomize
