/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's UI switches the terminal's echo off, and on again whatever signal comes. */
#include "lb/commands/password.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ui.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lb/commands/word.h"

static bool is_fit(const struct password *password, const char *whence, struct error *err)
{
    if (password->text[0] == '\0')
        return error_set(err, "%s: the password is empty", whence);
    if (!word_is_utf8(password->text))
        return error_set(err, "%s: the password is no UTF-8 text", whence);
    return true;
}

/* --- from the terminal ---------------------------------------------------------------------- */

/* Without one, the UI would read whatever stdin is. */
static bool has_terminal(void)
{
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool ask_twice(UI *ui, const char *what, struct password *password, struct password *again,
                      struct error *err)
{
    char first[128], second[128];
    snprintf(first, sizeof first, "A new password for %s: ", what);
    snprintf(second, sizeof second, "The same once more: ");
    if (UI_add_input_string(ui, first, 0, password->text, 0, PASSWORD_BYTES) < 0 ||
        UI_add_input_string(ui, second, 0, again->text, 0, PASSWORD_BYTES) < 0)
        return error_set(err, "out of memory");
    int outcome = UI_process(ui);
    if (outcome == -2)
        return error_set(err, "no password, nothing done");
    if (outcome < 0)
        return error_set(err, "the password could not be read from the terminal");
    if (strcmp(password->text, again->text) != 0)
        return error_set(err, "the two passwords differ: nothing was done");
    return is_fit(password, "terminal", err);
}

bool password_ask(struct password *password, const char *what, struct error *err)
{
    struct password again = {""};
    *password = (struct password){""};
    if (!has_terminal())
        return error_set(err,
                         "there is no terminal to ask for the password of %s: write it into a "
                         "file of mode 0600 and give --password-file FILE",
                         what);
    UI *ui = UI_new_method(UI_OpenSSL());
    bool good = ui ? ask_twice(ui, what, password, &again, err) : error_set(err, "out of memory");
    UI_free(ui);
    ERR_clear_error();
    password_done(&again);
    return good;
}

/* --- from a file ---------------------------------------------------------------------------- */

static bool is_private(int fd, const char *path, struct error *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return error_set(err, "%s: %s", path, strerror(errno));
    if (S_ISDIR(status.st_mode))
        return error_set(err, "%s is a folder: the password stands in the first line of a file",
                         path);
    if (S_ISREG(status.st_mode) && (status.st_mode & S_IROTH))
        return error_set(err,
                         "%s: every user of this machine may read it (mode %04o): chmod 600 %s",
                         path, (unsigned)(status.st_mode & 07777), path);
    return true;
}

static bool read_line(int fd, const char *path, struct password *password, struct error *err)
{
    size_t length = 0;
    for (;;) {
        ssize_t got = read(fd, password->text + length, sizeof password->text - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(err, "%s: %s", path, strerror(errno));
        char *end = memchr(password->text + length, '\n', (size_t)got);
        length += (size_t)got;
        if (end)
            length = (size_t)(end - password->text);
        if (!end && length == sizeof password->text)
            return error_set(err, "%s: its first line is longer than %d bytes", path,
                             PASSWORD_BYTES);
        if (end || got == 0)
            break;
    }
    if (length > 0 && password->text[length - 1] == '\r')
        length--;
    OPENSSL_cleanse(password->text + length, sizeof password->text - length);
    if (memchr(password->text, '\0', length))
        return error_set(err, "%s: its first line is no text", path);
    return is_fit(password, path, err);
}

bool password_read(struct password *password, const char *path, struct error *err)
{
    *password = (struct password){""};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, "%s: %s", path, strerror(errno));
    bool good = is_private(fd, path, err) && read_line(fd, path, password, err);
    close(fd);
    return good;
}

void password_done(struct password *password)
{
    OPENSSL_cleanse(password, sizeof *password);
}
