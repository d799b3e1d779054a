/*
 * The phone page's secret: whoever holds it may acknowledge and note one incident.
 *
 *   token = base64url( incident | BLAKE2b-192( key of this installation, incident ) )
 *   row   = incident -> BLAKE2b-256( token )
 *
 * Rows lie in the order of incidents, not of hashes: a flood writes few pages of the file. Tokens
 * that do not name their incident are of an older program, or made with another key since
 * (ack_link); they are as good.
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
    ID_BYTES = 6,
    ID_CHARS = 8, /* in base64 */
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

/* An incident's token was made with another key: it stays good. */
static int keep_other(struct db_conn *conn,
                      int64_t incident_id,
                      const unsigned char *hash,
                      int64_t now_ms,
                      struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO ack_link SELECT token_hash, incident_id, created_ms FROM ack_token"
              " WHERE incident_id = ?1 AND token_hash <> ?2 ON CONFLICT DO NOTHING");

    db_bind_int(stmt, 1, incident_id);
    db_bind_blob(stmt, 2, hash, LINK_HASH_BYTES);
    int r = db_run(stmt, reterr);

    if (r || db_changes(conn) == 0)
        return r;
    stmt = db_prepare(conn, "UPDATE ack_token SET token_hash = ?2, created_ms = ?3"
                            " WHERE incident_id = ?1");
    db_bind_int(stmt, 1, incident_id);
    db_bind_blob(stmt, 2, hash, LINK_HASH_BYTES);
    db_bind_int(stmt, 3, now_ms);
    return db_run(stmt, reterr);
}

int ack_link_db_make(struct db_conn *conn,
                     int64_t incident_id,
                     const unsigned char *ack_key,
                     int64_t now_ms,
                     char *ret_token,
                     struct err *reterr)
{
    unsigned char hash[LINK_HASH_BYTES];
    unsigned char id[ID_BYTES];
    char secret[OUTBOX_ACK_TOKEN_MAX]; /* of its own: it is filled to its end */
    char token[OUTBOX_ACK_TOKEN_MAX];

    for (unsigned i = 0; i < ID_BYTES; i++)
        id[i] = (unsigned char)((uint64_t)incident_id >> (8 * (ID_BYTES - 1 - i)));
    (void)sodium_bin2base64(token, sizeof(token), id, sizeof(id),
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    link_token("acknowledge incident", incident_id, ack_key, secret, hash);
    _Static_assert(ID_CHARS + (TOKEN_BYTES * 4 + 2) / 3 < OUTBOX_ACK_TOKEN_MAX, "room for both");
    memcpy(token + ID_CHARS, secret, sizeof(token) - ID_CHARS);
    memcpy(ret_token, token, sizeof(token));
    hash_token(token, hash);

    struct db_stmt *stmt = db_prepare(
        conn, "INSERT INTO ack_token VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING");

    db_bind_int(stmt, 1, incident_id);
    db_bind_blob(stmt, 2, hash, sizeof(hash));
    db_bind_int(stmt, 3, now_ms);
    int r = db_run(stmt, reterr);

    return r || db_changes(conn) > 0 ? r : keep_other(conn, incident_id, hash, now_ms, reterr);
}

/* The incident that a token names; 0: none. */
static int64_t named_by(const char *token)
{
    unsigned char bytes[ID_BYTES];
    int64_t id = 0;
    size_t len = 0;

    if (strlen(token) <= ID_CHARS ||
        sodium_base642bin(bytes, sizeof(bytes), token, ID_CHARS, NULL, &len, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) ||
        len != ID_BYTES)
        return 0;
    for (unsigned i = 0; i < ID_BYTES; i++)
        id = id << 8 | bytes[i];
    return id;
}

int ack_link_db_find(struct db_conn *conn,
                     const char *token,
                     int64_t now_ms,
                     int64_t *ret_incident_id,
                     struct err *reterr)
{
    struct db_stmt *stmt = db_prepare(
        conn, "SELECT i.id FROM incident i WHERE i.id IN"
              " (SELECT incident_id FROM ack_token WHERE incident_id = ?3 AND token_hash = ?1"
              "  UNION ALL SELECT incident_id FROM ack_link WHERE token_hash = ?1)"
              " AND (i.status <> 'resolved' OR i.resolved_ms > ?2)");

    db_bind_int(stmt, 3, named_by(token));
    return link_find(stmt, token, now_ms, INCIDENT_DB_E_NOT_FOUND, ret_incident_id, reterr);
}
