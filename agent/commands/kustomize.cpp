// `weber kustomize DIR`: what `kustomize build DIR` prints, byte for byte.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <ostream>
#include <system_error>

#include "agent/commands/commands.h"
#include "kube/base/yaml.h"
#include "kustomize/build.h"

namespace weber::agent {

namespace {

Result<void> write_file(const std::filesystem::path& path, std::string_view text) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
    file.close();
    if (!file) return fail(ErrorCode::invalid, "cannot write " + path.string());
    return {};
}

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : static_cast<char>(c); });
    return text;
}

// "apps_v1_deployment_web.yaml"
std::string file_name(const kustomize::Resource& r) {
    std::string out;
    for (const std::string& part : {r.gvk().group(), r.gvk().version(), r.gvk().kind()})
        if (!part.empty()) out += (out.empty() ? "" : "_") + part;
    return lower(out + "_" + std::string(r.name())) + ".yaml";
}

// One file an object; with several namespaces each name begins with its namespace (kustomize's WriteIndividualFiles).
Result<void> write_each(const kustomize::ResourceSet& resources, const std::filesystem::path& dir) {
    std::map<std::string, std::vector<const kustomize::Resource*>> namespaced;
    std::vector<const kustomize::Resource*> files;
    for (const auto& r : resources.all()) {
        if (r->gvk().cluster_scoped()) files.push_back(r.get());
        else namespaced[r->ns().empty() ? "default" : std::string(r->ns())].push_back(r.get());
    }
    for (const kustomize::Resource* r : files) TRY_VOID(write_file(dir / file_name(*r), kube::write_yaml(r->node())));
    for (const auto& [ns, members] : namespaced)
        for (const kustomize::Resource* r : members)
            TRY_VOID(write_file(dir / ((namespaced.size() > 1 ? lower(ns) + "_" : "") + file_name(*r)), kube::write_yaml(r->node())));
    return {};
}

Result<int> run(Invocation& in) {
    const std::string restrictor = in.flags.text("load-restrictor");
    if (restrictor != "LoadRestrictionsRootOnly" && restrictor != "LoadRestrictionsNone")
        return in.usage("illegal flag value --load-restrictor " + restrictor + "; legal values: [LoadRestrictionsRootOnly LoadRestrictionsNone]");
    if (in.args.empty()) in.args.emplace_back(".");
    const std::string output = in.flags.text("output");
    std::error_code ignored;
    const bool to_directory = !output.empty() && std::filesystem::is_directory(output, ignored);
    if (to_directory && in.args.size() > 1) return in.usage("--output may name a directory only when one DIR is given");

    const kustomize::DiskFileSystem disk;
    kustomize::ParseCache cache;
    kustomize::BuildOptions options;
    options.reorder = kustomize::Reorder::legacy;
    options.cache = &cache;
    if (restrictor == "LoadRestrictionsNone") options.load_restrictions = kustomize::LoadRestrictions::none;

    std::string text;
    for (const std::string& dir : in.args) {
        TRY(const kustomize::BuildOutput built, kustomize::build(disk, dir, options));
        for (const std::string& warning : built.warnings) in.io.err << warning << '\n';
        if (to_directory) {
            TRY_VOID(write_each(built.resources, output));
            continue;
        }
        if (!text.empty()) text += "---\n";
        text += kustomize::to_yaml(built.resources);
    }
    if (to_directory) return kOk;
    if (output.empty()) in.io.out << text;
    else TRY_VOID(write_file(output, text));
    return kOk;
}

} // namespace

Command kustomize_command() {
    return {.name = "kustomize",
            .args = "[DIR...]",
            .summary = "Build kustomization directories, as `kustomize build` does",
            .about = "Prints the objects of each DIR (default: the current directory), several separated by ---.",
            .flags = {{.name = "output", .help = "write to this file, or into this directory one file an object", .letter = 'o', .value = "path"},
                      {.name = "load-restrictor",
                       .help = "LoadRestrictionsNone lets kustomizations load files from outside their directory",
                       .default_text = "LoadRestrictionsRootOnly"}},
            .run = run};
}

} // namespace weber::agent
