/* SPDX-License-Identifier: Apache-2.0 */
/* Child processes of a test. */
#include "tests/support/process.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/eventually.h"

const char *process_lb(void)
{
    const char *path = getenv("LB_BINARY");
    ck_assert_msg(path != NULL, "LB_BINARY must name the program under test");
    return path;
}

/* Only what may be called between vfork and exec of a program that has threads. */
static void become(const char *const *argv, int output)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    signal(SIGPIPE, SIG_DFL);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

/* fork() would wait in the child for locks that other threads of the test have in that moment, some
 * of them of a sanitizer's runtime: once in some thousand starts for ever. */
static pid_t start_into(const char *const *argv, int output)
{
    pid_t pid = vfork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        become(argv, output);
    return pid;
}

pid_t process_start(const char *const *argv, const char *output_path)
{
    int output = open(output_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ck_assert_int_ge(output, 0);
    pid_t pid = start_into(argv, output);
    close(output);
    return pid;
}

static int status_of(int wait_status)
{
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

int process_wait(pid_t pid)
{
    int wait_status = 0;
    eventually(waitpid(pid, &wait_status, WNOHANG) == pid);
    return status_of(wait_status);
}

bool process_has_ended(pid_t pid)
{
    siginfo_t info = {0};
    ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
    return info.si_pid == pid;
}

int process_run(const char *const *argv, struct text *said)
{
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = start_into(argv, ends[1]);
    close(ends[1]);
    char piece[4096];
    ssize_t length;
    while ((length = read(ends[0], piece, sizeof piece)) > 0)
        if (said != NULL)
            text_add(said, piece, (size_t)length);
    close(ends[0]);
    if (said != NULL)
        text_add(said, "", 0);
    return process_wait(pid);
}

void process_shell(const char *folder, const char *command)
{
    struct text script = {0};
    struct text said = {0};
    text_add_format(&script, "set -e; cd '%s'; %s", folder, command);
    const char *argv[] = {"/bin/sh", "-c", script.bytes, NULL};
    int status = process_run(argv, &said);
    ck_assert_msg(status == 0, "`%s` ended with %d: %s", command, status, said.bytes);
    text_done(&script);
    text_done(&said);
}

void process_measure(void)
{
    setenv("ASAN_OPTIONS", "quarantine_size_mb=2:thread_local_quarantine_size_kb=64", 0);
}

long process_memory_kib(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    char line[256];
    long kib = -1;
    while (kib < 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "VmRSS:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    fclose(file);
    ck_assert_int_gt(kib, 0);
    return kib;
}

unsigned process_descriptors(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *folder = opendir(path);
    ck_assert_ptr_nonnull(folder);
    unsigned count = 0;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}
