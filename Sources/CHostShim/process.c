#define _GNU_SOURCE
#include "CHostShim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Runs between fork and exec: only async-signal-safe calls. Returns errno of what failed.
static int become(
    int executable, char *const *arguments, char *const *environment, const int *descriptors, size_t descriptor_count,
    int dies_with_parent, pid_t parent, int report, int *report_moved) {
    int staged[HOST_SHIM_DESCRIPTORS_MAX];
    int base = 3 + HOST_SHIM_DESCRIPTORS_MAX;
    // First out of the way, then into place, so that no descriptor overwrites one that is still needed.
    for (size_t index = 0; index < descriptor_count; index++) {
        staged[index] = fcntl(descriptors[index], F_DUPFD_CLOEXEC, base);
        if (staged[index] < 0) return errno;
    }
    int program = fcntl(executable, F_DUPFD_CLOEXEC, base);
    if (program < 0) return errno;
    // The report's own descriptor may be overwritten below.
    int status = fcntl(report, F_DUPFD_CLOEXEC, base);
    if (status < 0) return errno;
    *report_moved = status;
    for (size_t index = 0; index < descriptor_count; index++)
        if (dup2(staged[index], 3 + (int)index) < 0) return errno;
    if (syscall(SYS_close_range, 3 + (unsigned)descriptor_count, ~0U, CLOSE_RANGE_CLOEXEC) < 0) return errno;

    // Ctrl-C in a terminal goes to the launcher alone, which then stops its children in order.
    setpgid(0, 0);
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) sigaction(number, &standard, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dies_with_parent) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) return errno;
        if (getppid() != parent) return ECANCELED;
    }
    // By descriptor: what runs is the file that was measured, whatever its name points to by now.
    syscall(SYS_execveat, program, "", arguments, environment, AT_EMPTY_PATH);
    return errno;
}

pid_t host_shim_spawn(
    int executable, char *const *arguments, char *const *environment, const int *descriptors, size_t descriptor_count,
    int dies_with_parent) {
    int report[2];
    if (descriptor_count > HOST_SHIM_DESCRIPTORS_MAX) return -EINVAL;
    if (pipe2(report, O_CLOEXEC) < 0) return -errno;
    pid_t parent = getpid();
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);  // a handler of ours must not run in the child
    pid_t child = fork();
    if (child == 0) {
        int status = report[1];
        int failure = become(
            executable, arguments, environment, descriptors, descriptor_count, dies_with_parent, parent, report[1],
            &status);
        (void)!write(status, &failure, sizeof failure);
        _exit(127);
    }
    int failure = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(report[1]);
    if (child < 0) {
        close(report[0]);
        return -failure;
    }
    ssize_t got;
    do got = read(report[0], &failure, sizeof failure);
    while (got < 0 && errno == EINTR);
    close(report[0]);
    if (got == (ssize_t)sizeof failure) {
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
        return -failure;
    }
    return child;
}

int host_shim_pidfd_open(pid_t process) {
    int descriptor = (int)syscall(SYS_pidfd_open, process, 0);
    return descriptor < 0 ? -errno : descriptor;
}
