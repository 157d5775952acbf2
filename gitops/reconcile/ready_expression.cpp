#include "gitops/reconcile/ready_expression.h"

#include "kube/cel/program.h"

namespace weber::gitops {

Result<bool> evaluate_ready_expression(const std::string& expression, const Object& self, const Object& dependency) {
    const cel::TypePtr fields = cel::types::map(cel::types::string(), cel::types::dyn());
    const cel::Environment environment{.variables = {{"self", fields}, {"dep", fields}}, .result = cel::types::boolean()};
    TRY(const cel::Program program, cel::Program::compile(expression, environment));
    auto ready = program.evaluate_bool(
        cel::MapBindings{{"self", cel::Value::from_node(self.root())}, {"dep", cel::Value::from_node(dependency.root())}});
    if (!ready) ready.error().code = ErrorCode::unavailable;
    return ready;
}

} // namespace weber::gitops
