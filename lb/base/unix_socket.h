/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets that are files: who may open the file may speak. The file is for its owner alone from the
 * moment it exists, whatever the process's umask is.
 */
#ifndef LB_BASE_UNIX_SOCKET_H
#define LB_BASE_UNIX_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

struct error;

/* The kernel's: sun_path, with its NUL. */
enum { UNIX_SOCKET_PATH_BYTES = 108 };

/** A listening socket and the file it made. */
struct unix_socket {
    int fd; /* non-blocking; -1: none */
    dev_t device;
    ino_t inode;
    char path[UNIX_SOCKET_PATH_BYTES];
};

/**
 * Make the file and listen on it. Its folder is made (0700) when it is missing, the one above must
 * be there. A file that a program left behind which lives no more is replaced.
 *
 * path     absolute
 * Fails:   somebody listens there; the path is too long; the file is no socket; no permission: err
 *          says which and what would be right. Nothing was changed then, but for the folder.
 * Thread:  any. Does not wait.
 */
bool unix_socket_open(struct unix_socket *socket, const char *path, struct error *err);

/** Remove the file, unless another program has put its own there; `fd` is left to its owner. */
void unix_socket_remove(const struct unix_socket *socket);

/** Connect a blocking socket; what is sent and received waits at most `timeout_ms`. -1 with errno.
 */
int unix_socket_connect(const char *path, unsigned timeout_ms);

/** Who is on the other end of a connection, as the kernel saw it when it was made. */
struct unix_peer {
    uid_t uid;
    pid_t pid;
};

/** Fails: it is no connection over a file. */
bool unix_socket_peer(int fd, struct unix_peer *ret_peer);

#endif
