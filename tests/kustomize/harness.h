// Write files into memory, build, compare whole output: kustomize's own way to test (its kusttest harness).
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "kustomize/build.h"

namespace weber::kustomize {

class Harness {
public:
    void write(std::string_view path, std::string_view text) { fs_.write(path, text); }
    // A kustomization file with the usual header.
    void write_k(std::string_view dir, std::string_view text) {
        write(std::string(dir) + "/kustomization.yaml",
              "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n" + std::string(text));
    }
    [[nodiscard]] const FileSystem& fs() const { return fs_; }
    BuildOptions options = {};

    [[nodiscard]] Result<BuildOutput> build(std::string_view dir) const { return kustomize::build(fs_, dir, options); }

    void expect_yaml(std::string_view dir, std::string_view expected) const {
        auto output = build(dir);
        ASSERT_TRUE(output) << output.error().to_string();
        EXPECT_EQ(to_yaml(output->resources), expected);
    }
    // The full text a user reads must hold `part`.
    void expect_error(std::string_view dir, std::string_view part) const {
        auto output = build(dir);
        ASSERT_FALSE(output) << to_yaml(output->resources);
        EXPECT_NE(output.error().to_string().find(part), std::string::npos) << output.error().to_string();
    }

private:
    MemoryFileSystem fs_;
};

} // namespace weber::kustomize
