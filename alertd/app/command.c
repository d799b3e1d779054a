/*
 * What alertd is asked for by its command line: to serve, or to tell something and end.
 */

#include <stdio.h>

#include "alertd/app/app.h"
#include "alertd/app/parts.h"

static enum app_exit show(void (*render)(struct str *out))
{
    STR_AUTO struct str text = STR_INIT(1024 * 1024);

    render(&text);
    return fputs(str_text(&text), stdout) < 0 || fflush(stdout) != 0 ? APP_FAILURE : APP_OK;
}

static void render_version(struct str *out)
{
    str_addf(out, "alertd, version %s\n", ALERTD_VERSION);
}

enum app_exit app_main(int argc, char **argv)
{
    struct settings settings;
    struct err err = {0};

    if (settings_parse(argc, argv, &settings, &err) != 0) {
        (void)fprintf(stderr, "alertd: %s\n", err.text);
        return APP_USAGE;
    }
    switch (settings.action) {
    case SETTINGS_RUN: return app_serve(&settings);
    case SETTINGS_HELP: return show(settings_help);
    case SETTINGS_HELP_MARKDOWN: return show(settings_help_markdown);
    case SETTINGS_VERSION: return show(render_version);
    case SETTINGS_CONFIG_MARKDOWN: return show(route_config_manual);
    case SETTINGS_ROUTES: return show(app_dump_routes);
    }
    return APP_FAILURE;
}
