/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/answer/answer_forms.h"

#include "listeners/answer/markup.h"

/* The policy below names this style by its digest. */
// clang-format off
#define STYLE \
    ":root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--paper:#f4f5f7;--card:#fff;--line:#d3d9e0;--mark:#b3261e}" \
    "@media(prefers-color-scheme:dark){:root{--ink:#e7e9ec;--soft:#a5adb7;--paper:#14171a;--card:#1d2125;--line:#3a4149;--mark:#ff8a7a}}" \
    "body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}" \
    "main{box-sizing:border-box;width:min(38rem,100% - 2rem);margin:1rem 0;padding:1.5rem 2rem;background:var(--card);border:1px solid var(--line);border-top:4px solid var(--mark);border-radius:8px}" \
    "h1{font-size:1.4rem;line-height:1.3;margin:.25rem 0 1.25rem}h2{font-size:1rem;margin:0}p{margin:0 0 1.25rem}" \
    ".status,dt{color:var(--soft)}.status{margin:0}" \
    "dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem;margin:0;padding-top:1rem;border-top:1px solid var(--line);font-size:.9rem}" \
    "dd{margin:0;font-family:ui-monospace,monospace;overflow-wrap:anywhere}"

const char *answer_forms_fields(enum answer_form form)
{
    switch (form) {
    case ANSWER_HTML:
        return "Content-Type: text/html; charset=utf-8\r\n"
               "Content-Security-Policy: default-src 'none'; style-src 'sha256-GcMVzTturn4T9VklICAiu9RDdytXVfoeWHXIHLpS6EI='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
               "Referrer-Policy: no-referrer\r\n";
    case ANSWER_JSON:
        return "Content-Type: application/json\r\n";
    case ANSWER_GRPC: /* answer_grpc.h writes its own */
    case ANSWER_TEXT:
        break;
    }
    return "Content-Type: text/plain; charset=utf-8\r\n";
}
// clang-format on

/* --- text --------------------------------------------------------------------------------------
 */

/* "403 Forbidden" */
static void put_status(struct draft *draft, const struct answer_words *words)
{
    draft_number(draft, words->status, 3);
    draft_text(draft, " ");
    draft_text(draft, http_status_text(words->status));
}

static void put_line(struct draft *draft, const char *text)
{
    if (!text)
        return;
    draft_text(draft, text);
    draft_text(draft, "\n");
}

static void write_text(struct draft *draft, const struct answer_words *words)
{
    put_status(draft, words);
    if (words->reason)
        draft_text(draft, ": ");
    put_line(draft, words->reason ? words->reason : "");
    put_line(draft, words->sentence);
    put_line(draft, words->advice);
    if (words->request_id.length > 0) {
        draft_text(draft, "Request: ");
        draft_put(draft, words->request_id);
        draft_text(draft, "\n");
    }
}

/* --- HTML --------------------------------------------------------------------------------------
 */

static void put_element(struct draft *draft, const char *open, const char *text, const char *close)
{
    if (!text)
        return;
    draft_text(draft, open);
    markup_put(draft, slice_of(text));
    draft_text(draft, close);
}

static void put_details(struct draft *draft, const struct answer_words *words)
{
    if (!words->reason && words->request_id.length == 0)
        return;
    draft_text(draft, "<dl>\n");
    put_element(draft, "<dt>Reason</dt><dd>", words->reason, "</dd>\n");
    if (words->request_id.length > 0) {
        draft_text(draft, "<dt>Request</dt><dd>");
        markup_put(draft, words->request_id);
        draft_text(draft, "</dd>\n");
    }
    draft_text(draft, "</dl>\n");
}

static void write_html(struct draft *draft, const struct answer_words *words)
{
    draft_text(draft, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                      "<title>");
    put_status(draft, words);
    draft_text(draft, "</title>\n<style>" STYLE "</style>\n</head>\n<body>\n<main>\n");
    if (words->sentence) {
        draft_text(draft, "<p class=\"status\">");
        put_status(draft, words);
        put_element(draft, "</p>\n<h1>", words->sentence, "</h1>\n");
    } else {
        draft_text(draft, "<h1>");
        put_status(draft, words);
        draft_text(draft, "</h1>\n");
    }
    put_element(draft, "<h2>What to do</h2>\n<p>", words->advice, "</p>\n");
    put_details(draft, words);
    draft_text(draft, "</main>\n</body>\n</html>\n");
}

/* --- JSON --------------------------------------------------------------------------------------
 */

static void put_json_byte(struct draft *draft, unsigned char byte)
{
    static const char digits[] = "0123456789abcdef";
    const char escaped[] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
    if (byte < 0x20 || byte == '"' || byte == '\\')
        draft_put(draft, (struct slice){escaped, sizeof escaped});
    else
        draft_put(draft, (struct slice){(const char *)&byte, 1});
}

/* ,"name":"value"; at NULL: null */
static void put_member(struct draft *draft, const char *name, struct slice value)
{
    draft_text(draft, ",\"");
    draft_text(draft, name);
    draft_text(draft, value.at ? "\":\"" : "\":null");
    for (size_t i = 0; value.at && i < value.length; i++)
        put_json_byte(draft, (unsigned char)value.at[i]);
    if (value.at)
        draft_text(draft, "\"");
}

static struct slice slice_or_none(const char *text)
{
    return text ? slice_of(text) : (struct slice){NULL, 0};
}

static void write_json(struct draft *draft, const struct answer_words *words)
{
    draft_text(draft, "{\"status\":");
    draft_number(draft, words->status, 3);
    put_member(draft, "error", slice_or_none(words->reason));
    put_member(draft, "message", slice_or_none(words->sentence));
    put_member(draft, "advice", slice_or_none(words->advice));
    put_member(draft, "request_id",
               words->request_id.length > 0 ? words->request_id : (struct slice){NULL, 0});
    draft_text(draft, "}\n");
}

void answer_forms_write(enum answer_form form, const struct answer_words *words,
                        struct draft *draft)
{
    switch (form) {
    case ANSWER_TEXT:
        write_text(draft, words);
        break;
    case ANSWER_HTML:
        write_html(draft, words);
        break;
    case ANSWER_JSON:
        write_json(draft, words);
        break;
    case ANSWER_GRPC:
        break; /* all of it is in the head */
    }
}

/* --- where nobody knows better -----------------------------------------------------------------
 */

static const char ask_again[] =
    "Try again in a moment. If it stays so, tell the operator the id of this request.";

static const struct {
    unsigned status;
    const char *sentence, *advice;
} usual[] = {
    {400, "The request cannot be understood as it was sent.",
     "Try again, perhaps with another program."},
    {408, "The request took too long to arrive.", "Send it again."},
    {413, "What was sent is larger than is allowed here.",
     "Send less at once, or ask the operator to allow more."},
    {501, "This is not offered here.", "Ask for the address itself, not through it."},
    {502, "The service behind this address gave no proper answer.", ask_again},
    {503, "The service is not available at the moment.", ask_again},
    {504, "The service behind this address took too long to answer.", ask_again},
};

void answer_forms_complete(struct answer_words *words)
{
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        if (usual[i].status != words->status)
            continue;
        if (!words->sentence)
            words->sentence = usual[i].sentence;
        if (!words->advice)
            words->advice = usual[i].advice;
    }
}
