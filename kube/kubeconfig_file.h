// The entries of kubeconfig files, as written: reading and merging, no meaning yet. Internal to kubeconfig.cpp; the only user of yaml-cpp here.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"

namespace weber::kube {

// The fields of one entry. Names are kubeconfig's.
struct KubeconfigEntry {
    Where where = {};
    std::string dir = {};                       // of the file, for relative paths
    std::map<std::string, std::string> scalars = {}; // server, token, certificate-authority …
    std::map<std::string, std::vector<std::string>> lists = {}; // as-groups, exec.args
    std::map<std::string, std::vector<std::string>> extra = {}; // as-user-extra
    std::vector<std::pair<std::string, std::string>> exec_env = {};
    std::string exec_extension = {}; // JSON of the cluster's extension client.authentication.k8s.io/exec
    bool has_exec = false;      // exec.* are in scalars
    bool has_auth_provider = false;

    [[nodiscard]] std::string get(std::string_view field) const;
};

struct KubeconfigFiles {
    std::string current_context;
    std::map<std::string, KubeconfigEntry> clusters, users, contexts;
    std::vector<std::string> files; // that were read, for messages

    // Adds one file's text; entries that are known already stay. Errors: invalid with file and line.
    Result<void> add(std::string_view text, const std::string& file, const std::string& dir);
};

} // namespace weber::kube
