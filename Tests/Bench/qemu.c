// Stands in for a domain's QEMU: its threads have QEMU's names and do nothing.
//
// usage: qemu-system-x86_64 -name guest=bench,debug-threads=on PIDFILE

#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

static pthread_barrier_t named;

static void *idle(void *name) {
  prctl(PR_SET_NAME, name);
  pthread_barrier_wait(&named);
  pause();
  return NULL;
}

int main(int argc, char **argv) {
  static char *const names[] = {"CPU 0/KVM", "CPU 1/KVM", "IO iothread1", "worker"};
  // A benchmark that is killed takes its stand-in with it.
  prctl(PR_SET_PDEATHSIG, 9);
  prctl(PR_SET_NAME, "qemu-system-x86");
  const unsigned count = sizeof names / sizeof *names;
  pthread_barrier_init(&named, NULL, count + 1);
  for (unsigned i = 0; i < count; i++) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, idle, names[i]) != 0) return 1;
  }
  // Until a thread has its own name, a reader sees the parent's.
  pthread_barrier_wait(&named);
  FILE *file = fopen(argv[argc - 1], "w");
  if (!file || fprintf(file, "%d", getpid()) < 0 || fclose(file) != 0) return 1;
  for (;;) pause();
}
