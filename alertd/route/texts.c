/*
 * The templates of a config file. See texts.h.
 */

#include "alertd/route/texts.h"

#include <string.h>

#include "alertd/template/notice.h"

static int wrong(const struct route_text *text, const struct err *err, struct err *reterr)
{
    if (err->line == 0)
        return err_at(reterr, ROUTE_E_CONFIG, text->line, text->column, "%s: %s", text->key,
                      err->text);
    return err_at(reterr, ROUTE_E_CONFIG, text->line, text->column, "%s: template %u:%u: %s",
                  text->key, err->line, err->column, err->text);
}

/* Room for one more; the old array stays behind in the arena, they are short. */
static bool make_room(struct arena *arena, struct route_texts *texts)
{
    size_t capacity = texts->capacity ? texts->capacity * 2 : 16;
    struct route_text *at;

    if (texts->n < texts->capacity)
        return true;
    at = arena_array(arena, capacity, sizeof(*at));
    if (!at)
        return false;
    if (texts->n)
        memcpy(at, texts->at, texts->n * sizeof(*at));
    texts->at = at;
    texts->capacity = capacity;
    return true;
}

int text_note(const struct field_reader *reader,
              const struct yaml_node *node,
              const char *text,
              struct err *reterr)
{
    struct route_texts *texts = reader->texts;
    struct route_text noted = {.text = text, .line = node->line, .column = node->column};
    struct tmpl *parsed = NULL;
    struct err err = {0};

    if (!strstr(text, "{{"))
        return 0;
    noted.key = field_copy(reader, node->name ? node->name : "text");
    if (!noted.key || !make_room(reader->arena, texts))
        return field_too_large(node, reterr);
    if (notice_parse(&texts->library, reader->arena, text, &parsed, &err))
        return wrong(&noted, &err, reterr);
    noted.parsed = parsed;
    texts->at[texts->n++] = noted;
    return 0;
}

const struct route_text *route_text_find(const struct route_texts *texts, const char *text)
{
    for (size_t i = 0; i < texts->n; i++)
        if (texts->at[i].text == text)
            return &texts->at[i];
    return NULL;
}

/* --- The files of `templates:` ----------------------------------------------------------- */

struct taking {
    struct route_config *config;
    struct arena *arena;
    size_t n_files, n_bytes;
};

static int take_file(void *arg, const char *path, const char *text, size_t len, struct err *reterr)
{
    struct taking *taking = arg;
    struct err err = {0};

    taking->n_bytes += len;
    if (++taking->n_files > ROUTE_TEMPLATE_FILES_MAX || taking->n_bytes > ROUTE_TEMPLATE_BYTES_MAX)
        return err_set(reterr, ROUTE_E_CONFIG,
                       "templates: more than %d files or %d KiB: name fewer of them",
                       (int)ROUTE_TEMPLATE_FILES_MAX, (int)ROUTE_TEMPLATE_BYTES_MAX / 1024);
    if (!labels_text_ok(text, len))
        return err_set(reterr, ROUTE_E_CONFIG, "%s is not UTF-8 text", path);

    const char *copy = arena_strndup(taking->arena, text, len);

    if (!copy)
        return err_set(reterr, ROUTE_E_CONFIG, "the templates are too large to hold in memory");
    if (notice_add(&taking->config->texts.library, taking->arena, path, copy, &err))
        return err_set(reterr, ROUTE_E_CONFIG, "%s:%u:%u: %s", path, err.line, err.column,
                       err.text);
    return 0;
}

/* Words about a file, at the place of `templates:`. */
static int at_templates(const struct route_config *config, struct err *reterr)
{
    if (reterr) {
        reterr->line = config->templates_line;
        reterr->column = config->templates_column;
    }
    return ROUTE_E_CONFIG;
}

static int check_names(const struct route_config *config, struct err *reterr)
{
    struct err err = {0};

    for (size_t i = 0; i < config->texts.n; i++)
        if (tmpl_check_names(config->texts.at[i].parsed, &err))
            return wrong(&config->texts.at[i], &err, reterr);
    if (tmpl_library_check_names(&config->texts.library, reterr))
        return at_templates(config, reterr);
    return 0;
}

int texts_read_files(struct route_config *config,
                     struct arena *arena,
                     route_files *files,
                     struct err *reterr)
{
    struct taking taking = {.config = config, .arena = arena};

    for (size_t i = 0; i < config->templates.n; i++)
        if (files(config->templates.at[i], NOTICE_FILE_BYTES_MAX, take_file, &taking, reterr))
            return at_templates(config, reterr);
    return check_names(config, reterr);
}
