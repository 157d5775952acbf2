// String and bytes literals to what they mean.
//
// Pure and thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "kube/base/error.h"

namespace weber::cel {

// `literal` is a whole STRING token (quotes, optional r prefix; without a b prefix), as the lexer accepts it. In bytes \x and octal escapes are bytes,
// in strings code points. Errors: invalid ("invalid unicode code point" …), texts as cel-go's.
Result<std::string> unescape(std::string_view literal, bool bytes);

} // namespace weber::cel
