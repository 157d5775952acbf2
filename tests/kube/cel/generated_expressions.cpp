#include "tests/kube/cel/generated_expressions.h"

#include <array>
#include <random>
#include <string_view>
#include <vector>

namespace weber::cel {

namespace {

enum class T { boolean, integer, uinteger, number, text, bytes, time, duration, ints, texts, mixed, map, option, type, count };

// $b $i $u $d $s $y (bytes) $t (time) $w (duration) $l (ints) $L (texts) $m (mixed list) $M (map) $o (optional) $T (type) $? (anything) $v (the loop's variable)
const std::vector<std::string_view>& forms(T t) {
    static const std::array<std::vector<std::string_view>, static_cast<std::size_t>(T::count)> kForms{{
        // boolean
        {"true", "false", "!$b", "$b && $b", "$b || $b", "$b ? $b : $b", "$i < $i", "$i >= $u", "$d <= $i", "$s > $s", "$y < $y", "$t < $t", "$w >= $w", "$? == $?", "$? != $?",
         "$i in $l", "$s in $L", "$s in $M", "$? in $m", "$s.contains($s)", "$s.startsWith($s)", "$s.endsWith($s)", "$s.matches($s)", "matches($s, '^[a-zé]+$')",
         "$l.exists(v, $v > $i)", "$L.all(v, $v.size() > $i)", "$l.exists_one(v, $v == $i)", "$M.exists(v, $v == $s)", "$m.all(v, $v != $?)", "has(status.list)", "has(data.$n)", "has($M.a)",
         "has(status.conditions[$i].type)", "sets.contains($l, $l)", "sets.intersects($L, $L)", "sets.equivalent($l, $l)", "$o.hasValue()", "bool($s)", "bool('true')", "data.b", "data.$n == $?",
         "status.conditions.exists(v, $v.type == $s && $v.status == $s)", "type($?) == $T", "$b == ($i > $i)", "$o.orValue($b)", "dyn($?) == $?", "$b != $b"},
        // integer
        {"0", "1", "-1", "2", "7", "9223372036854775807", "-9223372036854775808", "0x1F", "$i + $i", "$i - $i", "$i * $i", "$i / $i", "$i % $i", "-$i", "$b ? $i : $i", "size($s)", "$s.size()",
         "$L.size()", "size($M)", "size($y)", "int($u)", "int($d)", "int($s)", "int($t)", "$s.indexOf($s)", "$s.indexOf($s, $i)", "$s.lastIndexOf($s)", "$s.lastIndexOf($s, $i)", "$t.getFullYear()",
         "$t.getMonth()", "$t.getDate()", "$t.getDayOfMonth()", "$t.getDayOfWeek()", "$t.getDayOfYear()", "$t.getHours()", "$t.getMinutes()", "$t.getSeconds()", "$t.getMilliseconds()",
         "$t.getHours($z)", "$t.getDate($z)", "$t.getDayOfYear($z)", "$t.getMinutes($z)", "$t.getDayOfWeek($z)", "$t.getMonth($z)", "$t.getFullYear($z)", "$w.getHours()", "$w.getMinutes()",
         "$w.getSeconds()", "$w.getMilliseconds()", "$l[$i]", "data.n", "n", "x[$i]", "$l.first().orValue($i)", "$l.last().value()", "$o.orValue($i)", "metadata.generation", "status.observedGeneration",
         "$M[$s]", "$l[?$i].orValue($i)", "(-7)"},
        // uinteger
        {"0u", "1u", "18446744073709551615u", "0xFFu", "$u + $u", "$u - $u", "$u * $u", "$u / $u", "$u % $u", "uint($i)", "uint($d)", "uint($s)", "$b ? $u : $u"},
        // number
        {"0.0", "1.5", "-2.25", "1e300", "1e-7", "123456789.125", "$d + $d", "$d - $d", "$d * $d", "$d / $d", "-$d", "double($i)", "double($u)", "double($s)", "data.f", "$b ? $d : $d", "double('NaN')",
         "double('inf')", "1e21", "0.1"},
        // text
        {"''", "'a'", "'abc'", "'héllo wörld'", "'日本語'", "'\\U0001F600x'", "'a,b,c'", "' \\t pad\\u00a0 '", "'1'", "'-12'", "'3.5'", "'true'", "\"q'q\"", "r'\\d+'", "'''m\nl'''", "'1h2m'",
         "'2024-02-29T23:59:59.5Z'", "$s + $s", "string($i)", "string($u)", "string($d)", "string($y)", "string($t)", "string($w)", "string($b)", "$s.charAt($i)", "$s.lowerAscii()", "$s.upperAscii()",
         "$s.replace($s, $s)", "$s.replace($s, $s, $i)", "$s.reverse()", "$s.substring($i)", "$s.substring($i, $i)", "$s.trim()", "strings.quote($s)", "$L.join()", "$L.join($s)", "$L[$i]",
         "base64.encode($y)", "'%d|%s|%.2f'.format([$i, $?, $d])", "'%s'.format([$?])", "'%x %X %o %b'.format([$i, $s, $i, $i])", "'%e'.format([$d])", "'%f %%'.format([$d])", "'%b'.format([$b])",
         "'%d'.format([$u])", "'%x'.format([$y])", "'%.3e'.format([$d])", "'%s %s'.format([$m, $M])", "data.s", "metadata.name", "$b ? $s : $s", "$o.orValue($s)", "status.conditions[0].type",
         "dep.metadata.labels.a", "$s.split($s)[$i]"},
        // bytes
        {"b''", "b'abc'", "b'\\xff\\x00'", "b'é'", "$y + $y", "bytes($s)", "base64.decode($s)", "base64.decode(base64.encode($y))", "$b ? $y : $y"},
        // time
        {"timestamp('2024-02-29T23:59:59.123456789Z')", "timestamp('1969-12-31T23:59:59Z')", "timestamp('0001-01-01T00:00:00Z')", "timestamp('9999-12-31T23:59:59.999999999Z')",
         "timestamp('2023-03-26T02:30:00+02:00')", "timestamp($i)", "timestamp($s)", "$t + $w", "$w + $t", "$t - $w", "timestamp($t)", "$b ? $t : $t", "timestamp(1700000000)"},
        // duration
        {"duration('1h2m3.5s')", "duration('-1.5s')", "duration('0')", "duration('100ms')", "duration('1us')", "duration('2540400h')", "duration('1ns')", "duration($s)", "$w + $w", "$w - $w", "-$w",
         "$t - $t", "duration($w)", "$b ? $w : $w"},
        // ints
        {"[]", "[1]", "[1, 2, 3]", "[$i, $i]", "$l + $l", "$l.map(v, $v * $i)", "$l.filter(v, $v > $i)", "$l.map(v, $v != $i, $v + $i)", "x", "$b ? $l : $l", "[?$o, $i]", "$L.map(v, size($v))",
         "[[1], [2, 3]].map(v, $v.size())"},
        // texts
        {"['a']", "['b', 'a', 'b']", "[$s, $s]", "$s.split($s)", "$s.split('')", "$s.split(',', $i)", "$L + $L", "$L.filter(v, $v.contains($s))", "$L.map(v, $v + $s)", "['x', 'yy'].map(v, $v.upperAscii())",
         "$b ? $L : $L", "status.conditions.map(v, $v.status)"},
        // mixed
        {"[]", "[dyn($?), dyn($?)]", "status.list", "[1, 'a']", "[1, 2.5]", "[null]", "$l", "$L", "[[$i], [$i]]", "[$M]", "[dyn($i), dyn($s)].filter(v, $v == $?)"},
        // map
        {"{}", "{'a': 1}", "{'a': $i}", "{$s: $i}", "{1: 'a'}", "{true: $s}", "{1u: 1}", "{'a': $i, 'a': $i}", "{$i: $?}", "{?'a': $o}", "data", "self", "metadata", "status.conditions[0]", "{'a': {'b': $i}}",
         "{1.5: 2}", "{null: 1}"},
        // option
        {"optional.none()", "optional.of($?)", "optional.of($i)", "optional.ofNonZeroValue($?)", "$M.?a", "$M[?$s]", "$l[?$i]", "$M.?a.b", "status.?$n", "data.?$n", "$o.or($o)", "$o.optMap(v, $v + $i)",
         "$o.optFlatMap(v, optional.of($v))", "$l.first()", "$L.last()", "$o.?a", "self.?status.?ready", "$b ? $o : $o", "optional.of(optional.of($i))"},
        // type
        {"int", "uint", "double", "string", "bytes", "bool", "list", "map", "null_type", "type", "type($?)", "type($o)", "type($t)", "optional_type", "google.protobuf.Timestamp", "google.protobuf.Duration"},
    }};
    return kForms[static_cast<std::size_t>(t)];
}

class Generator {
public:
    explicit Generator(std::uint32_t seed) : random_(seed) {}

    std::string run() { return of(static_cast<T>(pick(static_cast<std::size_t>(T::count))), 2 + static_cast<int>(pick(3)), false); }

private:
    std::size_t pick(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }

    std::string of(T t, int depth, bool in_loop) {
        if (pick(25) == 0) t = static_cast<T>(pick(static_cast<std::size_t>(T::count)));
        const auto& all = forms(t);
        // Leaves stand first in each list; when the depth is used up only those without holes are taken.
        std::string_view form = all[pick(all.size())];
        for (int tries = 0; depth <= 0 && form.find('$') != std::string_view::npos && tries < 60; ++tries) form = all[pick(all.size())];
        return fill(form, depth - 1, in_loop);
    }

    std::string fill(std::string_view form, int depth, bool in_loop) {
        const bool loop = in_loop || form.find("(v, ") != std::string_view::npos;
        std::string out;
        for (std::size_t i = 0; i < form.size(); ++i) {
            if (form[i] != '$' || i + 1 == form.size() || form[i + 1] == '\'') {
                out += form[i];
                continue;
            }
            out += hole(form[++i], depth, loop);
        }
        return out;
    }

    std::string hole(char kind, int depth, bool in_loop) {
        static constexpr std::string_view kNames[] = {"a", "b", "n", "s", "z", "list", "conditions", "nope"};
        static constexpr std::string_view kZones[] = {"'UTC'", "'Europe/Berlin'", "'America/New_York'", "'+05:30'", "'-08:00'", "'Asia/Kathmandu'", "'Nowhere'", "''", "'02:00'", "'+5'"};
        static constexpr std::string_view kHoles = "biudsytwlLmMoT";
        if (kind == 'n') return std::string(kNames[pick(std::size(kNames))]);
        if (kind == 'z') return std::string(kZones[pick(std::size(kZones))]);
        if (kind == 'v') return "v";
        if (in_loop && pick(6) == 0) return "v";
        const T t = kind == '?' ? static_cast<T>(pick(static_cast<std::size_t>(T::count))) : static_cast<T>(kHoles.find(kind));
        if (kind == '?' && pick(8) == 0) return "null";
        const std::string inner = of(t, depth, in_loop);
        const bool simple = inner.find_first_of(" ?!-+") == std::string::npos || inner.front() == '[' || inner.front() == '{' || inner.front() == '\'';
        return simple ? inner : "(" + inner + ")";
    }

    std::mt19937 random_;
};

} // namespace

std::string generated_expression(std::uint32_t seed) { return Generator(seed).run(); }

} // namespace weber::cel
