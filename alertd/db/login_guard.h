#pragma once

/*
 * Slows down guessing: five failed logins from one peer within a minute shut it out for
 * the rest of that minute. A fixed table of peers: when it is full the one that failed
 * longest ago is forgotten, so a flood of addresses costs a flooder's attempts, not our
 * memory. Not thread-safe: its owner locks.
 */

#include <stdbool.h>
#include <stdint.h>

enum {
    LOGIN_GUARD_PEERS = 256,
    LOGIN_GUARD_WINDOW_MS = 60000,
};

struct login_guard {
    struct login_failures {
        char peer[48];
        int64_t since_ms;
        unsigned n;
    } peers[LOGIN_GUARD_PEERS];
};

bool login_guard_is_shut(const struct login_guard *guard, const char *peer, int64_t now_ms);
void login_guard_failed(struct login_guard *guard, const char *peer, int64_t now_ms);
