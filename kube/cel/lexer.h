// Tokens of the CEL grammar (cel-go's CEL.g4), whitespace and comments left out.
//
// Pure and thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kube/cel/source.h"

namespace weber::cel {

// In the grammar's order: sets of expected tokens are printed in it.
enum class Token : std::uint8_t {
    equals = 1, not_equals, in, less, less_equals, greater_equals, greater, logical_and, logical_or,
    l_bracket, r_bracket, l_brace, r_brace, l_paren, r_paren, dot, comma, minus, exclam, question, colon, plus, star, slash, percent,
    true_word, false_word, null_word, num_float = 31, num_int, num_uint, string, bytes, identifier, esc_identifier,
    end = 63,
};

// "'=='", "NUM_INT", "<EOF>": as error texts print it.
std::string_view token_name(Token token);

struct TokenAt {
    Token token = Token::end;
    Offset from = 0, to = 0;
};

struct Tokens {
    std::vector<TokenAt> list;                        // the last is Token::end
    std::vector<std::pair<Offset, Offset>> skipped = {}; // unreadable characters
    bool gave_up = false;                             // too many of them: the rest is not read
};

// More syntax errors than these end a compilation.
inline constexpr std::size_t kMaxSyntaxErrors = 100;

// All tokens. Unreadable characters become issues ("token recognition error at: …") and are skipped.
Tokens tokenize(const Source& source, Issues& issues);

} // namespace weber::cel
