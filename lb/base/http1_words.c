/* SPDX-License-Identifier: Apache-2.0 */
/* The vocabulary: faults and statuses in numbers and words, and what methods promise (RFC 9110 9.2,
 * 15). */
#include "lb/base/http1.h"

// clang-format off
static const struct {
    unsigned status;
    const char *text;
} faults[] = {
    [HTTP_FINE] = {200, "nothing is wrong"},
    [HTTP_BAD_REQUEST_LINE] = {400, "the request line is not METHOD SP TARGET SP HTTP/1.1"},
    [HTTP_BAD_TARGET] = {400, "the request target has bytes or a form that is not allowed for its method"},
    [HTTP_TARGET_TOO_LONG] = {414, "the request target is longer than 8 KiB"},
    [HTTP_BAD_VERSION] = {400, "the HTTP version is malformed; HTTP/1.1 or HTTP/1.0 must end the line"},
    [HTTP_VERSION_UNSUPPORTED] = {505, "the HTTP version is neither 1.1 nor 1.0"},
    [HTTP_BAD_FIELD] = {400, "a field line is not NAME: VALUE, or has control characters"},
    [HTTP_BAD_LINE_END] = {400, "a line ends with CR or LF alone; CR LF is needed"},
    [HTTP_FOLDED_FIELD] = {400, "a line begins with a blank (folded field)"},
    [HTTP_TOO_MANY_FIELDS] = {431, "the head has more than 128 fields"},
    [HTTP_HEAD_TOO_LARGE] = {431, "the head is larger than max_head"},
    [HTTP_NO_HOST] = {400, "Host is missing"},
    [HTTP_MANY_HOSTS] = {400, "more than one Host"},
    [HTTP_BAD_HOST] = {400, "Host is not a name or an address with an optional port"},
    [HTTP_HOST_DIFFERS] = {400, "Host differs from the authority of the request target"},
    [HTTP_BAD_LENGTH] = {400, "Content-Length is not one plain decimal number, or contradicts the status"},
    [HTTP_BOTH_LENGTHS] = {400, "Content-Length and Transfer-Encoding together"},
    [HTTP_BAD_TRANSFER_ENCODING] = {400, "Transfer-Encoding is not exactly one final chunked, or not allowed here"},
    [HTTP_TRANSFER_ENCODING_UNKNOWN] = {400, "Transfer-Encoding names codings other than chunked"},
    [HTTP_BAD_CONNECTION] = {400, "Connection is malformed, too long, or names Host or the body's size"},
    [HTTP_BAD_EXPECT] = {417, "Expect is not 100-continue"},
    [HTTP_BAD_STATUS_LINE] = {400, "the status line is not HTTP/1.1 SP three digits SP reason"},
    [HTTP_BAD_CHUNK] = {400, "a chunk's size, extension or end is malformed"},
    [HTTP_BAD_TRAILER] = {400, "a trailer field is malformed or may not come as a trailer"},
    [HTTP_TRAILER_TOO_LARGE] = {431, "the trailer section is too large"},
};

static const struct {
    unsigned status;
    const char *text;
} statuses[] = {
    {100, "Continue"}, {101, "Switching Protocols"}, {102, "Processing"}, {103, "Early Hints"},
    {200, "OK"}, {201, "Created"}, {202, "Accepted"}, {203, "Non-Authoritative Information"},
    {204, "No Content"}, {205, "Reset Content"}, {206, "Partial Content"},
    {300, "Multiple Choices"}, {301, "Moved Permanently"}, {302, "Found"}, {303, "See Other"},
    {304, "Not Modified"}, {307, "Temporary Redirect"}, {308, "Permanent Redirect"},
    {400, "Bad Request"}, {401, "Unauthorized"}, {402, "Payment Required"}, {403, "Forbidden"},
    {404, "Not Found"}, {405, "Method Not Allowed"}, {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"}, {408, "Request Timeout"}, {409, "Conflict"},
    {410, "Gone"}, {411, "Length Required"}, {412, "Precondition Failed"},
    {413, "Content Too Large"}, {414, "URI Too Long"}, {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"}, {417, "Expectation Failed"}, {421, "Misdirected Request"},
    {422, "Unprocessable Content"}, {425, "Too Early"}, {426, "Upgrade Required"},
    {428, "Precondition Required"}, {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"}, {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"}, {501, "Not Implemented"}, {502, "Bad Gateway"},
    {503, "Service Unavailable"}, {504, "Gateway Timeout"}, {505, "HTTP Version Not Supported"},
    {511, "Network Authentication Required"},
};
// clang-format on

_Static_assert(sizeof faults / sizeof *faults == HTTP_TRAILER_TOO_LARGE + 1,
               "every fault has words");

unsigned http_fault_status(enum http_fault fault)
{
    return faults[fault].status;
}

const char *http_fault_text(enum http_fault fault)
{
    return faults[fault].text;
}

const char *http_status_text(unsigned status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        if (statuses[i].status == status)
            return statuses[i].text;
    }
    return "";
}

bool http_method_is_safe(enum http_method method)
{
    return method == HTTP_GET || method == HTTP_HEAD || method == HTTP_OPTIONS ||
           method == HTTP_TRACE;
}

bool http_method_is_idempotent(enum http_method method)
{
    return http_method_is_safe(method) || method == HTTP_PUT || method == HTTP_DELETE;
}
