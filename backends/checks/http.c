/* SPDX-License-Identifier: Apache-2.0 */
/* Does the backend answer an HTTP request with a status that an operator calls healthy? */
#include "backends/health/check_http.h"

// clang-format off
const struct check check_http = {
    .name      = "http",
    .summary   = "up when the backend answers an HTTP request with one of health_check_codes",
    .http      = 1,
    .connected = check_http_ask,
    .ready     = check_http_hear,
};
// clang-format on
