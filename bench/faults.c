/* Faults of a machine, for drills: a clock that is wrong and a disk that is full.

   Preloaded into a server, this reads two numbers of a file that a drill writes while the server
   runs: so many seconds the clock is off, and whether nothing may be written below a folder.
   UNROT_FAULTS names the file, UNROT_FAULTS_BELOW the folder. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct faults {
  int64_t seconds_off;
  int64_t is_full;
};

static const struct faults none;
static const volatile struct faults *now = &none;
static const char *below = "";

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("UNROT_FAULTS");
  const char *folder = getenv("UNROT_FAULTS_BELOW");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *made = mmap(NULL, sizeof(struct faults), PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (made != MAP_FAILED) now = made;
  if (folder) below = folder;
}

static int is_refused(int file) {
  char link[64], path[4096];
  if (!now->is_full) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t size = readlink(link, path, sizeof path - 1);
  if (size < 0) return 0;
  path[size] = 0;
  return strncmp(path, below, strlen(below)) == 0;
}

#define REAL(name) static __typeof__(name) *real; if (!real) real = dlsym(RTLD_NEXT, #name)
#define REFUSE(file) if (is_refused(file)) return errno = ENOSPC, -1

int clock_gettime(clockid_t clock, struct timespec *told) {
  REAL(clock_gettime);
  int done = real(clock, told);
  if (!done && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    told->tv_sec += now->seconds_off;
  return done;
}

int gettimeofday(struct timeval *told, void *zone) {
  REAL(gettimeofday);
  int done = real(told, zone);
  if (!done) told->tv_sec += now->seconds_off;
  return done;
}

time_t time(time_t *told) {
  struct timespec spec;
  clock_gettime(CLOCK_REALTIME, &spec);
  if (told) *told = spec.tv_sec;
  return spec.tv_sec;
}

ssize_t write(int file, const void *data, size_t size) {
  REAL(write);
  REFUSE(file);
  return real(file, data, size);
}

ssize_t writev(int file, const struct iovec *parts, int count) {
  REAL(writev);
  REFUSE(file);
  return real(file, parts, count);
}

ssize_t pwrite64(int file, const void *data, size_t size, off64_t offset) {
  REAL(pwrite64);
  REFUSE(file);
  return real(file, data, size, offset);
}

ssize_t pwrite(int file, const void *data, size_t size, off_t offset) {
  REAL(pwrite);
  REFUSE(file);
  return real(file, data, size, offset);
}

int ftruncate64(int file, off64_t size) {
  REAL(ftruncate64);
  REFUSE(file);
  return real(file, size);
}

int posix_fallocate64(int file, off64_t offset, off64_t size) {
  REAL(posix_fallocate64);
  if (is_refused(file)) return ENOSPC;
  return real(file, offset, size);
}
