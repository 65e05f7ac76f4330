/* A wall clock that a test can step, for one process and its children: LD_PRELOAD.
 * $FABCTL_STEPPED_CLOCK names a file with one int64: seconds that CLOCK_REALTIME is ahead.
 * What nobody can set (CLOCK_MONOTONIC, CLOCK_BOOTTIME) stays as it is, and no time server is
 * said to discipline the clock (adjtimex(2)): as on a Pi without a network to its time server.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>

static const volatile int64_t *ahead;
static int (*real)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("FABCTL_STEPPED_CLOCK");
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    void *page = file < 0 ? MAP_FAILED : mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    real = dlsym(RTLD_NEXT, "clock_gettime");
    if (page == MAP_FAILED || !real) abort();
    ahead = page;
}

int clock_gettime(clockid_t id, struct timespec *at) {
    int failed = real(id, at);
    if (!failed && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) at->tv_sec += *ahead;
    return failed;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}

int adjtimex(struct timex *buffer) {
    memset(buffer, 0, sizeof *buffer);
    return TIME_ERROR;
}
