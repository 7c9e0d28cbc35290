// Runs a command and appends to a file what it cost.
//
// usage: measure FILE COMMAND [ARGUMENT...]
//
// Prints one line: wall microseconds, CPU microseconds of the command and its children, peak
// resident KiB, page faults without and with input. It is a program of its own because a child's peak memory counts from before its
// exec(2): a large parent, such as Python, would be measured with it.

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000L + now.tv_nsec / 1000;
}

static long us(struct timeval time) { return time.tv_sec * 1000000L + time.tv_usec; }

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  FILE *report = fopen(argv[1], "ae");
  if (!report) return 2;
  long began = now_us();
  pid_t child = vfork();
  if (child == 0) {
    execvp(argv[2], argv + 2);
    _exit(127);
  }
  int status;
  struct rusage used;
  if (child < 0 || wait4(child, &status, 0, &used) < 0) return 2;
  long wall = now_us() - began;
  fprintf(report, "%ld %ld %ld %ld %ld\n", wall, us(used.ru_utime) + us(used.ru_stime),
          used.ru_maxrss, used.ru_minflt, used.ru_majflt);
  if (fclose(report) != 0) return 2;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
