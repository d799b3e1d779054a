/*
 * Is what somebody wrote one of the things a drill accepts?
 */

#include <ctype.h>
#include <string.h>

#include "alertd/drill/drill.h"

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t\n");
}

/* The next letter of a text, small, where any blanks are one: and where it goes on. */
static int letter(const char **at)
{
    const char *behind = skip_blanks(*at);
    int c = tolower((unsigned char)**at);

    if (behind == *at) {
        *at += c != 0;
        return c;
    }
    *at = behind;
    return *behind ? ' ' : 0; /* none at the end */
}

static bool same_words(const char *a, const char *b)
{
    int x, y;

    a = skip_blanks(a);
    b = skip_blanks(b);
    do {
        x = letter(&a);
        y = letter(&b);
    } while (x == y && x != 0);
    return x == y;
}

bool drill_accepts(const struct drill_accept *accepts, size_t n, const char *said)
{
    for (size_t i = 0; i < n; i++)
        if (accepts[i].regex ? regex_matches_within(accepts[i].regex, said, strlen(said))
                             : same_words(accepts[i].words, said))
            return true;
    return false;
}

static const struct drill_idea *find(const struct drill_idea *ideas,
                                     size_t n,
                                     const char *said,
                                     bool bad)
{
    for (size_t i = 0; i < n; i++) {
        bool is_bad = ideas[i].worth != DRILL_WORTH_RIGHT && ideas[i].worth != DRILL_WORTH_RELEVANT;

        if (is_bad == bad && (same_words(ideas[i].id, said) || same_words(ideas[i].text, said) ||
                              drill_accepts(ideas[i].accepts, ideas[i].n_accepts, said)))
            return &ideas[i];
    }
    return NULL;
}

const struct drill_idea *drill_idea_find(const struct drill_idea *ideas, size_t n, const char *said)
{
    const struct drill_idea *idea = find(ideas, n, said, true);

    return idea ? idea : find(ideas, n, said, false);
}

const struct drill_player *drill_player_find(const struct drill *drill, const char *name)
{
    for (size_t i = 0; i < drill->n_players; i++)
        if (strcmp(drill->players[i].name, name) == 0)
            return &drill->players[i];
    return NULL;
}

const char *drill_you(const struct drill *drill)
{
    return drill->n_steps ? drill->steps[0].person : "you";
}
