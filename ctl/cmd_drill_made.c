/*
 * alertctl drill from-incident and import-wheel: drills that are made of something else.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "alertd/drill/wheel.h"
#include "ctl/client.h"
#include "ctl/drill.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"

/* The folder is made when it is not there; a file in it is never written over. */
static enum ctl_exit write_file(const struct ctl *ctl,
                                const char *folder,
                                const char *name,
                                const char *text)
{
    STR_AUTO struct str path = STR_INIT(DRILL_PATH_MAX);

    if (strchr(name, '/') || name[0] == '.')
        return ctl_fail(ctl, "alertd sent a file called '%s'", name);
    str_addf(&path, "%s/%s", folder, name);

    FILE *file = fopen(str_text(&path), "wxe");

    if (!file)
        return ctl_fail(ctl, "%s: %s", str_text(&path),
                        errno == EEXIST ? "there is such a file already" : "it can't be written");

    bool ok = fputs(text, file) >= 0;

    ok &= fclose(file) == 0;
    return ok ? CTL_OK : ctl_fail(ctl, "%s: it could not be written", str_text(&path));
}

static enum ctl_exit make_folder(const struct ctl *ctl, const char *folder)
{
    if (mkdir(folder, 0755) == 0 || errno == EEXIST)
        return CTL_OK;
    return ctl_fail(ctl, "%s: the folder can't be made", folder);
}

/* --- from-incident ---------------------------------------------------------------------------------------- */

static enum ctl_exit write_files(const struct ctl *ctl, const struct json *root, const char *folder)
{
    const struct json *files = NULL;
    enum ctl_exit r = make_folder(ctl, folder);

    (void)json_get_array(root, "files", &files, NULL);
    for (size_t i = 0; r == CTL_OK && files && i < json_length(files); i++) {
        const char *name = NULL, *text = NULL;

        if (json_get_string(json_at(files, i), "name", &name, NULL) ||
            json_get_string(json_at(files, i), "text", &text, NULL))
            return ctl_fail(ctl, "alertd's answer is none");
        r = write_file(ctl, folder, name, text);
    }
    return r;
}

/* What of that day does not come again, and what is doubtful: to be looked at. */
static enum ctl_exit tell_doubts(const struct json *root)
{
    const struct json *list = NULL;
    size_t n = 0;

    (void)json_get_array(root, "failures", &list, NULL);
    for (size_t i = 0; list && i < json_length(list); i++, n++)
        (void)printf("not as it was: %s\n", json_text(json_at(list, i)));
    list = NULL;
    (void)json_get_array(root, "findings", &list, NULL);
    for (size_t i = 0; list && i < json_length(list); i++, n++) {
        const char *text = "";
        int64_t line = 0;

        (void)json_get_string(json_at(list, i), "text", &text, NULL);
        (void)json_get_int(json_at(list, i), "line", &line, NULL);
        (void)printf("line %lld: %s\n", (long long)line, text);
    }
    return n ? CTL_FINDINGS : CTL_OK;
}

enum ctl_exit cmd_drill_from_incident(struct ctl *ctl)
{
    STR_AUTO struct str path = STR_INIT(1024);
    const char *folder = ctl_option(ctl, "output");
    struct json *root = NULL;

    str_add(&path, "/api/alertd/v1/incidents/");
    add_encoded(&path, ctl->arguments[0]);
    str_addf(&path, "/drill%s", ctl_option(ctl, "scrub-hosts") ? "?scrub=hosts" : "");

    const char *method = folder ? "GET" : "POST";
    enum ctl_exit r = CTL_OK;
    MEM_AUTO char *body = NULL;
    struct err err = {0};

    r = call_text(ctl, &(struct call){.method = method, .path = str_text(&path)}, &body);
    if (r != CTL_OK)
        return r;
    if (json_parse_upto(body, strlen(body), CALL_REPLY_MAX, &root, &err) != 0)
        return ctl_fail(ctl, "alertd's answer: %s", err.text);
    if (folder)
        r = write_files(ctl, root, folder);
    if (r == CTL_OK && ctl->json)
        (void)puts(body);
    if (r == CTL_OK && !ctl->json) {
        const char *name = "";

        (void)json_get_string(root, "name", &name, NULL);
        if (folder)
            (void)printf("alertctl drill run --headless %s/drill.drill\n", folder);
        else
            (void)printf("%s is in the library\n", name);
        r = tell_doubts(root);
    }
    json_free(root);
    return r;
}

/* --- import-wheel ------------------------------------------------------------------------------------------- */

static enum ctl_exit import_all(const struct ctl *ctl, const struct json *list, const char *folder)
{
    enum ctl_exit r = make_folder(ctl, folder);

    for (size_t i = 0; r == CTL_OK && i < json_length(list); i++) {
        STR_AUTO struct str text = STR_INIT(DRILL_BYTES_MAX);
        STR_AUTO struct str file = STR_INIT(WHEEL_NAME_MAX + 10);
        char name[WHEEL_NAME_MAX];
        struct err err = {0};

        if (wheel_drill(json_at(list, i), i, name, &text, &err) != 0)
            return ctl_fail(ctl, "%s: incident %zu: %s", ctl->arguments[0], i + 1, err.text);
        if (text.full)
            return ctl_fail(ctl, "%s: incident %zu is longer than a drill may be",
                            ctl->arguments[0], i + 1);
        str_addf(&file, "%s.drill", name);
        r = write_file(ctl, folder, str_text(&file), str_text(&text));
        if (r == CTL_OK)
            (void)printf("%s/%s\n", folder, str_text(&file));
    }
    return r;
}

enum ctl_exit cmd_drill_import_wheel(struct ctl *ctl)
{
    const char *folder = ctl_option(ctl, "output");
    const struct json *list = NULL;
    struct json *root = NULL;
    MEM_AUTO char *text = NULL;
    struct err err = {0};
    size_t len = 0;

    if (fs_read(ctl->arguments[0], WHEEL_BYTES_MAX, &text, &len, &err) != 0)
        return ctl_fail(ctl, "%s", err.text);
    if (wheel_read(text, len, &root, &list, &err) != 0)
        return err.line ? ctl_fail(ctl, "%s:%u:%u: %s", ctl->arguments[0], err.line, err.column,
                                   err.text)
                        : ctl_fail(ctl, "%s: %s", ctl->arguments[0], err.text);

    enum ctl_exit r = import_all(ctl, list, folder ? folder : ".");

    json_free(root);
    return r;
}
