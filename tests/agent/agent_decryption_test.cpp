// `weber agent` and encrypted files that somebody changed: the flag that does as Flux.
#include <gmock/gmock.h>

#include "gitops/decrypt/file.h"
#include "kube/base/digest.h"
#include "tests/agent/agent_fleet.h"
#include "tests/gitops/decrypt/vectors.h"

namespace weber::agent_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class AgentDecryption : public AgentFleet {};
INSTANTIATE_TEST_SUITE_P(Servers, AgentDecryption, ::testing::ValuesIn(testing::kBothClusters), testing::cluster_name);

// A Secret with two values, of which somebody removed one.
std::string changed_secret(const std::string& name, const std::string& ns) {
    namespace sops = gitops::sops;
    const gitops::KeyRing keys{.age = gitops::parse_age_identities(gitops::test::kAgeSecret).value()};
    const sops::Metadata how{.groups = {{{.provider = sops::Provider::age, .name = keys.age[0].recipient}}}, .rule = {.encrypted_regex = "^(data|stringData)$"}};
    const std::string plain = "apiVersion: v1\nkind: Secret\nmetadata:\n    name: " + name + "\n    namespace: " + ns + "\nstringData:\n    gone: x\n    pw: hunter2\n";
    std::string file = sops::encrypt_file(plain, sops::Format::yaml, how, {}, "2024-05-06T07:08:09Z").value();
    const std::size_t line = file.find("    gone:");
    return file.erase(line, file.find('\n', line) + 1 - line);
}

TEST_P(AgentDecryption, AChangedFileIsRefusedUnlessToldOtherwise) {
    const std::string revision = commit({{"app/secret.yaml", changed_secret("app", ns_)}});
    secret("age", {{"k.agekey", std::string(gitops::test::kAgeSecret)}});
    source(serve());
    kustomization("app", "decryption: {provider: sops, secretRef: {name: age}}");
    testing::Background agent;
    start(agent, "strict");
    const kube::Object refused = await(kustomization_ref("app"), [](const kube::Object& o) { return condition(o, "Ready").starts_with("False/BuildFailed"); });
    EXPECT_THAT(condition(refused, "Ready"), HasSubstr("failed to verify sops data integrity: the MAC does not fit the values"));
    EXPECT_THAT(condition(refused, "Ready"), Not(HasSubstr("hunter2")));
    const kube::ObjectRef made{.gvk = {"", "v1", "Secret"}, .ns = ns_, .name = "app"};
    EXPECT_FALSE(api().find(made).value());
    agent.stop();
    start(agent, "asflux", {"--sops-ignore-mac"});
    applied("app", revision);
    EXPECT_EQ(kube::base64_decode(text(get(made), {"data", "pw"})).value(), "hunter2");
}

} // namespace
} // namespace weber::agent_test
