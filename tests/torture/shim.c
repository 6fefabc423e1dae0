#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/types.h>
#include <sys/uio.h>

static volatile long counted = 0, at = -1;
static int mode = 0;
static char folder[4096];

void torture_arm(const char *where, long when, int how) {
    strncpy(folder, where, sizeof folder - 1);
    __atomic_store_n(&counted, 0, __ATOMIC_SEQ_CST);
    mode = how;
    at = when;
}
long torture_counted(void) { return counted; }

static int ours(int fd) {
    char link[64], path[4096];
    if (!folder[0]) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0) return 0;
    path[n] = 0;
    return strncmp(path, folder, strlen(folder)) == 0;
}
/* 0: go on, 1: write half and die, 2: fail */
static int now(int is_write) {
    long n = __atomic_add_fetch(&counted, 1, __ATOMIC_SEQ_CST);
    if (at < 0 || n < at) return 0;
    if (mode == 1) kill(getpid(), SIGKILL);
    if (mode == 2) { if (n == at && is_write) return 1; kill(getpid(), SIGKILL); }
    if (mode == 3 && is_write) { errno = ENOSPC; return 2; }
    if (mode == 4 && n == at) { errno = EIO; return 2; }
    return 0;
}
#define REAL(name) static __typeof__(name) *real = 0; if (!real) real = dlsym(RTLD_NEXT, #name)
#define ATTACK(fd, half) if (ours(fd)) { int w = now(1); if (w == 1) { half; kill(getpid(), SIGKILL); } if (w == 2) return -1; }

ssize_t write(int fd, const void *b, size_t n) { REAL(write); ATTACK(fd, real(fd, b, n / 2)) return real(fd, b, n); }
ssize_t pwrite(int fd, const void *b, size_t n, off_t o) { REAL(pwrite); ATTACK(fd, real(fd, b, n / 2, o)) return real(fd, b, n, o); }
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t o) { REAL(pwrite64); ATTACK(fd, real(fd, b, n / 2, o)) return real(fd, b, n, o); }
ssize_t writev(int fd, const struct iovec *v, int n) { REAL(writev); ATTACK(fd, real(fd, v, n / 2)) return real(fd, v, n); }
int fsync(int fd) { REAL(fsync); if (ours(fd) && now(0) == 2) return -1; return real(fd); }
int fdatasync(int fd) { REAL(fdatasync); if (ours(fd) && now(0) == 2) return -1; return real(fd); }
int ftruncate(int fd, off_t n) { REAL(ftruncate); if (ours(fd) && now(0) == 2) return -1; return real(fd, n); }
int ftruncate64(int fd, off64_t n) { REAL(ftruncate64); if (ours(fd) && now(0) == 2) return -1; return real(fd, n); }
int rename(const char *a, const char *b) { REAL(rename); if (folder[0] && !strncmp(b, folder, strlen(folder)) && now(0) == 2) return -1; return real(a, b); }
int unlink(const char *a) { REAL(unlink); if (folder[0] && !strncmp(a, folder, strlen(folder)) && now(0) == 2) return -1; return real(a); }
