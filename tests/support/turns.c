/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/turns.h"

#include <string.h>

void turns_open(struct turns *turns)
{
    sem_init(&turns->arrived, 0, 0);
    sem_init(&turns->go_on, 0, 0);
}

void turns_close(struct turns *turns)
{
    sem_destroy(&turns->arrived);
    sem_destroy(&turns->go_on);
}

static void answer_held(struct stub_link *link)
{
    struct turns *turns = link->stub->story;
    sem_post(&turns->arrived);
    sem_wait(&turns->go_on);
    stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nheld");
}

static void echo(struct stub_link *link, const struct stub_request *request)
{
    stub_switch(link, request, "welcome");
    while (stub_receive(link)) {
        stub_send(link, link->inbox.bytes, link->inbox.length);
        text_drop(&link->inbox, link->inbox.length);
    }
}

void turns_serve(struct stub_link *link)
{
    struct stub_request request;
    while (stub_read(link, &request)) {
        if (strstr(request.head.bytes, " /held "))
            answer_held(link);
        else if (strstr(request.head.bytes, " /chat "))
            echo(link, &request);
        else
            stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nrs-1");
        stub_request_done(&request);
    }
    stub_request_done(&request);
}
