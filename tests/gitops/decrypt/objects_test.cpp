// Objects, files and keys in a build: build.md 6.1 to 6.4 and the checklist of section 8, items 50 to 64.
#include "gitops/decrypt/objects.h"

#include <gtest/gtest.h>

#include "gitops/decrypt/file.h"
#include "gitops/decrypt/secret_keys.h"
#include "gitops/decrypt/sources.h"
#include "gitops/reconcile/pipeline.h"
#include "gitops/reconcile/post_build_hooks.h"
#include "kube/base/yaml.h"
#include "tests/gitops/decrypt/vectors.h"

namespace weber::gitops {
namespace {

constexpr std::string_view kNow = "2024-05-06T07:08:09Z";

KeyRing keys() { return {.age = parse_age_identities(test::kAgeSecret).value()}; }

sops::Metadata settings(sops::Rule rule = {.encrypted_regex = "^(data|stringData)$"}) {
    return {.groups = {{{.provider = sops::Provider::age, .name = keys().age[0].recipient}}}, .rule = std::move(rule)};
}

std::string encrypted(std::string_view text, sops::Format format = sops::Format::yaml, sops::Rule rule = {.encrypted_regex = "^(data|stringData)$"}) {
    return sops::encrypt_file(text, format, settings(std::move(rule)), {}, std::string(kNow)).value();
}

Node node_of(std::string_view yaml) { return kube::read_yaml_one(yaml, {.file = "a.yaml"}).value(); }
Object object_of(std::string_view yaml) { return Object(node_of(yaml)); }

Object encrypted_secret() { return object_of(encrypted("apiVersion: v1\nkind: Secret\nmetadata:\n    name: a\n    namespace: apps\nstringData:\n    pw: hunter2\n")); }

std::string text_at(const Object& o, std::string_view field, std::string_view key) { return std::string(o.root().find(field)->text_at(key)); }
std::string decoded(const Object& o, std::string_view key) { return kube::base64_decode(text_at(o, "data", key)).value(); }

TEST(DecryptObject, Item50FieldsAddedByKustomizeDoNotMatter) {
    Object secret = encrypted_secret();
    secret.set_name("prefix-a");
    secret.set_label("app", "x");
    const auto out = decrypt_object(secret, keys());
    ASSERT_TRUE(out) << out.error().message;
    EXPECT_EQ(text_at(*out, "stringData", "pw"), "hunter2");
    EXPECT_FALSE(out->root().contains("sops"));
    EXPECT_EQ(out->label("app"), "x");
    EXPECT_EQ(out->where().file, "a.yaml");
}

TEST(DecryptObject, Item51PlainValuesUnderTheRuleAreErrorsWithoutThem) {
    Object secret = encrypted_secret();
    secret.root().find_mut("stringData")->set("plain", Node::string("swordfish"));
    const auto text = decrypt_object(secret, keys());
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().message, "failed to decrypt and format 'apps/a' Secret data: error decrypting sops tree: Error walking tree: Could not decrypt value: "
                                    "Input string <redacted> does not match sops' data format");
    EXPECT_EQ(text.error().to_string().find("swordfish"), std::string::npos);
    secret.root().find_mut("stringData")->set("plain", Node::integer(5));
    EXPECT_TRUE(decrypt_object(secret, keys()).error().message.ends_with("Error walking tree: Expected encrypted value as string, but got int"));
}

TEST(DecryptObject, Item52AnyKindWithAMac) {
    const Object map = object_of(encrypted("apiVersion: v1\nkind: ConfigMap\nmetadata:\n    name: a\ndata:\n    k: v\n"));
    EXPECT_EQ(text_at(*decrypt_object(map, keys()), "data", "k"), "v");
    const Object other = object_of("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nsops: {note: x}\n");
    EXPECT_EQ(*decrypt_object(other, keys()), other);
}

TEST(DecryptObject, Item53DisabledInAnyCase) {
    Object secret = encrypted_secret();
    secret.set_annotation("kustomize.toolkit.fluxcd.io/decrypt", "Disabled");
    EXPECT_EQ(*decrypt_object(secret, keys()), secret);
}

TEST(DecryptObject, Item56ValuesEncryptedThenBase64) {
    const std::string ini = encrypted("[db]\npw = x\n", sops::Format::ini, {});
    const std::string ini_in_yaml = kube::base64_encode(encrypted("db:\n    pw: x\nDEFAULT: {}\n", sops::Format::yaml, {}));
    const std::string binary = encrypted("bytes", sops::Format::binary, {});
    Object secret = object_of("apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: apps}\ndata: {}\n");
    Node& data = *secret.root().find_mut("data");
    data.set("a.ini", Node::string(kube::base64_encode(ini)));
    data.set("b.ini", Node::string(ini_in_yaml));
    data.set("c", Node::string(kube::base64_encode(binary)));
    data.set("plain", Node::string(kube::base64_encode("some other value")));
    data.set("broken", Node::string("not base64 at all!"));
    const auto out = decrypt_object(secret, keys());
    ASSERT_TRUE(out) << out.error().message;
    EXPECT_EQ(decoded(*out, "a.ini"), "[db]\npw = x\n");
    EXPECT_EQ(decoded(*out, "b.ini"), "[db]\npw = x\n\n[DEFAULT]\n");
    EXPECT_EQ(decoded(*out, "c"), "bytes");
    EXPECT_EQ(decoded(*out, "plain"), "some other value");
    EXPECT_EQ(text_at(*out, "data", "broken"), "not base64 at all!");

    data.set("d", Node::string(kube::base64_encode(encrypted("x: y\n", sops::Format::yaml, {}))));
    EXPECT_EQ(decrypt_object(secret, keys()).error().message, "failed to decrypt and format 'apps/a' Secret field 'd': failed to emit encrypted YAML file as decrypted binary: "
                                                              "error emitting binary store: no binary data found in tree");
}

// Flux emits a decrypted object as JSON, in which Go writes U+FFFD for what is no text; values of `data` are bytes and stay what they are.
TEST(DecryptObject, BytesThatAreNoText) {
    const std::string bytes("a\xFF\xC3(\0z", 6), shown("a\xEF\xBF\xBD\xEF\xBF\xBD(\0z", 10);
    const std::string object = encrypted("apiVersion: v1\nkind: Secret\nmetadata:\n    name: a\nstringData:\n    pw: !!binary " + kube::base64_encode(bytes) + "\n");
    const auto whole = decrypt_object(object_of(object), keys());
    ASSERT_TRUE(whole) << whole.error().message;
    EXPECT_EQ(text_at(*whole, "stringData", "pw"), shown);

    Object secret = object_of("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {}\n");
    secret.root().find_mut("data")->set("k", Node::string(kube::base64_encode(encrypted(bytes, sops::Format::binary, {}))));
    const auto value = decrypt_object(secret, keys());
    ASSERT_TRUE(value) << value.error().message;
    EXPECT_EQ(decoded(*value, "k"), bytes);
}

TEST(DecryptObject, Item57MinifiedJsonIsNotRecognised) {
    std::string json = encrypted("{\"data\": \"x\"}\n", sops::Format::json, {});
    json.replace(json.find("\"mac\": "), 7, "\"mac\":");
    Object secret = object_of("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {}\n");
    secret.root().find_mut("data")->set("k.json", Node::string(kube::base64_encode(json)));
    EXPECT_EQ(*decrypt_object(secret, keys()), secret);
}

// ---- files --------------------------------------------------------------------------------------------------------

Snapshot snapshot_of(std::map<std::string, std::string> files) {
    std::map<std::string, TreeFileSystem::File, std::less<>> entries;
    for (const auto& [path, text] : files) entries[path] = {path, text.size()};
    auto reader = [files = std::move(files)](const std::string& path, const TreeFileSystem::File&) -> Result<std::string> { return files.at(path); };
    return {std::make_shared<TreeFileSystem>(std::string(kSourceMount), std::move(entries), std::move(reader)), "main@sha1:1"};
}

std::string read(const Snapshot& s, const std::string& path) { return s.fs->read(std::string(kSourceMount) + "/" + path).value(); }

Result<Snapshot> decrypted(const Snapshot& s, std::string_view kustomization) { return decrypt_sources(s, std::string(kSourceMount) + "/app", node_of(kustomization), keys()); }

TEST(DecryptSources, Items54And55FilesOfSecretGenerators) {
    const Snapshot s = snapshot_of({{"app/app.env", encrypted("A=b\n", sops::Format::dotenv, {})},
                                    {"app/file.txt", encrypted("text\n", sops::Format::binary, {})},
                                    {"app/enc.bin", encrypted("k: v\n", sops::Format::yaml, {})},
                                    {"app/docker", encrypted("{\"auths\": {}}", sops::Format::json, {})},
                                    {"app/plain.env", "A=plain\n"},
                                    {"app/min.json", "{\"sops\":{\"mac\":\"ENC[x\"}}"}});
    const auto out = decrypted(s, "secretGenerator:\n- name: a\n  envs: [app.env, plain.env]\n  files: [key=file.txt, config.yaml=enc.bin, .dockerconfigjson=docker, min.json]\n"
                                  "configMapGenerator:\n- name: b\n  files: [file.txt]\n");
    ASSERT_TRUE(out) << out.error().message;
    EXPECT_EQ(read(*out, "app/app.env"), "A=b\n");
    EXPECT_EQ(read(*out, "app/file.txt"), "text\n");
    EXPECT_EQ(read(*out, "app/enc.bin"), "k: v\n");
    EXPECT_EQ(read(*out, "app/docker"), "{\n\t\"auths\": {}\n}\n");
    EXPECT_EQ(read(*out, "app/plain.env"), "A=plain\n");
    EXPECT_EQ(read(*out, "app/min.json"), "{\"sops\":{\"mac\":\"ENC[x\"}}");
    EXPECT_TRUE(read(s, "app/app.env").find("ENC[") != std::string::npos);
}

// A file of `envs` without a suffix is dotenv, one of `files` is binary.
TEST(DecryptSources, FilesWithoutASuffix) {
    const Snapshot s = snapshot_of({{"app/vars", encrypted("A=b\n", sops::Format::dotenv, {})}, {"app/blob", encrypted("A=b\n", sops::Format::binary, {})}});
    const auto out = decrypted(s, "secretGenerator:\n- name: a\n  envs: [vars]\n  files: [blob]\n");
    ASSERT_TRUE(out) << out.error().message;
    EXPECT_EQ(read(*out, "app/vars"), "A=b\n");
    EXPECT_EQ(read(*out, "app/blob"), "A=b\n");
}

TEST(DecryptSources, Item59PatchesAndIncludedDirectories) {
    const Snapshot s = snapshot_of({{"app/patch.yaml", encrypted("data: x\n", sops::Format::yaml, {})},
                                    {"base/kustomization.yaml", "components: [../component]\nresources: [https://example.com/x, missing, file.yaml]\n"},
                                    {"base/file.yaml", "a: b\n"},
                                    {"component/Kustomization", "secretGenerator: [{name: x, files: [s.txt]}]\n"},
                                    {"component/s.txt", encrypted("deep", sops::Format::binary, {})}});
    const auto out = decrypted(s, "resources: [../base, ../base]\npatches: [{path: patch.yaml}, {path: \"https://example.com/p.yaml\"}, {patch: x}]\n");
    ASSERT_TRUE(out) << out.error().message;
    EXPECT_EQ(read(*out, "app/patch.yaml"), "data: x\n");
    EXPECT_EQ(read(*out, "component/s.txt"), "deep");
}

TEST(DecryptSources, Item58WhatCannotBeDecrypted) {
    const Snapshot s = snapshot_of({{"app/big.txt", std::string((5u << 20) + 1, 'x')}, {"app/dir/f", "x"}, {"two/kustomization.yaml", ""}, {"two/Kustomization", ""}, {"none/x", ""}});
    const auto message = [&](std::string_view file) {
        const auto out = decrypted(s, file);
        return out ? std::string() : out.error().message;
    };
    EXPECT_EQ(message("secretGenerator: [{name: x, files: [big.txt]}]"), "cannot decrypt file with size (5242881 bytes) exceeding limit (5242880)");
    EXPECT_EQ(message("secretGenerator: [{name: x, files: [dir]}]"), "cannot decrypt irregular file as it has file mode type bits set");
    EXPECT_EQ(message("secretGenerator: [{name: x, files: [../../../etc/passwd]}]"), "lstat etc/passwd: no such file or directory");
    EXPECT_EQ(message("resources: [../two]"), "found multiple kustomization files");
    EXPECT_EQ(message("resources: [../none]"), "no kustomization file found");
}

// ---- the MAC ------------------------------------------------------------------------------------------------------

// A line of an encrypted file taken out: every value that is left still fits its place, the MAC does not.
std::string without_line(std::string text, std::string_view key) {
    const std::size_t at = text.find("\n" + std::string(key)) + 1;
    return text.erase(at, text.find('\n', at) + 1 - at);
}

constexpr sops::DecryptOptions kAsFlux = {.verify_mac = false};

TEST(DecryptSources, AFileThatWasChangedAfterItsEncryption) {
    const std::string env = without_line(encrypted("A=b\nSECOND=hunter2\n", sops::Format::dotenv, {}), "A=");
    const std::string patch = without_line(encrypted("data: {a: x, b: hunter2}\n"), "    a:");
    for (const auto& [file, text, kustomization, plain] :
         {std::tuple("app/a.env", env, "secretGenerator: [{name: x, envs: [a.env]}]", "SECOND=hunter2\n"), {"app/p.yaml", patch, "patches: [{path: p.yaml}]", "data:\n    b: hunter2\n"}}) {
        const Snapshot s = snapshot_of({{file, text}});
        const auto refused = decrypted(s, kustomization);
        ASSERT_FALSE(refused) << file;
        EXPECT_TRUE(refused.error().message.starts_with("failed to verify sops data integrity: the MAC does not fit the values")) << refused.error().message;
        EXPECT_EQ(refused.error().where.file, file);
        EXPECT_NE(refused.error().hint.find("--sops-ignore-mac"), std::string::npos);
        EXPECT_EQ(refused.error().message.find("hunter2"), std::string::npos);
        const auto as_flux = decrypt_sources(s, std::string(kSourceMount) + "/app", node_of(kustomization), keys(), kAsFlux);
        ASSERT_TRUE(as_flux) << as_flux.error().message;
        EXPECT_EQ(read(*as_flux, file), plain);
    }
}

// What kustomize makes of an encrypted object no longer fits the MAC; the file that it came from does, or was changed.
TEST(DecryptSources, AnEncryptedResourceThatWasChanged) {
    const std::string good = encrypted("apiVersion: v1\nkind: Secret\nmetadata:\n    name: a\n    namespace: apps\nstringData:\n    pw: hunter2\n");
    const auto changed = [&](std::string_view from, std::string_view to) {
        std::string text = good;
        return text.replace(text.find(from), from.size(), to);
    };
    const auto message = [&](const std::string& text, const sops::DecryptOptions& options = {}) {
        const auto out = decrypt_sources(snapshot_of({{"app/s.yaml", text}}), std::string(kSourceMount) + "/app", node_of("resources: [s.yaml, s.yaml, gone.yaml]"), keys(), options);
        if (!out) return out.error().message;
        EXPECT_EQ(read(*out, "app/s.yaml"), text); // its objects are decrypted after the build
        return std::string();
    };
    const std::string elsewhere = changed("namespace: apps", "namespace: mine");
    EXPECT_EQ(message(good), "");
    EXPECT_TRUE(message(elsewhere).starts_with("failed to verify sops data integrity: the MAC does not fit the values")) << message(elsewhere);
    EXPECT_EQ(message(elsewhere, kAsFlux), "");
    EXPECT_EQ(message(changed("namespace: apps", "namespace: mine\n    annotations: {kustomize.toolkit.fluxcd.io/decrypt: disabled}")), ""); // stays encrypted
    EXPECT_NE(message(elsewhere + "# kustomize.toolkit.fluxcd.io/decrypt: disabled\n"), "");
    EXPECT_EQ(message(changed("age1", "age2")), ""); // without a key of ours whoever decrypts the object says so, and what is damaged as well
    EXPECT_EQ(message(changed("pw: ENC[", "pw: ENX[")), "");
    EXPECT_EQ(message("mac: ENC["), "");
}

// Only Secrets have values that are whole encrypted files.
TEST(DecryptObject, ValuesOfOtherKindsStayAsTheyAre) {
    const std::string value = kube::base64_encode(encrypted("A=b\n", sops::Format::dotenv, {}));
    for (const auto& [kind, plain] : {std::pair("ConfigMap", false), {"Secret", true}}) {
        Object o = object_of("apiVersion: v1\nkind: " + std::string(kind) + "\nmetadata: {name: a, namespace: apps}\ndata: {}\n");
        o.root().find_mut("data")->set("a.env", Node::string(value));
        EXPECT_EQ(text_at(*decrypt_object(o, keys()), "data", "a.env"), plain ? kube::base64_encode("A=b\n") : value) << kind;
    }
}

TEST(DecryptObject, AValueOfASecretThatWasChanged) {
    Object secret = object_of("apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: apps}\ndata: {}\n");
    secret.root().find_mut("data")->set("a.env", Node::string(kube::base64_encode(without_line(encrypted("A=b\nSECOND=hunter2\n", sops::Format::dotenv, {}), "A="))));
    const auto refused = decrypt_object(secret, keys());
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().message.starts_with("failed to decrypt and format 'apps/a' Secret field 'a.env': failed to verify sops data integrity: the MAC does not fit the values")) << refused.error().message;
    EXPECT_EQ(decoded(*decrypt_object(secret, keys(), kAsFlux), "a.env"), "SECOND=hunter2\n");
}

// ---- keys ---------------------------------------------------------------------------------------------------------

TEST(ImportKeys, Item61EntriesByTheirNames) {
    const auto import = [](std::string_view name, std::string_view value) {
        KeyRing ring;
        Object secret = object_of("apiVersion: v1\nkind: Secret\nmetadata: {name: keys, namespace: apps}\ndata: {}\n");
        secret.root().find_mut("data")->set(name, Node::string(kube::base64_encode(value)));
        const auto done = import_keys(secret, KeySecret::of_kustomization, ring);
        return done ? std::to_string(ring.age.size()) : done.error().message;
    };
    EXPECT_EQ(import("a.agekey", test::kAgeSecret), "1");
    EXPECT_EQ(import("identity.txt", "garbage"), "0");
    EXPECT_EQ(import("sops.vault-token", "x"), "0");
    EXPECT_EQ(import("a.agekey", "swordfish"),
              "failed to import 'a.agekey' data from sops decryption Secret 'apps/keys': failed to parse and add to age identities: unknown identity type");
    KeyRing of_controller;
    const Object with_pgp = object_of("apiVersion: v1\nkind: Secret\nmetadata: {name: keys, namespace: apps}\nstringData: {x.asc: swordfish, a.agekey: " + std::string(test::kAgeSecret) + "}\n");
    EXPECT_TRUE(import_keys(with_pgp, KeySecret::of_controller, of_controller)) << "age keys only";
    EXPECT_EQ(of_controller.age.size(), 1u);
    EXPECT_TRUE(import("x.asc", "swordfish").starts_with("failed to import 'x.asc' data from sops decryption Secret 'apps/keys': "));
    EXPECT_EQ(import("x.asc", "swordfish").find("swordfish"), std::string::npos);
}

Kustomization with_decryption(std::string_view spec) {
    return parse_kustomization(object_of("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: apps}\nspec:\n  interval: 1m\n"
                                         "  prune: true\n  path: app\n  sourceRef: {kind: GitRepository, name: x}\n" +
                                         std::string(spec)))
        .value();
}

Object key_secret(std::string_view name, std::string_view entry = "a.agekey") {
    return object_of("apiVersion: v1\nkind: Secret\nmetadata: {name: " + std::string(name) + ", namespace: apps}\nstringData: {" + std::string(entry) + ": " + std::string(test::kAgeSecret) + "}\n");
}

Result<Built> build(const Snapshot& s, const Kustomization& k, HookSettings settings) { return build_objects(s, k, {.post_build = post_build_hooks(std::move(settings))}); }

TEST(DecryptionHooks, Item62TheControllersKeyIsTheFallback) {
    const Snapshot s = snapshot_of({{"app/secret.yaml", encrypted("apiVersion: v1\nkind: Secret\nmetadata:\n    name: a\nstringData:\n    pw: hunter2\n")}});
    const HookSettings settings{.values = {.objects = {key_secret("global"), key_secret("other", "x.txt")}}, .age_secret = NamespacedName{"apps", "global"}};
    EXPECT_EQ(text_at(build(s, with_decryption("  decryption: {provider: sops}\n"), settings)->objects[0], "stringData", "pw"), "hunter2");
    const auto named = build(s, with_decryption("  decryption: {provider: sops, secretRef: {name: other}}\n"), settings);
    ASSERT_FALSE(named);
    EXPECT_TRUE(named.error().message.starts_with("decryption failed for 'Secret.v1.[noGrp]/a': failed to decrypt and format '/a' Secret data: cannot get sops data key: "))
        << named.error().message;
    const auto missing = build(s, with_decryption("  decryption: {provider: sops, secretRef: {name: nope}}\n"), settings);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().message, "secrets \"nope\" not found");
}

// At a command line the user's own keys serve where the Secret is missing, and where it holds none.
TEST(DecryptionHooks, KeysOfTheUserStandInForASecretWithoutAny) {
    const Snapshot s = snapshot_of({{"app/secret.yaml", encrypted("apiVersion: v1\nkind: Secret\nmetadata:\n    name: a\nstringData:\n    pw: hunter2\n")}});
    for (const char* name : {"none", "missing"}) {
        const HookSettings settings{.values = {.objects = {key_secret("none", "x.txt")}}, .local_keys = std::make_shared<const KeyRing>(keys())};
        const auto out = build(s, with_decryption("  decryption: {provider: sops, secretRef: {name: " + std::string(name) + "}}\n"), settings);
        ASSERT_TRUE(out) << name << ": " << out.error().message;
        EXPECT_EQ(text_at(out->objects[0], "stringData", "pw"), "hunter2");
    }
}

// What is not substituted needs no variables.
TEST(SubstitutionHooks, AnObjectThatIsSwitchedOffDoesNotMissItsVariables) {
    const auto built = [](std::string_view label) {
        const Snapshot s = snapshot_of({{"app/map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {kustomize.toolkit.fluxcd.io/substitute: " + std::string(label) + "}}\ndata: {k: '${x}'}\n"}});
        return build(s, with_decryption("  postBuild: {substituteFrom: [{kind: ConfigMap, name: nowhere}]}\n"), {});
    };
    const auto off = built("disabled");
    ASSERT_TRUE(off) << off.error().message;
    EXPECT_EQ(text_at(off->objects[0], "data", "k"), "${x}");
    EXPECT_EQ(built("other").error().message, "post build failed for 'ConfigMap.v1.[noGrp]/a': substitute from 'ConfigMap/nowhere' error: configmaps \"nowhere\" not found");
}

// What must never be shown: values of Secrets in the form in which they stand in objects.
TEST(SubstitutionHooks, ValuesOfSecretsAreNotedAsTheyAreSubstituted) {
    const Object secret = object_of("apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: apps}\nstringData: {pw: \"hun\\nter2\\n\"}\n");
    const Object map = object_of("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: apps}\ndata: {zone: public}\n");
    const auto hooks = post_build_hooks({.values = {.objects = {secret, map}}})(with_decryption("  postBuild: {substituteFrom: [{kind: ConfigMap, name: c}, {kind: Secret, name: s}]}\n"), nullptr);
    ASSERT_TRUE(hooks);
    EXPECT_EQ(hooks->secret_values, std::vector<std::string>{"hunter2"});
}

TEST(DecryptionHooks, Item64SubstitutionSeesPlainStringDataOnly) {
    const Snapshot s = snapshot_of({{"app/secret.yaml", encrypted("apiVersion: v1\nkind: Secret\nmetadata:\n    name: a\nstringData:\n    pw: ab${z}\ndata:\n    k: " +
                                                                  kube::base64_encode("ab${z}") + "\n")}});
    const auto out = build(s, with_decryption("  decryption: {provider: sops, secretRef: {name: keys}}\n  postBuild: {substitute: {v: x}}\n"), {.values = {.objects = {key_secret("keys")}}});
    ASSERT_TRUE(out) << out.error().message;
    EXPECT_EQ(text_at(out->objects[0], "stringData", "pw"), "ab");
    EXPECT_EQ(decoded(out->objects[0], "k"), "ab${z}");
}

// Every store may hold bytes that are no text. A generated Secret has them as they are, also beside substitution; a patch with them is refused, nothing of it shown.
TEST(DecryptionHooks, BytesThatAreNoTextInFiles) {
    const std::string bytes("\x01\xFF${z}\xC3", 7);
    const std::string generators = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nsecretGenerator:\n- name: s\n  files: [f.bin]\nconfigMapGenerator:\n- name: c\n  files: [f.bin]\n";
    const std::string spec = "  decryption: {provider: sops, secretRef: {name: keys}}\n  postBuild: {substitute: {v: x}}\n";
    const HookSettings settings{.values = {.objects = {key_secret("keys")}}};
    const auto out = build(snapshot_of({{"app/kustomization.yaml", generators}, {"app/f.bin", encrypted(bytes, sops::Format::binary, {})}}), with_decryption(spec), settings);
    ASSERT_TRUE(out) << out.error().message;
    ASSERT_EQ(out->objects.size(), 2u);
    for (const Object& o : out->objects) EXPECT_EQ(kube::base64_decode(o.root().find(o.kind() == "Secret" ? "data" : "binaryData")->text_at("f.bin")).value(), bytes) << o.kind();

    const std::string patch = encrypted(std::string("swordfish: \xFF\n"), sops::Format::binary, {});
    const auto refused = build(snapshot_of({{"app/kustomization.yaml", "patches: [{path: p.bin, target: {kind: ConfigMap}}]\nresources: [a.yaml]\n"},
                                            {"app/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"},
                                            {"app/p.bin", patch}}),
                               with_decryption(spec), settings);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().to_string().find("swordfish"), std::string::npos) << refused.error().to_string();
}

// A Secret's value may be any bytes: in an object they are no YAML, and the error does not show them.
TEST(SubstitutionHooks, AVariableThatIsNoText) {
    const Snapshot s = snapshot_of({{"app/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: \"${x}\"}\n"}});
    for (const auto& [value, problem] : {std::pair(std::string("swordfish\xFF"), "invalid leading UTF-8 octet"), {std::string("swordfish\xC3("), "invalid trailing UTF-8 octet"},
                                         {std::string("swordfish\x01"), "control characters are not allowed"}}) {
        const Object secret = object_of("apiVersion: v1\nkind: Secret\nmetadata: {name: v, namespace: apps}\ndata: {x: " + kube::base64_encode(value) + "}\n");
        const auto out = build(s, with_decryption("  postBuild: {substituteFrom: [{kind: Secret, name: v}]}\n"), {.values = {.objects = {secret}}});
        ASSERT_FALSE(out);
        EXPECT_EQ(out.error().message, "post build failed for 'ConfigMap.v1.[noGrp]/a': envsubst error: YAMLToJSON: yaml: " + std::string(problem));
        EXPECT_EQ(out.error().to_string().find("swordfish"), std::string::npos);
    }
}

TEST(DecryptionHooks, GeneratedSecretsAreNamedByTheirPlainText) {
    const std::string file = encrypted("text", sops::Format::binary, {});
    const std::string kustomization = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nsecretGenerator:\n- name: s\n  files: [f.txt]\n";
    const auto cipher = build(snapshot_of({{"app/kustomization.yaml", kustomization}, {"app/f.txt", file}}), with_decryption("  decryption: {provider: sops, secretRef: {name: keys}}\n"),
                              {.values = {.objects = {key_secret("keys")}}});
    const auto plain = build(snapshot_of({{"app/kustomization.yaml", kustomization}, {"app/f.txt", "text"}}), with_decryption(""), {});
    ASSERT_TRUE(cipher) << cipher.error().message;
    ASSERT_TRUE(plain) << plain.error().message;
    EXPECT_EQ(cipher->objects[0], plain->objects[0]);
}

TEST(SubstitutionHooks, ErrorsNameTheObject) {
    const Snapshot s = snapshot_of({{"app/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: \"${x}\"}\n"}});
    const auto missing = build(s, with_decryption("  postBuild: {substituteFrom: [{kind: ConfigMap, name: vars}]}\n"), {});
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().message, "post build failed for 'ConfigMap.v1.[noGrp]/a': substitute from 'ConfigMap/vars' error: configmaps \"vars\" not found");
    const auto strict = build(s, with_decryption("  postBuild: {substitute: {y: z}}\n"), {.strict_substitution = true});
    ASSERT_FALSE(strict);
    EXPECT_EQ(strict.error().message, "post build failed for 'ConfigMap.v1.[noGrp]/a': envsubst error: variable substitution failed: variable not set (strict mode): \"x\"");
    const auto given = build(s, with_decryption("  postBuild: {substituteFrom: [{kind: ConfigMap, name: vars, optional: true}]}\n"), {.values = {.variables = {{"x", "1"}}}});
    EXPECT_EQ(*given->objects[0].at({"data", "k"}), Node::integer(1));
}

} // namespace
} // namespace weber::gitops
