#pragma once

/*
 * A parsed template, between template.c that reads it and template_render.c that
 * prints it.
 */

#include <stddef.h>

enum node_kind {
    NODE_WORDS,    /* text, copied out as it is */
    NODE_NAME,     /* {{x}} */
    NODE_RAW,      /* {{&x}} */
    NODE_SECTION,  /* {{#x}} with children */
    NODE_INVERTED, /* {{^x}} with children */
    NODE_PARTIAL,  /* {{> x}}, its file's nodes as children */
    NODE_ASK,      /* {{! ask words }} */
};

struct node {
    enum node_kind kind;
    const char *file;
    const char *text; /* a loan from the template's text */
    size_t len;
    unsigned line, column;
    struct node *first; /* children */
    struct node *next;
};

struct template
{
    struct node *first;
};
