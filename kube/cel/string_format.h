// 'text %s %.2f'.format([…]).
//
// Pure and thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "kube/base/error.h"
#include "kube/cel/value.h"

namespace weber::cel {

// Errors: invalid, with cel-go's text ("index 1 out of range", "could not parse formatting clause: …").
Result<std::string> format_string(std::string_view format, const List& args, Budget& budget);

// The clauses of a format for the checker: `check(index, clause)` gets each argument's index and its letter (s d f e b x X o) and answers with a
// problem ("" for none). Errors as above, with `bad_argument` set when check() found the problem.
struct FormatProblem {
    std::string message;
    bool bad_argument = false;
};
// nullopt: fine; `used` is how many arguments the format takes.
std::optional<FormatProblem> check_format(std::string_view format, std::size_t args, const std::function<std::string(std::size_t, char)>& check,
                                          std::size_t& used);

// The message for a value of a type that the clause does not take.
std::string clause_problem(char clause, std::string_view type_name);

} // namespace weber::cel
