/*
 * How far a long command is. See progress.h.
 */

#include "ctl/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/model/duration.h"

enum {
    BAR_WIDTH = 20,
    REDRAW_MS = 100,
    GUESS_AFTER_MS = 2000, /* before, the speed is a guess about a guess */
};

char *count_text(int64_t n, char *text)
{
    char digits[COUNT_TEXT_MAX];
    int len = snprintf(digits, sizeof(digits), "%lld", (long long)n);
    char *to = text;

    for (int i = 0; i < len; i++) {
        *to++ = digits[i];
        if (digits[i] != '-' && i + 1 < len && (len - i - 1) % 3 == 0)
            *to++ = ',';
    }
    *to = '\0';
    return text;
}

void progress_init(struct progress *progress, const char *what, int64_t from, int64_t to)
{
    *progress = (struct progress){
        .what = what,
        .on_terminal = isatty(STDERR_FILENO),
        .from = from,
        .to = to,
        .begun_ms = clock_mono_ms(),
        .shown_tenth = -1,
    };
}

static void show_bar(struct progress *progress, double share, const char *line)
{
    char bar[BAR_WIDTH + 1];
    int full = (int)(share * BAR_WIDTH);

    for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < full ? '#' : '-';
    bar[BAR_WIDTH] = '\0';
    (void)fputs("\r\033[?7l", stderr); /* on a narrow terminal it is cut, not wrapped */
    if (progress->to > progress->from)
        (void)fprintf(stderr, "%s  [%s]  %s", progress->what, bar, line);
    else
        (void)fprintf(stderr, "%s  %s", progress->what, line);
    (void)fputs("\033[K\033[?7h", stderr);
    (void)fflush(stderr);
    progress->is_shown = true;
}

/* ", about 2 min left" by the speed of this run; "" while nobody can say. */
static void guess_left(const struct progress *progress, int64_t now_ms, char *text, size_t size)
{
    int64_t left_ms = pace_left_ms(&progress->pace, progress->to, now_ms);
    char left[DURATION_TEXT_MAX];

    text[0] = '\0';
    if (now_ms - progress->begun_ms >= GUESS_AFTER_MS && left_ms >= 1000)
        (void)snprintf(text, size, "  about %s left", duration_human(left_ms / 1000 * 1000, left));
}

void progress_show(struct progress *progress, int64_t at, const char *where, int64_t n_samples)
{
    int64_t now_ms = clock_mono_ms();
    bool known = progress->to > progress->from;
    double share = known ? (double)(at - progress->from) / (double)(progress->to - progress->from)
                         : 0;
    char count[COUNT_TEXT_MAX];
    char left[DURATION_TEXT_MAX + 24];
    char line[256];

    pace_note(&progress->pace, at, now_ms);
    if (progress->on_terminal ? now_ms - progress->shown_ms < REDRAW_MS
                              : !known || (int)(share * 10) == progress->shown_tenth)
        return;
    progress->shown_ms = now_ms;
    progress->shown_tenth = (int)(share * 10);
    guess_left(progress, now_ms, left, sizeof(left));
    if (known)
        (void)snprintf(line, sizeof(line), "%3d %%  %s  %s samples%s", (int)(share * 100), where,
                       count_text(n_samples, count), left);
    else
        (void)snprintf(line, sizeof(line), "%s  %s samples", where, count_text(n_samples, count));
    if (progress->on_terminal)
        show_bar(progress, share, line);
    else
        (void)fprintf(stderr, "%s: %s\n", progress->what, line);
}

void progress_clear(struct progress *progress)
{
    if (progress->is_shown)
        (void)fputs("\r\033[K", stderr);
    progress->is_shown = false;
}
