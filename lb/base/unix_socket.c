/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two programs that begin at the same time must not both take the file of a dead one away: whoever
 * looks and replaces holds a lock on the folder meanwhile.
 */
#include "lb/base/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "lb/base/error.h"

enum { BACKLOG = 64 };

static bool name_socket(struct sockaddr_un *name, const char *path)
{
    size_t length = strlen(path);
    *name = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (length >= sizeof name->sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(name->sun_path, path, length);
    return true;
}

static int connect_to(const struct sockaddr_un *name, int fd)
{
    int result;
    do {
        result = connect(fd, (const struct sockaddr *)name, sizeof *name);
    } while (result != 0 && errno == EINTR);
    return result;
}

/* The folder of `path`, made if need be and locked: closing the descriptor unlocks it. -1: err. */
static int open_folder(const char *path, struct error *err)
{
    char folder[UNIX_SOCKET_PATH_BYTES];
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) + (slash == path) : 0;
    memcpy(folder, path, length);
    folder[length] = '\0';
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
        error_set(err, "cannot make the folder %s: %s", folder, strerror(errno));
        return -1;
    }
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        error_set(err, "cannot open the folder %s: %s", folder, strerror(errno));
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    error_set(err, "cannot lock the folder %s: %s", folder,
              errno == EWOULDBLOCK ? "another program makes a socket there now" : strerror(errno));
    close(fd);
    return -1;
}

/* Does a program answer? A full queue (EAGAIN) is a living one, too. */
static bool is_answered(const struct sockaddr_un *name)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return true; /* nobody knows: do no harm */
    bool answered = connect_to(name, fd) == 0 || errno != ECONNREFUSED;
    close(fd);
    return answered;
}

static bool make_way(const struct sockaddr_un *name, struct error *err)
{
    struct stat status;
    const char *path = name->sun_path;
    if (lstat(path, &status) != 0)
        return errno == ENOENT || error_set(err, "%s: %s", path, strerror(errno));
    if (!S_ISSOCK(status.st_mode))
        return error_set(err, "%s is there already and no socket: remove it or name another path",
                         path);
    if (is_answered(name))
        return error_set(err, "another program listens on %s: stop it or name another path", path);
    return unlink(path) == 0 || error_set(err, "cannot remove %s, which a program left behind: %s",
                                          path, strerror(errno));
}

/* fchmod before bind: the file gets this mode when it is made, so that nobody else is quick enough.
 */
static bool bind_and_listen(struct unix_socket *made, const struct sockaddr_un *name,
                            struct error *err)
{
    struct stat status;
    if (fchmod(made->fd, 0600) != 0 ||
        bind(made->fd, (const struct sockaddr *)name, sizeof *name) != 0)
        return error_set(err, "cannot make the socket %s: %s", made->path, strerror(errno));
    if (chmod(made->path, 0600) != 0 || lstat(made->path, &status) != 0 ||
        listen(made->fd, BACKLOG) != 0) {
        error_set(err, "cannot listen on the socket %s: %s", made->path, strerror(errno));
        unlink(made->path);
        return false;
    }
    made->device = status.st_dev;
    made->inode = status.st_ino;
    return true;
}

static bool open_in_folder(struct unix_socket *made, const struct sockaddr_un *name,
                           struct error *err)
{
    if (!make_way(name, err))
        return false;
    made->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (made->fd < 0)
        return error_set(err, "no socket for %s: %s", made->path, strerror(errno));
    if (bind_and_listen(made, name, err))
        return true;
    close(made->fd);
    made->fd = -1;
    return false;
}

bool unix_socket_open(struct unix_socket *made, const char *path, struct error *err)
{
    struct sockaddr_un name;
    *made = (struct unix_socket){.fd = -1};
    if (!name_socket(&name, path))
        return error_set(err,
                         "%s has %zu bytes: the path of a socket may have %d; name a shorter one",
                         path, strlen(path), UNIX_SOCKET_PATH_BYTES - 1);
    memcpy(made->path, name.sun_path, sizeof made->path);
    int folder = open_folder(path, err);
    if (folder < 0)
        return false;
    bool opened = open_in_folder(made, &name, err);
    close(folder);
    return opened;
}

void unix_socket_remove(const struct unix_socket *made)
{
    struct stat status;
    if (lstat(made->path, &status) == 0 && status.st_dev == made->device &&
        status.st_ino == made->inode)
        unlink(made->path);
}

int unix_socket_connect(const char *path, unsigned timeout_ms)
{
    struct sockaddr_un name;
    if (!name_socket(&name, path))
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    struct timeval wait = {.tv_sec = timeout_ms / 1000,
                           .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000};
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) == 0 &&
        connect_to(&name, fd) == 0)
        return fd;
    int failure = errno;
    close(fd);
    errno = failure;
    return -1;
}

bool unix_socket_peer(int fd, struct unix_peer *ret_peer)
{
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0 ||
        length != sizeof credentials || credentials.pid == 0)
        return false;
    *ret_peer = (struct unix_peer){.uid = credentials.uid, .pid = credentials.pid};
    return true;
}
