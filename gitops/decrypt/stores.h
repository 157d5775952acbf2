// Files as SOPS reads and writes them: YAML, JSON, dotenv, INI, binary (stores/*/store.go).
//
// Pure and thread-safe. Errors are worded as SOPS does where a user may know them, and never quote a line of the file.
#pragma once

#include <string>
#include <string_view>

#include "gitops/decrypt/metadata.h"
#include "gitops/decrypt/tree.h"

namespace weber::gitops::sops {

enum class Format : std::uint8_t { binary, dotenv, ini, json, yaml };

// "YAML", "JSON", "dotenv", "INI", "binary", as Flux words them.
std::string_view format_word(Format format);
// By suffix: .yaml .yml .json .env .ini, .dockerconfigjson (JSON); else binary.
Format format_for_path(std::string_view path);
// "yaml", "json", "dotenv", "ini", "binary" of a flag.
std::optional<Format> format_from_word(std::string_view word);
// What shows that a text is encrypted in a format (build.md 6.2).
std::string_view marker(Format format);

Result<Branches> load_plain(Format format, std::string_view text);
// `binary` reads the JSON envelope.
struct Encrypted {
    Branches branches;
    Metadata metadata;
};
Result<Encrypted> load_encrypted(Format format, std::string_view text);

// How far nested lines stand from the margin, in blanks (`stores` of .sops.yaml, --indent). YAML takes 2 to 9, and 2 for other numbers above zero; for JSON -1 is a
// tab. Other negative numbers are errors when something is written.
struct Indentation {
    int yaml = 4, json = -1, binary = -1; // binary: the JSON envelope
    friend bool operator==(const Indentation&, const Indentation&) = default;
};

Result<std::string> emit_plain(Format format, const Branches& branches, const Indentation& indentation = {});
Result<std::string> emit_encrypted(Format format, Branches branches, const Metadata& metadata, const Indentation& indentation = {});

// The single stores; see above.
Result<Branches> load_json(std::string_view text);
Result<std::string> emit_json(const Branches& branches, int indentation = Indentation().json);
Result<Branches> load_dotenv(std::string_view text);
Result<std::string> emit_dotenv(const Branches& branches);
Result<Branches> load_ini(std::string_view text);
Result<std::string> emit_ini(const Branches& branches);
Result<Branches> load_yaml(std::string_view text);
Result<std::string> emit_yaml(const Branches& branches, int indentation = Indentation().yaml);

// A leaf in a store that has only texts: floats keep a decimal digit, booleans are true and false.
std::string leaf_text(const Value& leaf);

} // namespace weber::gitops::sops
