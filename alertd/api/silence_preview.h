#pragma once

/*
 * What a silence would mute if it were made: what fires now, and what was told in the last
 * seven days. See docs/api.md.
 */

#include "alertd/api/api.h"

http_handler silence_preview;
