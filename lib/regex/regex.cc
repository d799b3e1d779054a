/*
 * RE2 behind a C interface. See regex.h.
 *
 * Two things are adjusted so that the patterns people have in their Prometheus
 * rules mean here what they mean there (Go's regexp): \C is refused, which Go does
 * not know and which could cut a character in half; and (?<name>...) is rewritten
 * to (?P<name>...), which Go reads since 1.22 and this RE2 does not.
 */

#include <cctype>
#include <cstring>
#include <memory>
#include <re2/re2.h>
#include <string>
#include <vector>

extern "C" {
#include "lib/regex/regex.h"
}

#define HIDDEN extern "C" __attribute__((visibility("hidden")))

namespace
{

enum {
    PATTERN_MAX = 4096,
    PROGRAM_BYTES_MAX = 8 << 20,
};

/* One pass over the pattern outside \Q..\E and [...]: rewrites (?<name>, reports \C. */
bool adjust(const char *pattern, std::string &out)
{
    bool in_quote = false;
    bool in_class = false;

    for (const char *at = pattern; *at; at++) {
        out += *at;
        if (in_quote) {
            in_quote = std::strncmp(at, "\\E", 2) != 0;
        } else if (*at == '\\' && at[1]) {
            if (at[1] == 'C' && !in_class)
                return false;
            in_quote = at[1] == 'Q';
            out += *++at;
        } else if (in_class) {
            in_class = *at != ']';
        } else if (*at == '[') {
            in_class = true;
            if (at[1] == '^')
                out += *++at;
            if (at[1] == ']') /* right after the bracket it is a member */
                out += *++at;
        } else if (std::strncmp(at, "(?<", 3) == 0 && (std::isalpha(at[3]) || at[3] == '_')) {
            out += "?P";
            at++;
        }
    }
    return true;
}

/* One `$...` of a template, at the byte after the dollar. */
struct reference {
    std::string name;
    int number; /* -1: by name */
    const char *rest;
};

bool is_word(char c)
{
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || (c & 0x80);
}

bool read_reference(const char *at, reference &ret)
{
    bool brace = *at == '{';
    const char *name = at + brace;
    const char *end = name;

    while (is_word(*end))
        end++;
    if (end == name || (brace && *end != '}'))
        return false;
    ret.name.assign(name, end);
    ret.rest = end + brace;
    ret.number = 0;
    for (char c : ret.name) {
        if (!std::isdigit(static_cast<unsigned char>(c)) || ret.number >= 100000000) {
            ret.number = -1;
            break;
        }
        ret.number = ret.number * 10 + (c - '0');
    }
    if (ret.name.size() > 1 && ret.name[0] == '0')
        ret.number = -1;
    return true;
}

} // namespace

struct regex {
    std::unique_ptr<RE2> re;
    std::vector<std::string> names; /* of groups 1.., "" when they have none */
};

using regex_type = struct regex; /* `new struct regex{...}` would define a type */

namespace
{

using groups = std::vector<re2::StringPiece>;

void add(struct str *out, const re2::StringPiece &piece)
{
    str_addn(out, piece.data() ? piece.data() : "", piece.size());
}

/* Go: the first group of that name that took part. */
void add_named(const struct regex *regex, const groups &found, const std::string &name, str *out)
{
    for (size_t i = 0; i < regex->names.size(); i++)
        if (regex->names[i] == name && found[i + 1].data()) {
            add(out, found[i + 1]);
            return;
        }
}

/* Go's Regexp.Expand. */
void expand(const struct regex *regex,
            const groups &found,
            const char *replacement,
            struct str *out)
{
    while (const char *dollar = std::strchr(replacement, '$')) {
        reference ref;

        str_addn(out, replacement, static_cast<size_t>(dollar - replacement));
        replacement = dollar + 1;
        if (*replacement == '$') {
            str_addc(out, '$');
            replacement++;
        } else if (!read_reference(replacement, ref)) {
            str_addc(out, '$'); /* malformed: taken as it stands */
        } else {
            replacement = ref.rest;
            if (ref.number < 0)
                add_named(regex, found, ref.name, out);
            else if (static_cast<size_t>(ref.number) < found.size())
                add(out, found[static_cast<size_t>(ref.number)]);
        }
    }
    str_add(out, replacement);
}

/* Bytes of the character at text[at]. */
size_t width(const char *text, size_t at, size_t len)
{
    size_t end = at + 1;

    while (end < len && (text[end] & 0xc0) == 0x80)
        end++;
    return end - at;
}

} // namespace

HIDDEN int regex_new(const char *pattern, struct regex **ret_regex, struct err *reterr)
{
    RE2::Options options;
    std::string text;

    if (std::strlen(pattern) > PATTERN_MAX)
        return err_set(reterr, REGEX_E_LIMIT, "the regular expression is longer than %d bytes",
                       PATTERN_MAX);
    if (!adjust(pattern, text))
        return err_set(reterr, REGEX_E_SYNTAX, "invalid escape sequence: `\\C`");
    options.set_dot_nl(true);
    options.set_log_errors(false);
    options.set_max_mem(PROGRAM_BYTES_MAX);
    auto re = std::make_unique<RE2>(text, options);
    if (!re->ok())
        return err_set(
            reterr, re->error_code() == RE2::ErrorPatternTooLarge ? REGEX_E_LIMIT : REGEX_E_SYNTAX,
            "%s", re->error().c_str());
    std::vector<std::string> names(static_cast<size_t>(re->NumberOfCapturingGroups()));
    for (const auto &group : re->CapturingGroupNames())
        names[static_cast<size_t>(group.first) - 1] = group.second;
    *ret_regex = new regex_type{std::move(re), std::move(names)};
    return 0;
}

HIDDEN void regex_free(struct regex *regex)
{
    delete regex;
}

HIDDEN bool regex_matches_all(const struct regex *regex, const char *text, size_t len)
{
    return regex->re->Match({text, len}, 0, len, RE2::ANCHOR_BOTH, nullptr, 0);
}

HIDDEN bool regex_matches_within(const struct regex *regex, const char *text, size_t len)
{
    return regex->re->Match({text, len}, 0, len, RE2::UNANCHORED, nullptr, 0);
}

HIDDEN bool regex_expand(const struct regex *regex,
                         const char *text,
                         const char *replacement,
                         struct str *out)
{
    size_t len = std::strlen(text);
    groups found(regex->names.size() + 1);

    if (!regex->re->Match({text, len}, 0, len, RE2::ANCHOR_BOTH, found.data(),
                          static_cast<int>(found.size())))
        return false;
    expand(regex, found, replacement, out);
    return true;
}

/* Go's Regexp.ReplaceAllString: an empty match right behind another match does not
 * count, and after each match the search goes on by one character at least. */
HIDDEN void regex_replace_all(const struct regex *regex,
                              const char *text,
                              const char *replacement,
                              struct str *out)
{
    size_t len = std::strlen(text);
    size_t search = 0;
    size_t copied = 0;
    groups found(regex->names.size() + 1);

    while (search <= len && regex->re->Match({text, len}, search, len, RE2::UNANCHORED,
                                             found.data(), static_cast<int>(found.size()))) {
        size_t start = static_cast<size_t>(found[0].data() - text);
        size_t end = start + found[0].size();

        str_addn(out, text + copied, start - copied);
        if (end > copied || start == 0)
            expand(regex, found, replacement, out);
        copied = end;
        size_t next = search + (search < len ? width(text, search, len) : 1);
        search = next > end ? next : end;
    }
    str_addn(out, text + copied, len - copied);
}
