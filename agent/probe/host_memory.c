/*
 * The host probe's collectors of memory. See host.h.
 *
 * The fields of /proc/meminfo are the kernel's to choose, and each becomes a family
 * of its own, so the families are made when the file is first read. They are matched
 * by position afterwards and made anew when the position does not fit any more (a
 * module was loaded): old ones are kept, because samples under way may point at them.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/probe/host.h"
#include "lib/base/mem.h"

enum {
    FIELDS_MAX = 256
};

struct memory_field {
    char *key;  /* "Active(anon)" */
    char *name; /* "node_memory_Active_anon_bytes" */
    struct metric_family family;
};

struct host_memory {
    size_t n;
    struct memory_field fields[FIELDS_MAX];
};

void host_memory_free(struct host_memory *memory)
{
    if (!memory)
        return;
    for (size_t i = 0; i < memory->n; i++) {
        free(memory->fields[i].key);
        free(memory->fields[i].name);
    }
    free(memory);
}

/* "Active(anon)" with a unit -> node_memory_Active_anon_bytes */
static struct memory_field *add_field(struct host_memory *memory, const char *key, bool is_bytes)
{
    char name[200];
    size_t len;

    if (memory->n == FIELDS_MAX)
        return NULL;
    len = (size_t)snprintf(name, sizeof(name) - 8, "node_memory_%.150s", key);
    for (size_t i = 0; i < len; i++)
        if (name[i] == '(' || name[i] == ')')
            name[i] = '_';
    if (len && name[len - 1] == '_')
        name[--len] = '\0';
    if (is_bytes)
        (void)snprintf(name + len, sizeof(name) - len, "_bytes");

    struct memory_field *field = &memory->fields[memory->n++];

    field->key = mem_strdup(key);
    field->name = mem_strdup(name);
    field->family = (struct metric_family){field->name, METRIC_GAUGE, "A field of /proc/meminfo."};
    return field;
}

static struct memory_field *find_field(struct host_memory *memory,
                                       size_t likely,
                                       const char *key,
                                       bool is_bytes)
{
    if (likely < memory->n && strcmp(memory->fields[likely].key, key) == 0)
        return &memory->fields[likely];
    for (size_t i = 0; i < memory->n; i++)
        if (strcmp(memory->fields[i].key, key) == 0)
            return &memory->fields[i];
    return add_field(memory, key, is_bytes);
}

int host_meminfo(struct host *host, struct samples *out)
{
    char *text;
    char *line;
    int r = host_read(host, HOST_MEMINFO, &text);

    if (r)
        return r;
    if (!host->memory)
        host->memory = mem_zalloc(sizeof(*host->memory));
    for (size_t i = 0; (line = text_line(&text)); i++) {
        char *key = text_word(&line);
        char *value = key ? text_word(&line) : NULL;
        bool is_bytes = value && text_word(&line) != NULL; /* "kB" */

        if (!value)
            continue;
        key[strcspn(key, ":")] = '\0';
        struct memory_field *field = find_field(host->memory, i, key, is_bytes);
        if (field)
            samples_add(out, &field->family, text_number(value) * (is_bytes ? 1024 : 1));
    }
    return 0;
}

int host_vmstat(struct host *host, struct samples *out)
{
    static const struct {
        const char *word;
        struct metric_family family;
    } rows[] = {
        {"pgpgin", {"node_vmstat_pgpgin", METRIC_UNKNOWN, "KiB read in from disks."}},
        {"pgpgout", {"node_vmstat_pgpgout", METRIC_UNKNOWN, "KiB written out to disks."}},
        {"pswpin", {"node_vmstat_pswpin", METRIC_UNKNOWN, "Pages swapped in."}},
        {"pswpout", {"node_vmstat_pswpout", METRIC_UNKNOWN, "Pages swapped out."}},
        {"pgfault", {"node_vmstat_pgfault", METRIC_UNKNOWN, "Page faults."}},
        {"pgmajfault", {"node_vmstat_pgmajfault", METRIC_UNKNOWN, "Page faults that read a disk."}},
        {"oom_kill", {"node_vmstat_oom_kill", METRIC_UNKNOWN, "Processes killed for memory."}},
    };
    char *text;
    char *line;
    int r = host_read(host, HOST_VMSTAT, &text);

    if (r)
        return r;
    while ((line = text_line(&text))) {
        if (line[0] != 'p' && line[0] != 'o')
            continue;
        const char *name = text_word(&line);
        const char *value = text_word(&line);

        for (size_t i = 0; name && value && i < sizeof(rows) / sizeof(rows[0]); i++)
            if (strcmp(name, rows[i].word) == 0) {
                samples_add(out, &rows[i].family, text_number(value));
                break;
            }
    }
    return 0;
}
