/*
 * The embedded dashboard: whatever was bundled, the table a server relies on holds.
 */

#include <string.h>
#include <zlib.h>

#include "tests/lib/row.h"
#include "web/web_assets.h"

static const struct web_asset *find(const char *path)
{
    size_t i = 0;

    while (i < n_web_assets && strcmp(web_assets[i].path, path) != 0)
        i++;
    assert_true(i < n_web_assets);
    return &web_assets[i];
}

static void test_paths_are_sorted_and_the_page_is_there(void **state)
{
    const struct web_asset *page = find("/index.html");

    for (size_t i = 1; i < n_web_assets; i++)
        assert_true(strcmp(web_assets[i - 1].path, web_assets[i].path) < 0);
    assert_string_equal(page->type, "text/html; charset=utf-8");
    assert_false(page->immutable);
    assert_memory_equal(page->bytes, "<!doctype html>", 15);
}

static void test_only_hashed_names_are_immutable(void **state)
{
    for (size_t i = 0; i < n_web_assets; i++) {
        const struct web_asset *asset = &web_assets[i];

        row("%s", asset->path);
        assert_int_equal(asset->immutable, strncmp(asset->path, "/assets/", 8) == 0);
        assert_int_equal(asset->etag[0], '"');
        assert_int_equal(asset->etag[strlen(asset->etag) - 1], '"');
    }
}

static void inflate_all(const struct web_asset *asset, unsigned char *plain)
{
    z_stream stream = {
        .next_in = (unsigned char *)(uintptr_t)asset->gzip,
        .avail_in = (unsigned)asset->gzip_len,
        .next_out = plain,
        .avail_out = (unsigned)asset->len,
    };

    assert_int_equal(inflateInit2(&stream, 16 + MAX_WBITS), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.total_out, asset->len);
    assert_int_equal(inflateEnd(&stream), Z_OK);
}

static void test_the_squeezed_copy_is_the_same_file(void **state)
{
    for (size_t i = 0; i < n_web_assets; i++) {
        const struct web_asset *asset = &web_assets[i];
        unsigned char *plain;

        if (!asset->gzip)
            continue;
        row("%s", asset->path);
        assert_true(asset->gzip_len < asset->len);
        plain = test_malloc(asset->len);
        inflate_all(asset, plain);
        assert_memory_equal(plain, asset->bytes, asset->len);
        test_free(plain);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_are_sorted_and_the_page_is_there),
        cmocka_unit_test(test_only_hashed_names_are_immutable),
        cmocka_unit_test(test_the_squeezed_copy_is_the_same_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
