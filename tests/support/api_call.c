/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/api_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lb/base/unix_socket.h"
#include "tests/support/check_main.h"

enum { PATIENCE_MS = 20000 };

static void send_all(int fd, const struct text *text)
{
    for (size_t done = 0; done < text->length;) {
        ssize_t sent = send(fd, text->bytes + done, text->length - done, MSG_NOSIGNAL);
        ck_assert_int_gt(sent, 0);
        done += (size_t)sent;
    }
}

static void receive_all(int fd, struct text *text)
{
    char piece[16384];
    ssize_t got;
    while ((got = recv(fd, piece, sizeof piece, 0)) > 0)
        text_add(text, piece, (size_t)got);
    ck_assert_int_eq(got, 0);
}

unsigned api_call(const struct scene *scene, const char *method, const char *path, json_t *body,
                  json_t **json)
{
    struct text request = {0};
    struct text answer = {0};
    char *bytes = body ? json_dumps(body, JSON_COMPACT) : NULL;
    unsigned status = 0;
    int fd = unix_socket_connect(folder_file(&scene->folder, "var/admin.sock"), PATIENCE_MS);
    ck_assert_int_ge(fd, 0);
    text_add_format(
        &request, "%s %s HTTP/1.1\r\nHost: lb\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
        method, path, bytes ? strlen(bytes) : 0);
    text_add_format(&request, "%s", bytes ? bytes : "");
    send_all(fd, &request);
    receive_all(fd, &answer);
    close(fd);
    ck_assert_msg(sscanf(answer.bytes ? answer.bytes : "", "HTTP/1.1 %u ", &status) == 1, "%s %s",
                  method, path);
    const char *from = strstr(answer.bytes, "\r\n\r\n");
    ck_assert_ptr_nonnull(from);
    if (json) {
        *json = json_loads(from + 4, 0, NULL);
        ck_assert_msg(*json, "%s %s: %s", method, path, from);
    }
    free(bytes);
    json_decref(body);
    text_done(&request);
    text_done(&answer);
    return status;
}

json_t *api_pem(const struct scene *scene, const char *file)
{
    char *pem = folder_read(&scene->folder, file);
    json_t *json = json_string(pem);
    ck_assert_msg(json && *pem, "%s", file);
    free(pem);
    return json;
}
