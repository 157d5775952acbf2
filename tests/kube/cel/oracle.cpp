#include "tests/kube/cel/oracle.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <unistd.h>

#include <gtest/gtest.h>

#include "kube/base/json.h"
#include "kube/cel/program.h"
#include "tests/kube/cel/format_value.h"
#include "tests/kube/cel/type_text.h"

namespace weber::cel {

namespace fs = std::filesystem;

Node our_answer(const Request& request, const Node& data) {
    Environment environment;
    environment.check = request.check ? Check::types : Check::none;
    for (const char* name : {"self", "dep", "data"}) environment.variables[name] = types::map(types::string(), types::dyn());
    Node out = Node::map();
    const auto put_error = [&](std::string message) {
        for (const std::string_view verb : {"parse", "evaluate"}) {
            const std::string prefix = "failed to " + std::string(verb) + " the CEL expression '" + request.expr + "': ";
            if (message.starts_with(prefix)) message.erase(0, prefix.size());
        }
        out.set("error", Node::string(message));
    };
    const auto program = Program::compile(request.expr, environment);
    if (!program) {
        put_error(program.error().message);
        return out;
    }
    const auto value = program->evaluate(ObjectBindings(data));
    if (!value) put_error(value.error().message);
    out.set("type", Node::string(describe_type(*program->result_type())));
    if (value) out.set("value", Node::string(format_value(*value)));
    return out;
}

bool depends_on_go(const Node& answer) {
    const std::string_view error = answer.text_at("error");
    for (const std::string_view text : {"_var", "panic: ", "hash of unhashable", "0x", "invalid qualifier type", "cannot initialize optional", "field type conversion error", "invalid named capture",
                                        "test only expressions must have constant"})
        if (error.find(text) != std::string_view::npos) return true;
    return false;
}

std::vector<Node> ask(const std::string& program, const std::vector<Request>& requests, const Node& data) {
    const std::string base = fs::temp_directory_path() / ("weber-cel-" + std::to_string(::getpid()));
    {
        std::ofstream file(base + ".in");
        for (const Request& r : requests) {
            Node node = Node::map({{"expr", Node::string(r.expr)}, {"data", data}});
            if (r.check) {
                node.set("compile", Node::boolean(true));
                node.set("vars", Node::list({Node::string("self"), Node::string("dep"), Node::string("data")}));
            }
            file << kube::write_json(node) << "\n";
        }
    }
    EXPECT_EQ(std::system(("'" + program + "' < " + base + ".in > " + base + ".out").c_str()), 0);
    std::vector<Node> out;
    {
        std::ifstream file(base + ".out");
        for (std::string line; std::getline(file, line);) {
            auto answer = kube::read_json(line);
            EXPECT_TRUE(answer.has_value()) << line.substr(0, 300);
            out.push_back(std::move(answer).value_or(Node()));
        }
    }
    fs::remove(base + ".in");
    fs::remove(base + ".out");
    return out;
}

std::string shown(const Node& answer) { return kube::write_json(answer); }

} // namespace weber::cel
