#include "kube/cel/recognizer.h"

namespace weber::cel {

namespace {

constexpr int kMaxRecoveries = 30;
constexpr int kMaxRecoveryLookahead = 256;

} // namespace

Expected Recognizer::full(Expected e) const {
    for (std::size_t i = follow_.size(); e.rule_end && i > 0; --i) {
        e.rule_end = false;
        e = e | follow_[i - 1];
    }
    return e;
}

Expected Recognizer::recovery_set() const {
    Expected set;
    for (const Expected& f : follow_) set = set | f;
    set.rule_end = false;
    return set;
}

std::string Recognizer::list(Expected e) {
    std::string out;
    int count = 0;
    if (e.has(Token::end)) {
        out = "<EOF>";
        ++count;
    }
    for (unsigned t = 1; t < 63; ++t) {
        if (!e.has(static_cast<Token>(t))) continue;
        out += (count++ != 0 ? ", " : "") + std::string(token_name(static_cast<Token>(t)));
    }
    return count > 1 ? "{" + out + "}" : out;
}

// The text without the characters that made no token.
std::string Recognizer::readable(Offset from, Offset to) const {
    std::string out;
    for (const auto& [first, last] : skipped_) {
        if (last <= from || first >= to) continue;
        out += source_.text(from, first);
        from = last;
    }
    return out + source_.text(from, to);
}

std::string Recognizer::shown(const TokenAt& t) const {
    const std::string text = t.token == Token::end ? "<EOF>" : readable(t.from, t.to);
    std::string out = "'";
    for (const char c : text) {
        if (c == '\t') out += "\\t";
        else if (c == '\n') out += "\\n";
        else if (c == '\r') out += "\\r";
        else out += c;
    }
    return out + "'";
}

void Recognizer::syntax_error(const TokenAt& token, std::string message) {
    if (reported_++ >= kMaxSyntaxErrors) {
        issues_.report(token.from, "Syntax error: More than " + std::to_string(kMaxSyntaxErrors) + " syntax errors");
        throw GiveUp{};
    }
    issues_.report(token.from, "Syntax error: " + std::move(message));
}

void Recognizer::count_attempt() {
    if (attempts_++ == kMaxRecoveries) {
        // cel-go reports this one without a place; ANTLR makes it the current token's.
        syntax_error(at(), "error recovery attempt limit exceeded: " + std::to_string(kMaxRecoveries));
        throw GiveUp{};
    }
    lookahead_ = 0;
}

void Recognizer::consume_limited() {
    if (lookahead_++ >= kMaxRecoveryLookahead) {
        issues_.report(kNowhere, "error recovery token lookahead limit exceeded: " + std::to_string(kMaxRecoveryLookahead));
        throw GiveUp{};
    }
    consume();
}

const TokenAt* Recognizer::match(int state, Token token, Expected after) {
    if (la() == token) return accept();
    count_attempt();
    const Expected expected{token};
    if (delete_token(expected)) {
        const TokenAt* t = &tokens_[pos_];
        consume_limited();
        return t;
    }
    if (full(after).has(la())) {
        if (!recovering_) {
            recovering_ = true;
            syntax_error(at(), "missing " + list(expected) + " at " + shown(at()));
        }
        conjured_ = {token, at().from, at().from};
        return &conjured_;
    }
    mismatch(state, expected);
    return nullptr;
}

bool Recognizer::delete_token(Expected expected) {
    if (!full(expected).has(la(2))) return false;
    unwanted(expected);
    consume();
    matched();
    return true;
}

void Recognizer::unwanted(Expected expected) {
    if (recovering_) return;
    recovering_ = true;
    syntax_error(at(), "extraneous input " + shown(at()) + " expecting " + list(full(expected)));
}

void Recognizer::mismatch(int state, Expected expected) {
    failed_state_ = state;
    if (recovering_) return;
    recovering_ = true;
    syntax_error(at(), "mismatched input " + shown(at()) + " expecting " + list(full(expected)));
}

bool Recognizer::sync(int state, Expected expected) {
    if (recovering_ || expected.rule_end || expected.has(la())) return true;
    if (delete_token(expected)) return true;
    mismatch(state, expected);
    return false;
}

void Recognizer::sync_loop(Expected expected) {
    if (recovering_ || expected.rule_end || expected.has(la())) return;
    unwanted(expected);
    skip_to(full(expected) | recovery_set(), false);
}

void Recognizer::no_alternative(int state, std::size_t upto) {
    failed_state_ = state;
    if (recovering_) return;
    recovering_ = true;
    std::string input = "'<EOF>'";
    if (la() != Token::end) {
        const TokenAt& last = at(upto);
        const Offset to = last.token == Token::end ? static_cast<Offset>(source_.points().size()) : last.to;
        input = shown({Token::string, at().from, to});
    }
    const TokenAt& last = at(upto);
    // cel-go keeps an older wording where a word of the language stands in place of a field's name.
    for (const std::string_view word : {"true", "false", "null"})
        if (input.size() == word.size() + 3 && input.substr(2, word.size()) == word)
            return syntax_error(last, "mismatched input '" + std::string(word) + "' expecting IDENTIFIER");
    syntax_error(last, "no viable alternative at input " + input);
}

void Recognizer::recover() {
    count_attempt();
    if (last_error_ == pos_ && last_states_.contains(failed_state_)) consume_limited();
    last_error_ = pos_;
    last_states_.insert(failed_state_);
    skip_to(recovery_set(), true);
}

void Recognizer::skip_to(Expected set, bool limited) {
    while (la() != Token::end && !set.has(la())) limited ? consume_limited() : consume();
}

} // namespace weber::cel
