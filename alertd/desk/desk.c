/*
 * The line protocol of a process that plays a drill. See desk.h.
 */

#include "alertd/desk/desk.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/desk/fence.h"
#include "alertd/desk/private.h"
#include "lib/base/mem.h"

bool desk_fail(struct desk_reply *reply, const char *type, const char *fmt, ...)
{
    STR_AUTO struct str words = STR_INIT(ERR_TEXT_MAX - 1);
    va_list ap;

    va_start(ap, fmt);
    str_addv(&words, fmt, ap);
    va_end(ap);
    reply->error_type = type;
    (void)err_set(&reply->err, 1, "%s", str_text(&words));
    return false;
}

/* --- Acts ------------------------------------------------------------------------------------------ */

static bool read_text(const struct json *request,
                      const char *name,
                      const char **ret_text,
                      struct desk_reply *reply)
{
    struct err err = {0};

    return json_get_string_or(request, name, NULL, ret_text, &err) == 0 ||
           desk_fail(reply, "bad_data", "%s", err.text);
}

static bool find_act(const char *name, enum drill_act_kind *ret_kind)
{
    for (int kind = DRILL_ACT_SEE; kind <= DRILL_ACT_NOTE; kind++)
        if (strcmp(drill_act_name((enum drill_act_kind)kind), name) == 0) {
            *ret_kind = (enum drill_act_kind)kind;
            return true;
        }
    return false;
}

static const char *find_inject(const char *name)
{
    for (size_t i = 0; drill_injects[i]; i++)
        if (strcmp(drill_injects[i], name) == 0)
            return drill_injects[i];
    return NULL;
}

static bool needs_words(enum drill_act_kind kind)
{
    return kind != DRILL_ACT_SEE && kind != DRILL_ACT_ACK && kind != DRILL_ACT_ESCALATE &&
           kind != DRILL_ACT_HINT;
}

/* Does it: false when there is no such act or inject. */
static bool perform(struct desk *desk, const struct json *request, struct desk_reply *reply)
{
    const char *act = NULL, *inject = NULL, *id = NULL, *text = NULL;
    enum drill_act_kind kind = DRILL_ACT_SEE;

    if (!read_text(request, "act", &act, reply) || !read_text(request, "inject", &inject, reply) ||
        !read_text(request, "id", &id, reply) || !read_text(request, "text", &text, reply))
        return false;
    if (act ? !find_act(act, &kind) : !inject || !find_inject(inject))
        return desk_fail(reply, "bad_data", "kind: '%.40s' is nothing that can be done in a drill",
                         act      ? act
                         : inject ? inject
                                  : "");
    if (act)
        (void)drill_world_act(desk->world, kind, id, text || !needs_words(kind) ? text : "");
    else
        (void)drill_world_inject(desk->world, find_inject(inject), text ? text : "");
    return true;
}

static void act(struct desk *desk, const struct json *request, struct desk_reply *reply)
{
    struct json_out out = JSON_OUT(&reply->body);
    int64_t number = 0;
    size_t n = 0;

    if (json_get_int(request, "n", &number, &reply->err) != 0) {
        reply->error_type = "bad_data";
        return;
    }
    if (number < 1 || (uint64_t)number > desk->n_acts + 1) {
        (void)desk_fail(reply, "internal", "act %lld comes behind %zu", (long long)number,
                        desk->n_acts);
        return;
    }
    if ((uint64_t)number == desk->n_acts + 1) {
        if (!perform(desk, request, reply))
            return;
        (void)drill_world_moments(desk->world, &n);
        desk->acts = mem_grow(desk->acts, &desk->acts_capacity, desk->n_acts + 1,
                              sizeof(*desk->acts));
        desk->acts[desk->n_acts++] = n - 1; /* its own moment stands behind what it led to */
    }

    const struct drill_moment *moments = drill_world_moments(desk->world, &n);
    size_t place = desk->acts[number - 1];

    desk_moment(&out, &moments[place], place, desk_sees_all(request));
}

static void advance(struct desk *desk, const struct json *request, struct desk_reply *reply)
{
    str_add(&reply->body, "{}");
}

/* --- Requests --------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    desk_op *op;
} ops[] = {
    {"advance", advance},  {"act", act},          {"state", desk_state},
    {"pages", desk_pages}, {"score", desk_score}, {"prom", desk_prom},
};

static void advance_to(struct desk *desk, const struct json *request, int64_t to_ms)
{
    int64_t heed_ms = 0;

    desk->called = false;
    if (json_get_int(request, "heed_ms", &heed_ms, NULL) == 0)
        desk->called = drill_world_advance_until_called(desk->world, heed_ms, to_ms);
    else
        drill_world_advance(desk->world, to_ms);
}

/* Time goes on first, as far as the request says. */
static void answer(struct desk *desk, const struct json *request, struct desk_reply *reply)
{
    const char *op = NULL;
    int64_t to_ms = 0;

    if (json_get_string(request, "op", &op, &reply->err) != 0 ||
        json_get_int(request, "to_ms", &to_ms, &reply->err) != 0) {
        reply->error_type = "bad_data";
        return;
    }
    if (!desk->world) {
        (void)desk_fail(reply, "internal", "nothing is loaded yet");
        return;
    }
    advance_to(desk, request, to_ms);
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
        if (strcmp(ops[i].name, op) == 0) {
            ops[i].op(desk, request, reply);
            return;
        }
    (void)desk_fail(reply, "bad_data", "no op '%.40s'", op);
}

static void write_times(const struct desk *desk, struct json_out *out)
{
    const struct drill *drill = desk->drill_case->drill;
    size_t n = 0;

    (void)drill_world_moments(desk->world, &n);
    json_kv_int(out, "now_ms", drill_world_now_ms(desk->world));
    json_kv_int(out, "length_ms", drill->length_ms);
    json_kv_int(out, "zero_ms", drill_world_zero_ms(desk->world));
    json_kv_int(out, "lead_ms", drill_world_lead_ms(desk->world));
    json_kv_int(out, "onset_ms", drill_world_onset_ms(desk->world));
    json_kv_int(out, "n_moments", (int64_t)n);
    json_kv_bool(out, "called", desk->called);
    if (drill_world_paged_ms(desk->world) != DRILL_NOT_YET)
        json_kv_int(out, "paged_ms", drill_world_paged_ms(desk->world));
}

static int send_reply(const struct desk *desk, int fd, struct desk_reply *reply)
{
    STR_AUTO struct str head = STR_INIT(DESK_HEAD_BYTES_MAX);
    struct json_out out = JSON_OUT(&head);

    if (reply->body.full)
        (void)desk_fail(reply, "too_large", "the answer is larger than %d MiB",
                        DESK_BODY_BYTES_MAX >> 20);
    json_open(&out, '{');
    json_kv_bool(&out, "ok", !reply->error_type);
    if (reply->error_type) {
        json_kv_string(&out, "type", reply->error_type);
        json_kv_string(&out, "error", reply->err.text);
        json_kv_int(&out, "line", reply->err.line);
        json_kv_int(&out, "column", reply->err.column);
    }
    if (desk->world)
        write_times(desk, &out);
    json_kv_int(&out, "bytes", reply->error_type ? 0 : (int64_t)reply->body.len);
    json_close(&out, '}');
    str_addc(&head, '\n');
    if (frame_write(fd, str_text(&head), head.len, 0, NULL) != 0)
        return 1;
    return reply->error_type ? 0
                             : frame_write(fd, str_text(&reply->body), reply->body.len, 0, NULL);
}

/* The first request; everything behind its line is read before the fence goes up, and nothing
 * of it is looked into. */
static bool take_first(struct desk *desk,
                       struct frame_reader *reader,
                       const struct json *request,
                       struct desk_reply *reply)
{
    STR_AUTO struct str bytes = STR_INIT(DESK_LOAD_BYTES_MAX);
    size_t n = 0;

    if (!desk_load_bytes(request, &n, reply))
        return false;
    if (frame_read_bytes(reader, n, &bytes, &reply->err) != 0)
        return desk_fail(reply, "bad_data", "the drill did not come whole");
    if (fence_raise(&reply->err) != 0) {
        reply->error_type = "internal";
        return false;
    }
    return desk_load(desk, request, &bytes, reply);
}

int desk_serve(int fd)
{
    MEM_AUTO struct frame_reader *reader = mem_zalloc(sizeof(*reader));
    STR_AUTO struct str line = STR_INIT(DESK_LINE_BYTES_MAX);
    struct desk desk = {0};
    int r = 0;

    reader->fd = fd;
    while (r == 0 && frame_read_line(reader, &line, NULL) == 0) {
        struct desk_reply reply = {.body = STR_INIT(DESK_BODY_BYTES_MAX)};
        struct json *request = NULL;

        if (json_parse_upto(str_text(&line), line.len, DESK_LINE_BYTES_MAX, &request, &reply.err))
            reply.error_type = "bad_data";
        else if (!desk.drill_case)
            (void)take_first(&desk, reader, request, &reply);
        else
            answer(&desk, request, &reply);
        json_free(request);
        r = send_reply(&desk, fd, &reply);
        str_done(&reply.body);
    }
    drill_world_free(desk.world);
    drill_case_free(desk.drill_case);
    free(desk.acts);
    return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
