/*
 * Slows down guessing. See login_guard.h.
 */

#include "alertd/db/login_guard.h"

#include <stdio.h>
#include <string.h>

#include "alertd/db/access_db.h"

static bool is_current(const struct login_failures *failures, int64_t now_ms)
{
    int64_t age_ms = now_ms - failures->since_ms;

    return failures->n && age_ms >= 0 && age_ms < LOGIN_GUARD_WINDOW_MS;
}

bool login_guard_is_shut(const struct login_guard *guard, const char *peer, int64_t now_ms)
{
    for (int i = 0; i < LOGIN_GUARD_PEERS; i++)
        if (strcmp(guard->peers[i].peer, peer) == 0)
            return is_current(&guard->peers[i], now_ms) &&
                   guard->peers[i].n >= ACCESS_LOGIN_FAILURES;
    return false;
}

void login_guard_failed(struct login_guard *guard, const char *peer, int64_t now_ms)
{
    struct login_failures *slot = &guard->peers[0];

    for (int i = 0; i < LOGIN_GUARD_PEERS; i++) {
        struct login_failures *at = &guard->peers[i];

        if (strcmp(at->peer, peer) == 0) {
            slot = at;
            break;
        }
        if (at->since_ms < slot->since_ms)
            slot = at;
    }
    if (strcmp(slot->peer, peer) != 0 || !is_current(slot, now_ms)) {
        *slot = (struct login_failures){.since_ms = now_ms};
        (void)snprintf(slot->peer, sizeof(slot->peer), "%s", peer);
    }
    slot->n++;
}
