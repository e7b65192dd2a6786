/* SPDX-License-Identifier: Apache-2.0 */
/* See demo_page.h. Everything that came with the request is escaped where HTML would read it as
 * markup. */
#include "lb/commands/demo_page.h"

#include <stdio.h>

/* A body under construction; a failure is remembered and told at the end. */
struct page {
    struct buffer_pool *pool;
    struct buffer **body;
    bool failed;
};

static void add(struct page *page, struct slice text)
{
    if (!page->failed && text.length > 0)
        page->failed =
            !buffer_append(page->pool, page->body, text.at, text.length, DEMO_PAGE_BYTES);
}

static void add_text(struct page *page, const char *text)
{
    add(page, slice_of(text));
}

static const char *escape_of(char byte)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

static void add_escaped(struct page *page, struct slice text)
{
    size_t start = 0;
    for (size_t i = 0; i < text.length; i++) {
        const char *escape = escape_of(text.at[i]);
        if (!escape)
            continue;
        add(page, (struct slice){text.at + start, i - start});
        add_text(page, escape);
        start = i + 1;
    }
    add(page, (struct slice){text.at + start, text.length - start});
}

/* ---- text ---- */

/* Those that fit into a line; a page shows the others, too. */
static bool tells_about_client(const struct http_field *field)
{
    static const char *const names[] = {
        "X-Forwarded-For", "X-SSL-Client-Verify",   "X-SSL-Client-S-DN",
        "X-CERT-VERIFY",   "X-CERT-SUBJECT-DN",     "X-Amzn-Mtls-Clientcert-Subject",
        "Client-Cert",     "Cf-Client-Cert-Sha256",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_is_nocase(field->name, names[i]))
            return true;
    return false;
}

static void add_plain(struct page *page, const char *name, const struct http_request *request)
{
    add_text(page, name);
    add_text(page, "\n");
    add(page, request->method_text);
    add_text(page, " ");
    add(page, request->target);
    add_text(page, "\n");
    for (unsigned i = 0; i < request->field_count; i++) {
        if (!tells_about_client(&request->fields[i]))
            continue;
        add(page, request->fields[i].name);
        add_text(page, ": ");
        add(page, request->fields[i].value);
        add_text(page, "\n");
    }
}

/* ---- HTML ---- */

/* Colours that differ from name to name, so that a reload is seen at a glance. */
static unsigned hue_of(const char *name)
{
    unsigned hue = 0;
    for (; *name; name++)
        hue = hue * 31 + (unsigned char)*name;
    return hue * 137 % 360;
}

/* The empty icon keeps browsers from asking for /favicon.ico, which would take another backend's
 * turn. */
static void add_head(struct page *page, const char *name)
{
    char style[600];
    snprintf(style, sizeof style,
             "<style>\n"
             "body{font:16px/1.5 system-ui,sans-serif;margin:0;color:#222;background:#fff}\n"
             "header{padding:2.5rem 2rem;color:#fff;background:hsl(%u 55%% 35%%)}\n"
             "h1{font-size:4rem;line-height:1;margin:0}\n"
             "main{padding:1rem 2rem}\n"
             "table{border-collapse:collapse}\n"
             "th,td{text-align:left;vertical-align:top;padding:.3rem 1rem .3rem 0;"
             "border-bottom:1px solid #ddd;overflow-wrap:anywhere}\n"
             "th{white-space:nowrap;font-weight:600}\n"
             "</style>\n",
             hue_of(name));
    add_text(page,
             "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
    add_escaped(page, slice_of(name));
    add_text(page,
             "</title>\n<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
             "<link rel=\"icon\" href=\"data:,\">\n");
    add_text(page, style);
    add_text(page, "</head>\n");
}

static void add_row(struct page *page, const struct http_field *field)
{
    add_text(page, "<tr><th>");
    add_escaped(page, field->name);
    add_text(page, "</th><td>");
    add_escaped(page, field->value);
    add_text(page, "</td></tr>\n");
}

static void add_html(struct page *page, const char *name, const struct http_request *request)
{
    add_head(page, name);
    add_text(page, "<body>\n<header><h1>");
    add_escaped(page, slice_of(name));
    add_text(page, "</h1></header>\n<main>\n<p><code>");
    add_escaped(page, request->method_text);
    add_text(page, " ");
    add_escaped(page, request->target);
    add_text(page, "</code></p>\n<table>\n");
    for (unsigned i = 0; i < request->field_count; i++)
        add_row(page, &request->fields[i]);
    add_text(page, "</table>\n</main>\n</body>\n</html>\n");
}

bool demo_page_wants_html(const struct http_request *request)
{
    static const char html[] = "text/html";
    for (unsigned i = 0; i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];
        if (slice_is_nocase(field->name, "Accept") &&
            memmem(field->value.at, field->value.length, html, sizeof html - 1))
            return true;
    }
    return false;
}

bool demo_page_write(struct buffer_pool *pool, struct buffer **page, const char *name,
                     const struct http_request *request, bool html)
{
    struct page writing = {.pool = pool, .body = page};
    if (html)
        add_html(&writing, name, request);
    else
        add_plain(&writing, name, request);
    return !writing.failed;
}
