/*
 * The calls about what readers of a document say: reviews, answers to questions that the
 * record left open, hints they leave as they are.
 */

#include <string.h>

#include "alertd/api/postmortem_call.h"
#include "lib/base/clock.h"

struct said {
    int64_t id;
    struct postmortem_review review;
    struct postmortem_answer_row answer;
    struct postmortem_dismissal dismissal;
    const char *who;
    int64_t now_ms;
};

/* --- POST .../reviews --- */

static int job_review(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct said *said = arg;
    int r = postmortem_review_db_add(conn, said->id, &said->review, said->now_ms, reterr);

    return r ? r : postmortem_db_touch(conn, said->id, said->who, said->now_ms, reterr);
}

static bool is_one_of(const char *word, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(word, *words) == 0)
            return true;
    return false;
}

static bool fill_review(const struct json *body, struct said *said, struct http_response *response)
{
    static const char *const verdicts[] = {"asked", "approved", "changes", "comment", NULL};
    struct postmortem_review *review = &said->review;

    if (!postmortem_text(body, "verdict", 20, &review->verdict, response) ||
        !postmortem_text(body, "reviewer", POSTMORTEM_NAME_MAX, &review->who, response) ||
        !postmortem_text(body, "section", 60, &review->section, response) ||
        !postmortem_text(body, "text", POSTMORTEM_NOTE_MAX, &review->text, response))
        return false;
    if (!review->verdict || !is_one_of(review->verdict, verdicts)) {
        http_fail(response, "bad_data", "verdict: expected asked, approved, changes or comment");
        return false;
    }
    bool asks = strcmp(review->verdict, "asked") == 0;

    if (asks != (review->who && *review->who)) {
        http_fail(response, "bad_data",
                  "reviewer: name whom you ask; a verdict is one's own and has none");
        return false;
    }
    if (!asks)
        review->who = said->who;
    review->section = review->section ? review->section : "";
    review->text = review->text ? review->text : "";
    return true;
}

static void handle_review(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    static const char *const known[] = {"verdict", "reviewer", "section", "text", NULL};
    struct said said = {.who = request->who.name, .now_ms = clock_wall_ms()};
    struct json *body = NULL;

    if (!postmortem_id(request->path_args[0], "", &said.id, response))
        return;
    if (postmortem_body(request, known, &body, response) && fill_review(body, &said, response))
        postmortem_change(context, said.id, job_review, &said, response);
    json_free(body);
}

/* --- POST .../answers --- */

static int job_answer(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct said *said = arg;
    ARENA_AUTO struct arena arena;
    struct postmortem_row row;

    arena_init(&arena, 1024 * 1024);
    int r = postmortem_db_get(conn, said->id, &arena, &row, reterr);

    if (!r && postmortem_is_frozen(&row))
        r = err_set(reterr, POSTMORTEM_DB_E_PUBLISHED,
                    "it is published: set it back to draft to change it");
    if (!r)
        r = postmortem_answer_db_set(conn, said->id, &said->answer, reterr);
    return r ? r : postmortem_db_touch(conn, said->id, said->who, said->now_ms, reterr);
}

static void handle_answer(void *context,
                          struct http_request *request,
                          struct http_response *response)
{
    static const char *const known[] = {"question", "answer", NULL};
    struct said said = {.who = request->who.name, .now_ms = clock_wall_ms()};
    struct json *body = NULL;

    if (!postmortem_id(request->path_args[0], "", &said.id, response))
        return;
    bool fine = postmortem_body(request, known, &body, response) &&
                postmortem_text(body, "question", 2000, &said.answer.question, response) &&
                postmortem_text(body, "answer", POSTMORTEM_NOTE_MAX, &said.answer.answer, response);

    if (fine && (!said.answer.question || !*said.answer.question || !said.answer.answer)) {
        http_fail(response, "bad_data", "expected question, in its own words, and answer");
        fine = false;
    }
    said.answer.answered_by = said.who;
    said.answer.at_ms = said.now_ms;
    if (fine)
        postmortem_change(context, said.id, job_answer, &said, response);
    json_free(body);
}

/* --- POST .../hints/dismiss --- */

static int job_dismiss(struct db_conn *conn, void *arg, struct err *reterr)
{
    struct said *said = arg;

    return postmortem_hint_db_dismiss(conn, said->id, &said->dismissal, said->who, said->now_ms,
                                      reterr);
}

static void handle_dismiss(void *context,
                           struct http_request *request,
                           struct http_response *response)
{
    static const char *const known[] = {"section", "phrase", NULL};
    struct said said = {.who = request->who.name, .now_ms = clock_wall_ms()};
    struct json *body = NULL;

    if (!postmortem_id(request->path_args[0], "", &said.id, response))
        return;
    bool fine = postmortem_body(request, known, &body, response) &&
                postmortem_text(body, "section", 60, &said.dismissal.section, response) &&
                postmortem_text(body, "phrase", 60, &said.dismissal.phrase, response);

    if (fine && (!said.dismissal.section || !said.dismissal.phrase)) {
        http_fail(response, "bad_data", "expected section and phrase");
        fine = false;
    }
    if (fine)
        postmortem_change(context, said.id, job_dismiss, &said, response);
    json_free(body);
}

static const struct http_route routes[] = {
    {"POST", POSTMORTEMS_PATH "/{id}/reviews", HTTP_SCOPE_OPERATE, 0, handle_review,
     "ask somebody to review, or say one's own verdict"},
    {"POST", POSTMORTEMS_PATH "/{id}/answers", HTTP_SCOPE_OPERATE, 0, handle_answer,
     "answer a question that the record left open"},
    {"POST", POSTMORTEMS_PATH "/{id}/hints/dismiss", HTTP_SCOPE_OPERATE, 0, handle_dismiss,
     "leave a phrase as it is"},
};

const struct api_table api_postmortem_reviews_routes = {routes, sizeof(routes) / sizeof(routes[0])};
