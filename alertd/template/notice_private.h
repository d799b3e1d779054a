#pragma once

/*
 * What the files about notifications share. Private to template/.
 */

#include "alertd/template/notice_value.h"
#include "lib/model/zone.h"

/* A run's own: zones that were asked for. */
struct notice_run {
    struct zones *zones;
};

extern const struct tmpl_fn notice_text_fns[]; /* notice_text.c, ends with {0} */
extern const struct tmpl_fn notice_data_fns[]; /* notice_fn.c */
extern const struct tmpl_type notice_labels_type;
extern const struct tmpl_type notice_alert_type;

/* A list of texts. */
int notice_give_texts(struct tmpl_run *run,
                      const char *const *texts,
                      size_t n,
                      struct value *ret_value);
