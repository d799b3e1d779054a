/*
 * Sections of a template, and of a document. See section.h.
 */

#include "alertd/postmortem/section.h"

#include <string.h>

#include "alertd/postmortem/facts.h"

#define OPENING "{{! section "

struct cutter {
    struct arena *arena;
    const struct template_file *file;
    struct section *sections;
    size_t n;
    struct err *reterr;
};

static int fail_at(const struct cutter *cutter, unsigned line, const char *words)
{
    return err_at(cutter->reterr, SECTION_E_SYNTAX, line, 1, "%s", words);
}

static unsigned line_of(const char *text, const char *at)
{
    unsigned line = 1;

    for (; text < at; text++)
        line += *text == '\n';
    return line;
}

/* The next section header at the start of a line; NULL when there is none. */
static const char *next_header(const char *text, const char *from)
{
    for (const char *at = strstr(from, OPENING); at; at = strstr(at + 1, OPENING))
        if (at == text || at[-1] == '\n')
            return at;
    return NULL;
}

static bool id_is_fine(const char *id, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!((id[i] >= 'a' && id[i] <= 'z') || (id[i] >= '0' && id[i] <= '9') || id[i] == '-'))
            return false;
    return len > 0 && len <= SECTION_ID_MAX;
}

static bool word_is(const char *word, size_t len, const char *wanted)
{
    return strlen(wanted) == len && memcmp(word, wanted, len) == 0;
}

/* One of `id=impact`, `mode=human`, `required`. */
static int take_word(
    struct cutter *cutter, struct section *section, const char *word, size_t len, unsigned line)
{
    if (len > 3 && memcmp(word, "id=", 3) == 0) {
        if (!id_is_fine(word + 3, len - 3))
            return fail_at(cutter, line, "id: expected a-z, 0-9 and -, at most 40");
        section->id = arena_strndup(cutter->arena, word + 3, len - 3);
        return section->id ? 0 : err_set(cutter->reterr, SECTION_E_LIMIT, "too large");
    }
    if (word_is(word, len, "mode=generated"))
        section->is_generated = true;
    else if (word_is(word, len, "required"))
        section->required = true;
    else if (!word_is(word, len, "mode=human"))
        return fail_at(cutter, line,
                       "a section header has id=..., mode=generated or mode=human, required");
    return 0;
}

static int read_header(struct cutter *cutter,
                       struct section *section,
                       const char *from,
                       const char *end,
                       unsigned line)
{
    for (const char *at = from; at < end;) {
        size_t blanks = strspn(at, " \t");
        size_t len = strcspn(at + blanks, " \t}");

        at += blanks;
        if (at >= end || !len)
            break;
        int r = take_word(cutter, section, at, len, line);

        if (r)
            return r;
        at += len;
    }
    if (!section->id)
        return fail_at(cutter, line, "a section header without id=");
    for (size_t i = 0; i < cutter->n; i++)
        if (strcmp(cutter->sections[i].id, section->id) == 0)
            return fail_at(cutter, line, "this id is taken by a section above");
    if (section->is_generated && section->required)
        return fail_at(cutter, line, "required is for mode=human: facts are always there");
    return 0;
}

/* Takes "## Words" off the front of a section's text. */
static int take_title(struct cutter *cutter, struct section *section, const char *end)
{
    const char *at = section->part.text;
    unsigned line = section->part.line;

    for (; *at == '\n' || *at == '\r' || *at == ' '; at++)
        line += *at == '\n';
    section->title = "";
    if (strncmp(at, "## ", 3) != 0 || at >= end)
        return 0;
    size_t len = strcspn(at, "\r\n");

    if (len - 3 > SECTION_TITLE_MAX || memchr(at, '{', len))
        return fail_at(cutter, line, "a section's heading is plain words, at most 120");
    section->title = arena_strndup(cutter->arena, at + 3, len - 3);
    at += len;
    section->part.line = line;
    section->part.text = at;
    return section->title ? 0 : err_set(cutter->reterr, SECTION_E_LIMIT, "too large");
}

/* [text, end) of the file, into the arena. */
static int take_text(struct cutter *cutter,
                     struct section *section,
                     const char *text,
                     const char *end)
{
    section->part.file = cutter->file->name;
    section->part.text = arena_strndup(cutter->arena, text, (size_t)(end - text));
    section->part.line = line_of(cutter->file->text, text);
    return section->part.text ? 0 : err_set(cutter->reterr, SECTION_E_LIMIT, "too large");
}

static int add_section(struct cutter *cutter, const char *header, const char *end)
{
    const char *close = strstr(header, "}}");
    unsigned line = line_of(cutter->file->text, header);
    struct section *section = &cutter->sections[cutter->n];

    *section = (struct section){0};
    if (!close || close > end)
        return fail_at(cutter, line, "a section header without its closing braces");
    int r = cutter->n == SECTION_MAX ? fail_at(cutter, line, "more than 40 sections") : 0;

    if (!r)
        r = read_header(cutter, section, header + sizeof(OPENING) - 1, close, line);
    if (!r)
        r = take_text(cutter, section, close + 2, end);
    if (!r)
        r = take_title(cutter, section, section->part.text + strlen(section->part.text));
    cutter->n += r == 0;
    return r;
}

static int add_head(struct cutter *cutter, const char *end)
{
    struct section *section = &cutter->sections[cutter->n++];

    *section = (struct section){.id = SECTION_HEAD, .title = "", .is_generated = true};
    return take_text(cutter, section, cutter->file->text, end);
}

int section_split(struct arena *arena,
                  const struct template_file *file,
                  struct section **ret_sections,
                  size_t *ret_n,
                  struct err *reterr)
{
    struct cutter cutter = {
        .arena = arena,
        .file = file,
        .sections = arena_array(arena, SECTION_MAX + 1, sizeof(struct section)),
        .reterr = reterr,
    };
    const char *header = next_header(file->text, file->text);
    int r = 0;

    if (!cutter.sections)
        return err_set(reterr, SECTION_E_LIMIT, "%s is too large", file->name);
    if (!header) {
        cutter.sections[cutter.n++] = (struct section){
            .id = SECTION_WHOLE, .title = "", .whole = true, .part = {file->name, file->text, 1}};
    } else if (header != file->text) {
        r = add_head(&cutter, header);
    }
    while (!r && header) {
        const char *next = next_header(file->text, header + 1);

        r = add_section(&cutter, header, next ? next : header + strlen(header));
        header = next;
    }
    if (r)
        return r;
    *ret_sections = cutter.sections;
    *ret_n = cutter.n;
    return 0;
}

int section_render(struct arena *arena,
                   const struct template_set *set,
                   const struct section *section,
                   const struct fact *facts,
                   struct str *out,
                   struct str *asks,
                   struct err *reterr)
{
    struct template *template;
    int r = template_parse_part(arena, set, &section->part, &template, reterr);

    if (r)
        return r;
    return section->whole ? template_render(template, facts, asks, reterr)
                          : template_render_apart(template, facts, out, asks, reterr);
}

int section_lint(struct arena *arena,
                 const struct template_set *set,
                 const struct template_file *file,
                 struct err *reterr)
{
    const struct fact *example = NULL;
    struct section *sections;
    size_t n;
    int r = postmortem_facts_example(arena, &example, reterr);

    if (!r)
        r = section_split(arena, file, &sections, &n, reterr);
    for (size_t i = 0; !r && i < n; i++) {
        STR_AUTO struct str out = STR_INIT(SECTION_GENERATED_MAX);
        STR_AUTO struct str asks = STR_INIT(SECTION_GENERATED_MAX);
        struct template *template;

        r = template_parse_part(arena, set, &sections[i].part, &template, reterr);
        if (!r)
            r = template_check(template, example, reterr);
        if (!r)
            r = section_render(arena, set, &sections[i], example, &out, &asks, reterr);
        if (!r && sections[i].is_generated && asks.len)
            r = err_at(reterr, SECTION_E_SYNTAX, sections[i].part.line, 1,
                       "section %s is mode=generated and has a prompt", sections[i].id);
    }
    return r;
}

/* --- sections of a document --- */

/* Without blank lines around, and with one at most between paragraphs: what vanished from a
 * template leaves more. Fenced code keeps its own. */
static void add_trimmed(const char *text, struct str *out)
{
    bool fenced = false;
    unsigned empty = 0;
    bool begun = false;

    while (*text) {
        size_t len = strcspn(text, "\n");
        bool blank = strspn(text, " \t\r") >= len;

        fenced ^= strncmp(text, "```", 3) == 0;
        if (blank && !fenced) {
            empty++;
        } else {
            if (begun && empty)
                str_addc(out, '\n');
            str_addn(out, text, len);
            str_addc(out, '\n');
            begun = true;
            empty = 0;
        }
        text += len + (text[len] == '\n');
    }
}

void section_join(const char *title, const char *generated, const char *body, struct str *out)
{
    size_t before = out->len;

    if (before)
        str_addc(out, '\n');
    if (*title)
        str_addf(out, "## %s\n\n", title);
    size_t begin = out->len;

    add_trimmed(generated, out);
    size_t facts_end = out->len;

    if (facts_end > begin)
        str_addc(out, '\n');
    size_t words = out->len;

    add_trimmed(body, out);
    if (out->full)
        return;
    if (out->len == words && facts_end > begin)
        str_cut(out, facts_end);
    else if (out->len == begin)
        str_cut(out, before);
}

size_t section_open_prompts(const char *body)
{
    size_t n = 0;

    for (const char *at = body; at; at = strchr(at, '\n'), at = at ? at + 1 : NULL)
        n += strncmp(at, TEMPLATE_PROMPT, sizeof(TEMPLATE_PROMPT) - 1) == 0;
    return n;
}

bool section_is_unwritten(const char *body)
{
    for (const char *at = body; at && *at; at = strchr(at, '\n'), at = at ? at + 1 : NULL) {
        size_t len = strcspn(at, "\n");

        if (strncmp(at, TEMPLATE_PROMPT, sizeof(TEMPLATE_PROMPT) - 1) == 0)
            continue;
        if (strspn(at, " \t\r") < len)
            return false;
    }
    return true;
}
