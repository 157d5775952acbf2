// Substitution and decryption as a build does them, for bench/post_build.sh: one line of seconds a round, as `flux-oracle` prints them.
//
//   post_build_bench substitute FILE VALUES ROUNDS   all objects of FILE (YAML), variables of VALUES (a JSON map)
//   post_build_bench decrypt DIR KEY ROUNDS          the files that DIR/kustomization.yaml names
//   post_build_bench objects COUNT                   prints objects for `substitute`
//   post_build_bench files DIR KEY COUNT             writes files for `decrypt`, and a new age key
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "gitops/decrypt/file.h"
#include "gitops/decrypt/sources.h"
#include "gitops/substitute/substitute.h"
#include "kube/base/json.h"
#include "kube/base/yaml.h"

namespace {

using namespace weber;
namespace fs = std::filesystem;

[[noreturn]] void die(const std::string& why) {
    std::fprintf(stderr, "post_build_bench: %s\n", why.c_str());
    std::exit(1);
}

template <class T>
T need(Result<T> result) {
    if (!result) die(result.error().to_string());
    return std::move(*result);
}

// As Go's os.ReadFile does it; relative paths from the directory `dir`.
std::string read(const std::string& path, int dir = AT_FDCWD) {
    const int file = ::openat(dir, path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status = {};
    if (file < 0 || ::fstat(file, &status) != 0) die("cannot read " + path);
    std::string text(static_cast<std::size_t>(status.st_size), '\0');
    if (::read(file, text.data(), text.size()) != status.st_size) die("cannot read " + path);
    ::close(file);
    return text;
}

// What the directory `dir`, opened as `root`, holds.
std::map<std::string, gitops::TreeFileSystem::File, std::less<>> list(const std::string& dir, int root) {
    std::map<std::string, gitops::TreeFileSystem::File, std::less<>> files;
    const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(dir.c_str()), ::closedir);
    if (!open) die("cannot read " + dir);
    while (const dirent* entry = ::readdir(open.get())) {
        struct stat status = {};
        if (::fstatat(root, entry->d_name, &status, 0) != 0) die("cannot read " + std::string(entry->d_name));
        if (S_ISREG(status.st_mode)) files[entry->d_name] = {entry->d_name, static_cast<std::size_t>(status.st_size)};
    }
    return files;
}

template <class Work>
void rounds(int count, Work work) {
    for (int i = 0; i < count; ++i) {
        const auto start = std::chrono::steady_clock::now();
        work();
        std::printf("%.6f\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
        std::fflush(stdout);
    }
}

void substitute(const std::string& file, const std::string& values, int count) {
    std::vector<Object> objects;
    for (Node& n : need(kube::read_yaml(read(file), {.file = file}))) objects.emplace_back(std::move(n));
    gitops::Variables variables;
    const Node map = need(kube::read_json(read(values)));
    for (const auto& [name, value] : map.entries()) variables[name.str()] = std::string(value.text());
    rounds(count, [&] {
        const gitops::Substitution substitution(variables, {});
        std::size_t done = 0;
        for (const Object& o : objects) done += need(substitution.apply(o)).root().size();
        if (done == 0) die("nothing was done");
    });
}

void decrypt(const std::string& dir, const std::string& key, int count) {
    const std::string text = read(key);
    const Node kustomization = need(kube::read_yaml_one(read(dir + "/kustomization.yaml")));
    const int root = ::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    rounds(count, [&] {
        const gitops::KeyRing keys{.age = need(gitops::parse_age_identities(text))};
        const gitops::Snapshot snapshot{std::make_shared<gitops::TreeFileSystem>(std::string(gitops::kSourceMount), list(dir, root),
                                                                                 [&](const std::string& path, const gitops::TreeFileSystem::File&) -> Result<std::string> {
                                                                                     return read(path, root);
                                                                                 }),
                                        "main@sha1:0"};
        const auto plain = need(gitops::decrypt_sources(snapshot, std::string(gitops::kSourceMount), kustomization, keys, {.verify_mac = false})); // as the other side
        if (need(plain.fs->read(std::string(gitops::kSourceMount) + "/secret-0.yaml")).find("ENC[") != std::string::npos) die("not decrypted");
    });
}

void print_objects(int count) {
    for (int i = 0; i < count; ++i) {
        const std::string n = std::to_string(i);
        std::cout << "---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-" << n << "\n  namespace: ${namespace}\n  labels:\n    app: app-" << n
                  << "\n    cluster: ${cluster_name}\nspec:\n  replicas: ${replicas:=2}\n  selector:\n    matchLabels:\n      app: app-" << n
                  << "\n  template:\n    metadata:\n      labels:\n        app: app-" << n << "\n    spec:\n      containers:\n      - name: main\n        image: registry.${domain}/app:1." << n
                  << "\n        args: [--listen=:8080, --log-level=info]\n        env:\n        - name: HOST\n          value: app-" << n
                  << ".${domain}\n        - name: ZONE\n          value: ${zone^^}\n        ports:\n        - containerPort: 8080\n          name: http\n        resources:\n          limits:\n"
                     "            memory: 128Mi\n          requests:\n            cpu: 10m\n            memory: 64Mi\n        readinessProbe:\n          httpGet:\n            path: /healthz\n"
                     "            port: http\n";
    }
}

void write_files(const std::string& dir, const std::string& key, int count) {
    const gitops::AgeIdentity identity = need(gitops::make_age_identity());
    std::ofstream(key) << gitops::age_identity_text(identity) << "\n";
    fs::create_directories(dir);
    std::ofstream list(dir + "/kustomization.yaml");
    list << "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nsecretGenerator:\n- name: all\n  files:\n";
    for (int i = 0; i < count; ++i) {
        const std::string name = "secret-" + std::to_string(i) + ".yaml";
        list << "  - " << name << "\n";
        const gitops::sops::Metadata settings{.groups = {{{.provider = gitops::sops::Provider::age, .name = identity.recipient}}},
                                              .rule = {.encrypted_regex = "^(data|stringData)$"}};
        std::string text = "apiVersion: v1\nkind: Secret\nmetadata:\n    name: s" + std::to_string(i) + "\nstringData:\n";
        for (int k = 0; k < 5; ++k) text += "    key" + std::to_string(k) + ": a secret value of some length " + std::to_string(i * 5 + k) + "\n";
        std::ofstream(dir + "/" + name) << need(gitops::sops::encrypt_file(text, gitops::sops::Format::yaml, settings, {}, "2026-01-02T03:04:05Z"));
    }
}

} // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> args(argv + 1, argv + argc);
    if (args.size() == 2 && args[0] == "objects") print_objects(std::atoi(args[1].c_str()));
    else if (args.size() == 4 && args[0] == "files") write_files(args[1], args[2], std::atoi(args[3].c_str()));
    else if (args.size() == 4 && args[0] == "substitute") substitute(args[1], args[2], std::atoi(args[3].c_str()));
    else if (args.size() == 4 && args[0] == "decrypt") decrypt(args[1], args[2], std::atoi(args[3].c_str()));
    else die("usage: see the head of post_build_bench.cpp");
}
