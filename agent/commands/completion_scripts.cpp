#include "agent/commands/completion_scripts.h"

namespace weber::agent {

namespace {

// bash splits words at "=", but for an older bash (3.2) than has arrays with negative indexes or compopt.
// NAME stands for the program's name.

constexpr std::string_view kBash = R"sh(_NAME() {
  local word line n=0 glue= directive=0 args
  args=()
  for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
    if [[ $n -gt 0 && ( $word == = || -n $glue ) && ${args[n - 1]} == -* ]]; then
      args[n - 1]+=$word
    else
      args[n]=$word
      n=$((n + 1))
    fi
    glue=
    [[ $word == = ]] && glue=yes
  done
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :* ]]; then directive=${line#:}; else COMPREPLY[${#COMPREPLY[@]}]=$line; fi
  done < <("${COMP_WORDS[0]/#\~/$HOME}" __completeNoDesc "${args[@]}" 2>/dev/null)
  [[ $directive =~ ^[0-9]+$ ]] || directive=0
  if type compopt >/dev/null 2>&1; then
    if (( directive & 5 )); then compopt +o default 2>/dev/null; fi
    if (( directive & 2 )); then compopt -o nospace 2>/dev/null; fi
  fi
}
complete -o default -F _NAME NAME
)sh";

constexpr std::string_view kZsh = R"sh(#compdef NAME
compdef _NAME NAME

_NAME() {
  local line name about directive=0 last=${words[CURRENT]}
  local -a found
  for line in ${(f)"$(${(Q)words[1]} __complete "${(@)words[2,CURRENT]}" 2>/dev/null)"}; do
    if [[ $line == :<-> ]]; then
      directive=${line#:}
      continue
    fi
    name=${line%%$'\t'*}
    about=
    [[ $line == *$'\t'* ]] && about=${line#*$'\t'}
    found+=("${name//:/\\:}${about:+:$about}")
  done
  if (( ${#found} )); then
    if [[ $last == -*=* ]]; then compset -P '*='; fi
    _describe 'NAME' found
  elif (( ! (directive & 5) )); then
    _files
  fi
}

if [ "$funcstack[1]" = "_NAME" ]; then
  _NAME
fi
)sh";

constexpr std::string_view kFish = R"sh(function __NAME_complete
  set -l words (commandline -opc)
  set -l last (commandline -ct)
  set -l prefix (string match -r -- '^-[^=]*=' "$last")
  set -l directive 0
  set -l found 0
  for line in ($words[1] __complete $words[2..-1] "$last" 2>/dev/null)
    if string match -qr '^:[0-9]+$' -- $line
      set directive (string sub -s 2 -- $line)
    else
      set found 1
      echo "$prefix$line"
    end
  end
  if test $found -eq 0; and test $directive -eq 0
    __fish_complete_path "$last"
  end
end
complete -c NAME -f -a '(__NAME_complete)'
)sh";

constexpr std::string_view kPowershell = R"sh(Register-ArgumentCompleter -Native -CommandName NAME -ScriptBlock {
  param($word, $line, $at)
  $words = @($line.CommandElements | Select-Object -Skip 1 | ForEach-Object { "$_" })
  if ($word -eq '') { $words += '""' }
  & NAME __complete @words 2>$null | Where-Object { $_ -notmatch '^:\d+$' } | ForEach-Object {
    $name, $about = $_ -split "`t", 2
    if (-not $about) { $about = $name }
    [System.Management.Automation.CompletionResult]::new($name, $name, 'ParameterValue', $about)
  }
}
)sh";

} // namespace

std::string completion_script(std::string_view shell, const std::string& program) {
    constexpr std::string_view kName = "NAME";
    std::string out(shell == "bash" ? kBash : shell == "zsh" ? kZsh : shell == "fish" ? kFish : kPowershell);
    for (std::size_t at = out.find(kName); at != std::string::npos; at = out.find(kName, at + program.size())) out.replace(at, kName.size(), program);
    return out;
}

} // namespace weber::agent
