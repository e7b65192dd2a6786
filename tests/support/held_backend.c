/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/held_backend.h"

#include <string.h>

static void hold(struct held_backend *held)
{
    pthread_mutex_lock(&held->lock);
    held->holding++;
    if (held->holding > held->most)
        held->most = held->holding;
    while (held->permits == 0 && !held->is_open)
        pthread_cond_wait(&held->changed, &held->lock);
    if (held->permits > 0)
        held->permits--;
    held->holding--;
    pthread_mutex_unlock(&held->lock);
}

static void serve(struct stub_link *link)
{
    struct held_backend *held = link->stub->story;
    struct stub_request request;
    bool sent = true;
    while (sent && stub_read(link, &request)) {
        struct text text = {0};
        stub_request_done(&request);
        hold(held);
        text_add_format(&text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                        strlen(link->stub->name), link->stub->name);
        sent = stub_send(link, text.bytes, text.length);
        text_done(&text);
    }
    if (sent)
        stub_request_done(&request);
}

static void begin(struct held_backend *held)
{
    *held = (struct held_backend){0};
    pthread_mutex_init(&held->lock, NULL);
    pthread_cond_init(&held->changed, NULL);
}

void held_start(struct held_backend *held, const char *name)
{
    begin(held);
    stub_start_with(&held->stub, name, serve, held);
}

void held_stop(struct held_backend *held)
{
    held_open(held);
    stub_stop(&held->stub);
    pthread_cond_destroy(&held->changed);
    pthread_mutex_destroy(&held->lock);
}

static unsigned read_count(struct held_backend *held, const unsigned *count)
{
    pthread_mutex_lock(&held->lock);
    unsigned now = *count;
    pthread_mutex_unlock(&held->lock);
    return now;
}

unsigned held_now(struct held_backend *held)
{
    return read_count(held, &held->holding);
}

unsigned held_most(struct held_backend *held)
{
    return read_count(held, &held->most);
}

void held_release(struct held_backend *held, unsigned count)
{
    pthread_mutex_lock(&held->lock);
    held->permits += count;
    pthread_cond_broadcast(&held->changed);
    pthread_mutex_unlock(&held->lock);
}

void held_open(struct held_backend *held)
{
    pthread_mutex_lock(&held->lock);
    held->is_open = true;
    pthread_cond_broadcast(&held->changed);
    pthread_mutex_unlock(&held->lock);
}
