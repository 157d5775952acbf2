// Token stream with ANTLR's error handling: what is expected, single token repairs, recovery. Error texts of CEL are the texts of ANTLR's
// default strategy, so its rules are followed state by state.
// Source: antlr4-go v4.13 error_strategy.go, cel-go parser.go (limits).
//
// Not thread-safe; lives for one parse.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <set>
#include <vector>

#include "kube/cel/lexer.h"
#include "kube/cel/source.h"

namespace weber::cel {

// A set of tokens, and whether the rule may end here.
struct Expected {
    std::uint64_t tokens = 0;
    bool rule_end = false;

    constexpr Expected() = default;
    constexpr Expected(std::initializer_list<Token> list) {
        for (const Token t : list) tokens |= 1ull << static_cast<unsigned>(t);
    }
    [[nodiscard]] constexpr bool has(Token t) const { return (tokens >> static_cast<unsigned>(t) & 1) != 0; }
    [[nodiscard]] constexpr Expected or_end() const {
        Expected e = *this;
        e.rule_end = true;
        return e;
    }
    friend constexpr Expected operator|(Expected a, const Expected& b) {
        a.tokens |= b.tokens;
        a.rule_end = a.rule_end || b.rule_end;
        return a;
    }
};

// Parsing cannot go on: too many errors, too deep. Issues say why (caught in parser.cpp, never leaves it).
struct GiveUp {};

class Recognizer {
public:
    Recognizer(const Source& source, Issues& issues) : source_(source), issues_(issues) {
        Tokens read = tokenize(source, issues);
        tokens_ = std::move(read.list);
        skipped_ = std::move(read.skipped);
        reported_ = skipped_.size();
        gave_up_ = read.gave_up;
    }

    // Too many unreadable characters: there is nothing to parse.
    [[nodiscard]] bool gave_up() const { return gave_up_; }

    [[nodiscard]] Token la(std::size_t k = 1) const { return at(k).token; }
    [[nodiscard]] const TokenAt& at(std::size_t k = 1) const { return tokens_[std::min(pos_ + k - 1, tokens_.size() - 1)]; }
    [[nodiscard]] std::size_t position() const { return pos_; }

    // Rules: entering one says which tokens may follow where it was called.
    void enter(Expected follow) { follow_.push_back(follow); }
    void leave() { follow_.pop_back(); }

    // Consumes `token`, repairing a missing or an extra one. The token, or nullptr: the rule has failed (call recover).
    // `state` names the place in the grammar, `after` is what may follow the token inside the rule.
    const TokenAt* match(int state, Token token, Expected after);
    void consume() {
        if (la() != Token::end) ++pos_;
    }
    const TokenAt* accept() { // a token known to be right
        matched();
        const TokenAt* t = &tokens_[pos_];
        consume();
        return t;
    }
    // Before a choice of `expected`. False: the rule has failed.
    bool sync(int state, Expected expected);
    // Before another turn of a loop that must go on.
    void sync_loop(Expected expected);
    // No alternative fits; the message shows the tokens from here to the `upto`th.
    void no_alternative(int state, std::size_t upto);
    // After a failed rule, still inside it: skips to a token that some caller can use.
    void recover();

private:
    void matched() {
        recovering_ = false;
        last_states_.clear();
        last_error_ = static_cast<std::size_t>(-1);
    }
    [[nodiscard]] Expected full(Expected e) const;
    [[nodiscard]] Expected recovery_set() const;
    void skip_to(Expected set, bool limited);
    bool delete_token(Expected expected);
    void unwanted(Expected expected);
    void mismatch(int state, Expected expected);
    void syntax_error(const TokenAt& token, std::string message);
    void count_attempt();
    void consume_limited();
    static std::string list(Expected e);
    [[nodiscard]] std::string shown(const TokenAt& t) const;
    [[nodiscard]] std::string readable(Offset from, Offset to) const;

    const Source& source_;
    Issues& issues_;
    std::vector<TokenAt> tokens_;
    std::vector<std::pair<Offset, Offset>> skipped_;
    std::size_t pos_ = 0;
    std::vector<Expected> follow_;
    bool recovering_ = false;
    int failed_state_ = 0;
    std::size_t last_error_ = static_cast<std::size_t>(-1);
    std::set<int> last_states_;
    int attempts_ = 0;
    int lookahead_ = 0;
    std::size_t reported_ = 0;
    bool gave_up_ = false;
    TokenAt conjured_;
};

} // namespace weber::cel
