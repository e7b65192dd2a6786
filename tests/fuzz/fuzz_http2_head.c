/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any fields as the head of an HTTP/2 request: a byte of options, then names and values with a NUL
 * behind each. Besides memory errors this finds every field that means something else in the text
 * than it did as a field.
 */
#include "tests/fuzz/http2_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static struct model model;
    if (length == 0)
        return 0;
    model_read(&model, (const char *)data + 1, length - 1);
    model.has_body = data[0] & 1;
    model.most_bytes = data[0] & 2 ? 200 : 32768;
    model_expect(&model);
    return 0;
}
