/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/api_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lb/base/unix_socket.h"
#include "tests/support/check_main.h"

/* A change waits for the turns of all others, and for the store. */
enum { PATIENCE_MS = 60000 };

static bool send_all(int fd, const struct text *text)
{
    for (size_t done = 0; done < text->length;) {
        ssize_t sent = send(fd, text->bytes + done, text->length - done, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        done += (size_t)sent;
    }
    return true;
}

static bool receive_all(int fd, struct text *text)
{
    char piece[16384];
    ssize_t got;
    while ((got = recv(fd, piece, sizeof piece, 0)) > 0)
        text_add(text, piece, (size_t)got);
    return got == 0;
}

/* One whole exchange; false: it broke off. */
static bool exchange(const struct scene *scene, const struct text *request, struct text *answer)
{
    int fd = unix_socket_connect(folder_file(&scene->folder, "var/admin.sock"), PATIENCE_MS);
    bool is_whole = fd >= 0 && send_all(fd, request) && receive_all(fd, answer);
    if (fd >= 0)
        close(fd);
    text_add(answer, "", 0);
    return is_whole;
}

static void write_request(struct text *request, const char *method, const char *path, json_t *body)
{
    char *bytes = body ? json_dumps(body, JSON_COMPACT) : NULL;
    text_add_format(
        request, "%s %s HTTP/1.1\r\nHost: lb\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
        method, path, bytes ? strlen(bytes) : 0);
    text_add_format(request, "%s", bytes ? bytes : "");
    free(bytes);
    json_decref(body);
}

unsigned api_try(const struct scene *scene, const char *method, const char *path, json_t *body,
                 json_t **json)
{
    struct text request = {0};
    struct text answer = {0};
    unsigned status = 0;
    write_request(&request, method, path, body);
    bool is_whole = exchange(scene, &request, &answer);
    const char *from = is_whole ? strstr(answer.bytes, "\r\n\r\n") : NULL;
    *json = from ? json_loads(from + 4, 0, NULL) : NULL;
    if (*json && sscanf(answer.bytes, "HTTP/1.1 %u ", &status) != 1)
        status = 0;
    text_done(&request);
    text_done(&answer);
    return status;
}

unsigned api_call(const struct scene *scene, const char *method, const char *path, json_t *body,
                  json_t **json)
{
    json_t *answer;
    unsigned status = api_try(scene, method, path, body, &answer);
    ck_assert_msg(status != 0, "%s %s: no answer", method, path);
    if (json)
        *json = answer;
    else
        json_decref(answer);
    return status;
}

char *api_text(const struct scene *scene, const char *path, char *type, size_t room)
{
    struct text request = {0};
    struct text answer = {0};
    write_request(&request, "GET", path, NULL);
    ck_assert_msg(exchange(scene, &request, &answer), "GET %s: no answer", path);
    ck_assert_msg(strncmp(answer.bytes, "HTTP/1.1 200 ", 13) == 0, "%s", answer.bytes);
    ck_assert(text_field(answer.bytes, "Content-Type", type, room));
    char *body = strstr(answer.bytes, "\r\n\r\n");
    ck_assert_ptr_nonnull(body);
    body = strdup(body + 4);
    text_done(&request);
    text_done(&answer);
    return body;
}

json_t *api_pem(const struct scene *scene, const char *file)
{
    char *pem = folder_read(&scene->folder, file);
    json_t *json = json_string(pem);
    ck_assert_msg(json && *pem, "%s", file);
    free(pem);
    return json;
}
