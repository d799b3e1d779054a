/*
 * The phone page's secret: whoever holds it may acknowledge and note one incident.
 *
 *   token = base64url( BLAKE2b-192( key of this installation, incident ) )
 *   row   = BLAKE2b-256( token ) -> incident
 *
 * The key is a file beside the database (app/loop_notify.c), so neither the database nor
 * a backup of it holds anything a page can be acknowledged with. The same incident has
 * the same token in all its pages. It ends a week after the incident does.
 */

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/db/incident_db.h"
#include "alertd/db/link_private.h"
#include "alertd/db/outbox_db.h"
#include "alertd/db/rows.h"
#include "lib/base/fs.h"

enum {
    TOKEN_BYTES = 24,
};

int ack_link_db_key(const char *path,
                    unsigned char ret_key[OUTBOX_ACK_KEY_BYTES],
                    struct err *reterr)
{
    unsigned char key[OUTBOX_ACK_KEY_BYTES];
    char *kept = NULL;
    size_t len = 0;
    int r = fs_read(path, OUTBOX_ACK_KEY_BYTES, &kept, &len, reterr);

    if (r == 0 && len == OUTBOX_ACK_KEY_BYTES)
        memcpy(ret_key, kept, OUTBOX_ACK_KEY_BYTES);
    else if (r == 0)
        r = err_set(reterr, -EINVAL, "%s: holds %zu bytes, not %d: remove it", path, len,
                    OUTBOX_ACK_KEY_BYTES);
    free(kept);
    if (r != -ENOENT)
        return r;
    randombytes_buf(key, sizeof(key));
    r = fs_replace(path, key, sizeof(key), 0600, reterr);
    if (r == 0)
        memcpy(ret_key, key, sizeof(key));
    return r;
}

static void hash_token(const char *token, unsigned char *ret_hash)
{
    (void)crypto_generichash(ret_hash, LINK_HASH_BYTES, (const unsigned char *)token, strlen(token),
                             NULL, 0);
}

void link_token(const char *what,
                int64_t id,
                const unsigned char *ack_key,
                char *ret_token,
                unsigned char ret_hash[LINK_HASH_BYTES])
{
    unsigned char secret[TOKEN_BYTES];
    char name[ROWS_SOURCE_MAX];

    (void)rows_source(name, what, id);
    (void)crypto_generichash(secret, sizeof(secret), (const unsigned char *)name, strlen(name),
                             ack_key, OUTBOX_ACK_KEY_BYTES);
    (void)sodium_bin2base64(ret_token, OUTBOX_ACK_TOKEN_MAX, secret, sizeof(secret),
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    hash_token(ret_token, ret_hash);
}

int link_find(struct db_stmt *stmt,
              const char *token,
              int64_t now_ms,
              int not_found,
              int64_t *ret_id,
              struct err *reterr)
{
    static const int64_t day_ms = 86400000;
    unsigned char hash[LINK_HASH_BYTES];
    int64_t id = 0;

    hash_token(token, hash);
    db_bind_blob(stmt, 1, hash, sizeof(hash));
    db_bind_int(stmt, 2, now_ms - OUTBOX_ACK_LINK_DAYS * day_ms);
    if (db_step(stmt))
        id = db_int(stmt, 0);
    int r = db_done(stmt, reterr);

    if (r)
        return r;
    if (!id)
        return err_set(reterr, not_found, "this link is unknown or too old");
    *ret_id = id;
    return 0;
}

int ack_link_db_make(struct db_conn *conn,
                     int64_t incident_id,
                     const unsigned char *ack_key,
                     int64_t now_ms,
                     char *ret_token,
                     struct err *reterr)
{
    unsigned char hash[LINK_HASH_BYTES];

    link_token("acknowledge incident", incident_id, ack_key, ret_token, hash);

    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO ack_link VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING");

    db_bind_blob(stmt, 1, hash, sizeof(hash));
    db_bind_int(stmt, 2, incident_id);
    db_bind_int(stmt, 3, now_ms);
    return db_run(stmt, reterr);
}

int ack_link_db_find(struct db_conn *conn,
                     const char *token,
                     int64_t now_ms,
                     int64_t *ret_incident_id,
                     struct err *reterr)
{
    return link_find(
        db_prepare(conn,
                   "SELECT l.incident_id FROM ack_link l JOIN incident i ON i.id = l.incident_id"
                   " WHERE l.token_hash = ?1 AND (i.status <> 'resolved' OR i.resolved_ms > ?2)"),
        token, now_ms, INCIDENT_DB_E_NOT_FOUND, ret_incident_id, reterr);
}
