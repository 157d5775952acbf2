// Random CEL expressions that mostly make sense: every function, operator and macro of Flux's environment, nested, on odd values.
#pragma once

#include <cstdint>
#include <string>

namespace weber::cel {

// The same text for the same seed. Now and then an operand has the wrong type. Not longer than a few hundred characters.
std::string generated_expression(std::uint32_t seed);

} // namespace weber::cel
