/*
 * What a drill adds to the facts of an incident: clocks, the player's timeline beside the true
 * one, signals that were missed, what to do next. See facts.h.
 */

#include "alertd/postmortem/facts_part.h"
#include "alertd/postmortem/template.h"

enum {
    LINK_MAX = 8192
};

static void add_clocks(struct facts *facts,
                       struct fact *group,
                       const struct postmortem_drill *drill)
{
    struct fact_maker *maker = &facts->maker;
    struct fact *list = fact_list(maker, group, "clocks");

    for (size_t i = 0; i < drill->n_clocks; i++) {
        const struct postmortem_drill_clock *clock = &drill->clocks[i];
        struct fact *row = facts_row(facts, list);

        fact_text(maker, row, "name", clock->name);
        fact_text(maker, row, "yours", clock->yours);
        fact_text(maker, row, "limit", clock->limit);
        fact_text(maker, row, "standing", clock->standing);
        fact_text(maker, row, "past", clock->past);
        fact_text(maker, row, "median", clock->median);
        fact_text(maker, row, "really", clock->really);
    }
}

static void add_rows(struct facts *facts, struct fact *group, const struct postmortem_drill *drill)
{
    struct fact_maker *maker = &facts->maker;
    struct fact *list = fact_list(maker, group, "rows");

    for (size_t i = 0; i < drill->n_rows; i++) {
        struct fact *row = facts_row(facts, list);

        fact_text(maker, row, "at", drill->rows[i].at);
        fact_text(maker, row, "happened", drill->rows[i].happened);
        fact_text(maker, row, "yours", drill->rows[i].yours);
        fact_text(maker, row, "truth", drill->rows[i].truth);
    }
}

static void add_misses(struct facts *facts,
                       struct fact *group,
                       const struct postmortem_drill *drill)
{
    struct fact_maker *maker = &facts->maker;
    struct fact *list = fact_list(maker, group, "misses");

    for (size_t i = 0; i < drill->n_misses; i++) {
        const struct postmortem_drill_miss *miss = &drill->misses[i];
        struct fact *row = facts_row(facts, list);
        STR_AUTO struct str image = STR_INIT(LINK_MAX);

        if (miss->graph) {
            str_add(&image, "![");
            template_escape(facts_or_empty(miss->graph_title), &image);
            str_addf(&image, "](graph:%lld)", (long long)miss->graph);
        }
        fact_text(maker, row, "text", miss->text);
        fact_text(maker, row, "why", miss->why);
        fact_markdown(maker, row, "md", str_text(&image));
    }
}

static void add_steps(struct facts *facts, struct fact *group, const struct postmortem_drill *drill)
{
    struct fact_maker *maker = &facts->maker;
    struct fact *list = fact_list(maker, group, "steps");

    for (size_t i = 0; i < drill->n_steps; i++) {
        const struct postmortem_drill_step *step = &drill->steps[i];
        struct fact *row = facts_row(facts, list);
        STR_AUTO struct str link = STR_INIT(LINK_MAX);
        bool has_url = step->url && *step->url;

        str_add(&link, has_url ? "[" : "");
        template_escape(facts_or_empty(step->text), &link);
        if (has_url)
            str_addf(&link, "](<%s>)", step->url);
        fact_text(maker, row, "text", step->text);
        fact_markdown(maker, row, "md", str_text(&link));
    }
}

static void add_sources(struct facts *facts,
                        struct fact *group,
                        const struct postmortem_drill *drill)
{
    struct fact *list = fact_list(&facts->maker, group, "sources");

    for (size_t i = 0; i < drill->n_sources; i++) {
        struct fact *row = facts_row(facts, list);

        fact_text(&facts->maker, row, "text", drill->sources[i]);
    }
}

void facts_drill(struct facts *facts, struct fact *root)
{
    static const struct postmortem_drill none = {0};
    const struct postmortem_drill *drill = facts->input->drill ? facts->input->drill : &none;
    struct fact *group = fact_group(&facts->maker, root, "drill");

    fact_bool(&facts->maker, group, "known", facts->input->drill != NULL);
    fact_text(&facts->maker, group, "player", drill->player);
    fact_text(&facts->maker, group, "from", drill->from);
    fact_text(&facts->maker, group, "told_last", drill->told_last);
    fact_text(&facts->maker, group, "reconstructed", drill->reconstructed);
    add_sources(facts, group, drill);
    add_clocks(facts, group, drill);
    add_rows(facts, group, drill);
    add_misses(facts, group, drill);
    add_steps(facts, group, drill);
}
