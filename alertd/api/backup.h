#pragma once

/*
 * A copy of everything while running: POST /api/alertd/v1/backup.
 */

#include "alertd/api/api.h"

http_handler backup_post;
