#define _GNU_SOURCE
#include "clinux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Places below a folder

int clinux_open_root(const char *path) {
  int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

int clinux_open_below(int root, const char *path, int flags) {
  struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC), .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
  long fd = syscall(SYS_openat2, root, path, &how, sizeof how);
  if (fd >= 0) return (int)fd;
  int error = errno;
  struct stat status;
  // A folder that was taken away has no names left, and nothing in it.
  if (error == ENOENT && fstat(root, &status) == 0 && status.st_nlink == 0) return -ESTALE;
  return -error;
}

long clinux_read_below(int root, const char *path, int flags, void *bytes, size_t capacity) {
  int fd = clinux_open_below(root, path, flags);
  if (fd < 0) return fd;
  ssize_t length;
  do length = read(fd, bytes, capacity);
  while (length < 0 && errno == EINTR);
  int error = errno;
  close(fd);
  return length < 0 ? -error : length;
}

int clinux_link_flags(void) { return O_PATH | O_NOFOLLOW; }

int clinux_place_flags(void) { return O_PATH; }

long clinux_read_link(int fd, char *target, size_t capacity) {
  ssize_t length = readlinkat(fd, "", target, capacity);
  if (length >= 0) return length;
  // What is there, and is no link, has no target to be found (fs/stat.c, do_readlinkat()).
  return errno == ENOENT ? -EINVAL : -errno;
}

int clinux_open_names_of(int fd, void **names) {
  // Anew: a copy of the descriptor would go on where another one has stopped.
  int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (own < 0) return -errno;
  *names = fdopendir(own);
  if (*names) return 0;
  int error = errno;
  close(own);
  return -error;
}

// A folder that goes with its owner

/// Takes away what a folder holds, and follows no link.
static void empty(int folder) {
  DIR *names = fdopendir(folder);
  if (!names) {
    close(folder);
    return;
  }
  struct dirent *entry;
  while ((entry = readdir(names))) {
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    if (unlinkat(dirfd(names), entry->d_name, 0) == 0) continue;
    int below = openat(dirfd(names), entry->d_name,
                       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (below >= 0) empty(below);
    unlinkat(dirfd(names), entry->d_name, AT_REMOVEDIR);
  }
  closedir(names);
}

/// Waits until nobody has the other end of a pipe, then takes the folder away.
static _Noreturn void outlive(int pipe, const char *path) {
  static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
  for (size_t index = 0; index < sizeof ends / sizeof *ends; index++) signal(ends[index], SIG_IGN);
  // Whoever ends the owner's whole group or session does not mean this one.
  setsid();
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int number = 0; number < 3; number++) {
    if (number != pipe && (null < 0 || dup2(null, number) < 0)) close(number);
  }
  if (pipe > 3) close_range(3, (unsigned)pipe - 1, 0);
  close_range((unsigned)pipe + 1, UINT_MAX, 0);
  char byte;
  while (read(pipe, &byte, 1) < 0 && errno == EINTR) {
  }
  int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder >= 0) empty(folder);
  rmdir(path);
  _exit(0);
}

int clinux_keep_folder(const char *path, int *child) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
  *child = fork();
  if (*child == 0) {
    close(ends[1]);
    outlive(ends[0], path);
  }
  int error = errno;
  close(ends[0]);
  if (*child > 0) return ends[1];
  close(ends[1]);
  return -error;
}

void clinux_drop_folder(int keeper, int child) {
  close(keeper);
  while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
  }
}
