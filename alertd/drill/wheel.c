/*
 * Exercises on paper as drills of text. See wheel.h.
 */

#include "alertd/drill/wheel.h"

#include <stdio.h>
#include <string.h>

int wheel_read(const char *text,
               size_t len,
               struct json **ret_root,
               const struct json **ret_incidents,
               struct err *reterr)
{
    struct json *root = NULL;
    const struct json *list = NULL;
    int r = json_parse_upto(text, len, WHEEL_BYTES_MAX, &root, reterr);

    if (r)
        return r;
    list = root;
    if (!json_is_array(root))
        r = json_is_object(root) ? json_get_array(root, "incidents", &list, reterr)
                                 : json_wrong(root, NULL, reterr, "expected a list of incidents");
    if (!r && json_length(list) > WHEEL_INCIDENTS_MAX)
        r = json_wrong(list, NULL, reterr, "more than %d incidents", WHEEL_INCIDENTS_MAX);
    if (r) {
        json_free(root);
        return r;
    }
    *ret_root = root;
    *ret_incidents = list;
    return 0;
}

/* A text of a drill: in quotes, without what no drill may have. */
static void add_text(const char *text, struct str *out)
{
    str_addc(out, '"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            str_addc(out, '\\');
        if (c == '\n')
            str_add(out, "\\n");
        else if (c < ' ' || c == 0x7f)
            str_addc(out, ' ');
        else
            str_addc(out, *text);
    }
    str_addc(out, '"');
}

static char small(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* "07-checkout-is-slow" */
static void make_name(size_t number, const char *title, char *ret_name)
{
    size_t n = (size_t)snprintf(ret_name, WHEEL_NAME_MAX, "%02zu", number);
    bool apart = true; /* a dash comes before the next letter */

    for (; *title && n + 2 < WHEEL_NAME_MAX; title++) {
        char c = small(*title);

        if (is_letter(c) && apart)
            ret_name[n++] = '-';
        if (is_letter(c))
            ret_name[n++] = c;
        apart = !is_letter(c);
    }
    ret_name[n] = '\0';
}

int wheel_drill(
    const struct json *incident, size_t index, char *ret_name, struct str *out, struct err *reterr)
{
    const char *title = NULL, *scenario = NULL, *story = NULL;
    int r = json_get_string(incident, "title", &title, reterr);

    if (!r)
        r = json_get_string_or(incident, "scenario", "", &scenario, reterr);
    if (!r)
        r = json_get_string_or(incident, "inkstory", "", &story, reterr);
    if (!r && !*title)
        r = json_wrong(incident, "title", reterr, "it is empty");
    if (r)
        return r;
    make_name(index + 1, title, ret_name);
    str_add(out, "drill ");
    add_text(title, out);
    str_add(out, "\n    level on-call\n    teaches \"to think aloud: what do you look at, whom do "
                 "you tell, what do you do?\"\n    brief ");
    add_text(*scenario ? scenario : title, out);
    str_add(out, "\n    length 1h\n    oncall you after 1h colleague\n    at 0s note ");
    add_text(*scenario ? scenario : title, out);
    str_add(
        out,
        "\n"
        "    # on paper: the game master tells what is asked for. To have it judged, write\n"
        "    # hypothesis NAME right \"...\" accept ~\"...\"   and   action NAME mends \"...\" accept "
        "~\"...\"\n"
        "    limit tell 15m\n");
    if (*story) {
        str_add(out, "    source ");
        add_text(story, out);
        str_addc(out, '\n');
    }
    return 0;
}
