/* Counts the calls with which a checkpoint is written, and lets one of them fail, or kills the process before it.

   Loaded with LD_PRELOAD. `faults_arm(n, kind)` begins to count: before the n-th call from now the process gets SIGKILL
   (kind -1), or the call is not made and returns with errno = kind; `faults_arm(0, 0)` only counts. A call that fails
   does so once. `faults_disarm()` ends it and says how many calls there were. One thread at a time. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static int armed, at, kind, calls;

void faults_arm(int number, int what)
{
    at = number;
    kind = what;
    calls = 0;
    armed = 1;
}

int faults_disarm(void)
{
    armed = 0;
    return calls;
}

/* Whether this call is to fail; errno is set then. */
static int fails(void)
{
    if (!armed || ++calls != at)
        return 0;
    if (kind < 0)
        kill(getpid(), SIGKILL);
    errno = kind;
    return 1;
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define WRAP(type, name, parameters, arguments) \
    type name parameters \
    { \
        REAL(name); \
        return fails() ? -1 : real arguments; \
    }

#define WRAP_OPEN(name) \
    int name(const char *path, int flags, ...) \
    { \
        REAL(name); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        return fails() ? -1 : real(path, flags, mode); \
    }

#define WRAP_OPENAT(name) \
    int name(int folder, const char *path, int flags, ...) \
    { \
        REAL(name); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        return fails() ? -1 : real(folder, path, flags, mode); \
    }

WRAP_OPEN(open)
WRAP_OPEN(open64)
WRAP_OPENAT(openat)
WRAP_OPENAT(openat64)
WRAP(ssize_t, write, (int file, const void *data, size_t size), (file, data, size))
WRAP(ssize_t, pwrite, (int file, const void *data, size_t size, off_t place), (file, data, size, place))
WRAP(int, fsync, (int file), (file))
WRAP(int, fdatasync, (int file), (file))
WRAP(int, ftruncate, (int file, off_t size), (file, size))
WRAP(int, rename, (const char *from, const char *to), (from, to))
WRAP(int, renameat, (int old, const char *from, int new, const char *to), (old, from, new, to))
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP(int, mkdirat, (int folder, const char *path, mode_t mode), (folder, path, mode))
WRAP(int, unlink, (const char *path), (path))
WRAP(int, unlinkat, (int folder, const char *path, int flags), (folder, path, flags))
WRAP(int, rmdir, (const char *path), (path))

/* A file is closed, as the kernel does it, also where closing says that something went wrong. */
int close(int file)
{
    REAL(close);
    if (!fails())
        return real(file);
    real(file);
    errno = kind;
    return -1;
}
