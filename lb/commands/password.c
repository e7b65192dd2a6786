/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/password.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "lb/commands/word.h"

/* --- a line --------------------------------------------------------------------------------- */

/* whence: stands before each message. */
static bool is_fit(const struct password *password, const char *whence, struct error *err)
{
    if (password->text[0] == '\0')
        return error_set(err, "%s: the password is empty", whence);
    if (!word_is_utf8(password->text))
        return error_set(err, "%s: the password is no UTF-8 text", whence);
    return true;
}

/* A signal that came between a prompt and this must not be missed: they are let in only while it is
 * waited. let_in: the mask for that; NULL: a file, which need not be waited for. */
static bool wait_for(int fd, const sigset_t *let_in)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    return !let_in || ppoll(&ready, 1, NULL, let_in) >= 0;
}

/* A terminal gives one line at a time; of a file, what follows the line is thrown away. */
static bool read_line(int fd, const sigset_t *let_in, const char *whence, struct password *password,
                      struct error *err)
{
    size_t length = 0;
    for (;;) {
        ssize_t got = wait_for(fd, let_in)
                          ? read(fd, password->text + length, sizeof password->text - length)
                          : -1;
        if (got < 0 && errno == EINTR)
            return error_set(err, "%s: interrupted, nothing was done", whence);
        if (got < 0)
            return error_set(err, "%s: %s", whence, strerror(errno));
        char *end = memchr(password->text + length, '\n', (size_t)got);
        length = end ? (size_t)(end - password->text) : length + (size_t)got;
        if (!end && length == sizeof password->text)
            return error_set(err, "%s: the line is longer than %d bytes", whence, PASSWORD_BYTES);
        if (end || got == 0)
            break;
    }
    if (length > 0 && password->text[length - 1] == '\r')
        length--;
    OPENSSL_cleanse(password->text + length, sizeof password->text - length);
    if (memchr(password->text, '\0', length))
        return error_set(err, "%s: the line is no text", whence);
    return is_fit(password, whence, err);
}

/* --- from the terminal ---------------------------------------------------------------------- */

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
enum { ENDING_COUNT = sizeof ending / sizeof *ending };

/* It is enough that the waiting ends. */
static void on_signal(int number)
{
    (void)number;
}

/** What was, and what is while a line is waited for. */
struct signals {
    struct sigaction before[ENDING_COUNT];
    sigset_t mask_before;
    sigset_t let_in;
};

/* A signal interrupts the waiting instead of ending the process, whose terminal would stay mute. */
static void catch_signals(struct signals *signals)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t held;
    sigemptyset(&action.sa_mask);
    sigemptyset(&held);
    for (size_t i = 0; i < ENDING_COUNT; i++)
        sigaddset(&held, ending[i]);
    sigprocmask(SIG_BLOCK, &held, &signals->mask_before);
    signals->let_in = signals->mask_before;
    for (size_t i = 0; i < ENDING_COUNT; i++) {
        sigdelset(&signals->let_in, ending[i]);
        sigaction(ending[i], &action, &signals->before[i]);
    }
}

/* One that is still pending is taken by our handler, not by the one before. */
static void restore_signals(const struct signals *signals)
{
    sigprocmask(SIG_SETMASK, &signals->mask_before, NULL);
    for (size_t i = 0; i < ENDING_COUNT; i++)
        sigaction(ending[i], &signals->before[i], NULL);
}

static bool ask(int tty, const sigset_t *let_in, const char *prompt, struct password *password,
                struct error *err)
{
    dprintf(tty, "%s: ", prompt);
    bool good = read_line(tty, let_in, "terminal", password, err);
    dprintf(tty, "\n");
    return good;
}

static bool ask_twice(int tty, const sigset_t *let_in, const char *what, struct password *password,
                      struct error *err)
{
    struct password again = {""};
    char prompt[256];
    snprintf(prompt, sizeof prompt, "A new password for %s", what);
    bool good = ask(tty, let_in, prompt, password, err) &&
                ask(tty, let_in, "The same once more", &again, err);
    if (good && strcmp(password->text, again.text) != 0)
        good = error_set(err, "the two passwords differ: nothing was done");
    password_done(&again);
    return good;
}

/* The echo is off before the first prompt shows, so that who types ahead is not seen either. */
static bool ask_hidden(int tty, const char *what, struct password *password, struct error *err)
{
    struct signals signals;
    struct termios before, hidden;
    if (tcgetattr(tty, &before) != 0)
        return error_set(err, "the terminal cannot hide a password: %s", strerror(errno));
    hidden = before;
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    catch_signals(&signals);
    bool good = tcsetattr(tty, TCSAFLUSH, &hidden) == 0
                    ? ask_twice(tty, &signals.let_in, what, password, err)
                    : error_set(err, "the terminal cannot hide a password: %s", strerror(errno));
    tcsetattr(tty, TCSADRAIN, &before);
    restore_signals(&signals);
    return good;
}

bool password_ask(struct password *password, const char *what, struct error *err)
{
    int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    *password = (struct password){""};
    if (tty < 0)
        return error_set(err,
                         "there is no terminal to ask for the password of %s: write it into a "
                         "file of mode 0600 and give --password-file FILE",
                         what);
    bool good = ask_hidden(tty, what, password, err);
    close(tty);
    return good;
}

/* --- from a file ---------------------------------------------------------------------------- */

static bool is_private(int fd, const char *path, struct error *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return error_set(err, "%s: %s", path, strerror(errno));
    if (S_ISDIR(status.st_mode))
        return error_set(err, "%s: is a folder; the password stands in the first line of a file",
                         path);
    if (S_ISREG(status.st_mode) && (status.st_mode & S_IROTH))
        return error_set(err,
                         "%s: every user of this machine may read it (mode %04o): chmod 600 %s",
                         path, (unsigned)(status.st_mode & 07777), path);
    return true;
}

bool password_read(struct password *password, const char *path, struct error *err)
{
    *password = (struct password){""};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, "%s: %s", path, strerror(errno));
    bool good = is_private(fd, path, err) && read_line(fd, NULL, path, password, err);
    close(fd);
    return good;
}

void password_done(struct password *password)
{
    OPENSSL_cleanse(password, sizeof *password);
}
