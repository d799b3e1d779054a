/*
 * Small files, whole. See fs.h.
 */

#include "lib/base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/base/mem.h"

static int fail(struct err *reterr, const char *what, const char *path)
{
    int code = errno ? errno : EIO;

    return err_set(reterr, -code, "%s %s: %s", what, path, strerrordesc_np(code));
}

/* Reads until end of file or one byte past limit; the buffer grows as it must. */
static int read_all(int fd, size_t limit, char **ret_bytes, size_t *ret_len)
{
    char *bytes = NULL;
    size_t capacity = 0;
    size_t len = 0;

    for (;;) {
        bytes = mem_grow(bytes, &capacity, len + 4096 + 1, 1);
        ssize_t got = read(fd, bytes + len, capacity - len - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || len > limit) {
            free(bytes);
            errno = got < 0 ? errno : EFBIG;
            return -errno;
        }
        if (got == 0)
            break;
        len += (size_t)got;
    }
    bytes[len] = '\0';
    *ret_bytes = bytes;
    *ret_len = len;
    return 0;
}

int fs_read(const char *path, size_t limit, char **ret_bytes, size_t *ret_len, struct err *reterr)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return fail(reterr, "cannot read", path);

    char *bytes = NULL;
    size_t len = 0;
    int r = read_all(fd, limit, &bytes, &len);

    (void)close(fd);
    if (r == 0 && len > limit) {
        free(bytes);
        r = -EFBIG;
    }
    if (r < 0) {
        errno = -r;
        return fail(reterr, "cannot read", path);
    }
    *ret_bytes = bytes;
    *ret_len = len;
    return 0;
}

int fs_each(const char *pattern, size_t limit, fs_each_call *each, void *arg, struct err *reterr)
{
    glob_t found = {0};
    // NOLINTNEXTLINE(concurrency-mt-unsafe): only what GLOB_TILDE asks for is not, users' homes
    int r = glob(pattern, GLOB_ERR | GLOB_MARK, NULL, &found);

    if (r == GLOB_NOMATCH)
        r = 0;
    else if (r)
        r = err_set(reterr, r == GLOB_NOSPACE ? -ENOMEM : -EIO, "cannot look for %s", pattern);
    for (size_t i = 0; i < found.gl_pathc && r == 0; i++) {
        MEM_AUTO char *text = NULL;
        size_t len = strlen(found.gl_pathv[i]);

        if (found.gl_pathv[i][len - 1] == '/') /* a folder */
            continue;
        r = fs_read(found.gl_pathv[i], limit, &text, &len, reterr);
        if (r == 0)
            r = each(arg, found.gl_pathv[i], text, len, reterr);
    }
    globfree(&found);
    return r;
}

static int write_all(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t put = write(fd, bytes, len);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -errno;
        bytes += put;
        len -= (size_t)put;
    }
    return 0;
}

static int sync_folder_of(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');

    (void)snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) : 1,
                   slash ? path : ".");
    int fd = open(folder[0] ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int r = fsync(fd) < 0 ? -errno : 0;
    (void)close(fd);
    return r;
}

int fs_replace(const char *path, const void *bytes, size_t len, unsigned mode, struct err *reterr)
{
    char draft[PATH_MAX];

    if ((size_t)snprintf(draft, sizeof(draft), "%s.new", path) >= sizeof(draft)) {
        errno = ENAMETOOLONG;
        return fail(reterr, "cannot write", path);
    }
    (void)unlink(draft);
    int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
    if (fd < 0)
        return fail(reterr, "cannot write", draft);

    int r = write_all(fd, bytes, len);
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    (void)close(fd);
    if (r == 0 && rename(draft, path) < 0)
        r = -errno;
    if (r == 0)
        r = sync_folder_of(path);
    if (r < 0) {
        (void)unlink(draft);
        errno = -r;
        return fail(reterr, "cannot write", path);
    }
    return 0;
}

int fs_make_folders(const char *path, struct err *reterr)
{
    char part[PATH_MAX];
    size_t len = strlen(path);

    if (len == 0 || len >= sizeof(part)) {
        errno = len ? ENAMETOOLONG : EINVAL;
        return fail(reterr, "cannot make folder", path);
    }
    memcpy(part, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (part[i] != '/' && part[i] != '\0')
            continue;
        char kept = part[i];
        part[i] = '\0';
        if (mkdir(part, 0700) < 0 && errno != EEXIST)
            return fail(reterr, "cannot make folder", part);
        part[i] = kept;
    }
    return 0;
}

int fs_space(const char *path, unsigned long long *ret_free, unsigned long long *ret_total)
{
    struct statvfs info;

    if (statvfs(path, &info) < 0)
        return -errno;
    *ret_free = (unsigned long long)info.f_bavail * info.f_frsize;
    *ret_total = (unsigned long long)info.f_blocks * info.f_frsize;
    return 0;
}

int fs_free_bytes(const char *path, unsigned long long *ret_bytes)
{
    unsigned long long total;

    return fs_space(path, ret_bytes, &total);
}
