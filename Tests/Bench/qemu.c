// Stands in for a domain's QEMU: its threads have QEMU's names and do nothing.
//
// usage: qemu-system-x86_64 -name guest=bench,debug-threads=on -pidfile FILE
//                           [-smp VCPUS] [-workers COUNT] [-qmp SOCKET]
//
// Beside its vCPUs it has one iothread and its workers. On the socket it names its threads to who
// asks by QMP as Berth does.

#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { most_threads = 4096 };

static pthread_barrier_t named;
static struct thread {
  char name[16];
  int tid;
} threads[most_threads];

static void *idle(void *argument) {
  struct thread *thread = argument;
  prctl(PR_SET_NAME, thread->name);
  thread->tid = gettid();
  pthread_barrier_wait(&named);
  for (;;) pause();
  return NULL;
}

static int listen_at(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  unlink(path);
  return bind(fd, (void *)&address, sizeof address) < 0 || listen(fd, 1) < 0 ? -1 : fd;
}

/// Answers one client, a command a line.
static void answer(int client, unsigned vcpus) {
  FILE *in = fdopen(client, "r"), *out = fdopen(dup(client), "w");
  char line[4096];
  fprintf(out, "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n");
  fflush(out);
  while (fgets(line, sizeof line, in)) {
    const char *id = strstr(line, "\"id\"");
    int number = id ? atoi(id + 4 + strcspn(id + 4, "0123456789")) : 0;
    fprintf(out, "{\"return\": ");
    if (strstr(line, "query-cpus-fast")) {
      for (unsigned i = 0; i < vcpus; i++)
        fprintf(out, "%c{\"cpu-index\": %u, \"thread-id\": %d}", i ? ',' : '[', i, threads[i].tid);
      fprintf(out, "]");
    } else if (strstr(line, "query-iothreads")) {
      fprintf(out, "[{\"id\": \"iothread-virtioscsi0\", \"thread-id\": %d}]", threads[vcpus].tid);
    } else {
      fprintf(out, "{}");
    }
    if (id) fprintf(out, ", \"id\": %d", number);
    fprintf(out, "}\r\n");
    fflush(out);
  }
  fclose(in);
  fclose(out);
}

int main(int argc, char **argv) {
  unsigned vcpus = 2, workers = 1;
  const char *pidfile = NULL, *qmp = NULL;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (!strcmp(argv[i], "-smp")) vcpus = atoi(argv[i + 1]);
    if (!strcmp(argv[i], "-workers")) workers = atoi(argv[i + 1]);
    if (!strcmp(argv[i], "-pidfile")) pidfile = argv[i + 1];
    if (!strcmp(argv[i], "-qmp")) qmp = argv[i + 1];
  }
  const unsigned count = vcpus + 1 + workers;
  if (!pidfile || count > most_threads) return 2;
  // A benchmark that is killed takes its stand-in with it.
  prctl(PR_SET_PDEATHSIG, 9);
  prctl(PR_SET_NAME, "qemu-system-x86");
  int listener = qmp ? listen_at(qmp) : -1;
  if (qmp && listener < 0) return 1;
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 64 << 10);
  pthread_barrier_init(&named, NULL, count + 1);
  for (unsigned i = 0; i < count; i++) {
    char *name = threads[i].name;
    if (i < vcpus) snprintf(name, 16, "CPU %u/KVM", i);
    else strcpy(name, i > vcpus ? "worker" : qmp ? "IO iothread-vir" : "IO iothread1");
    pthread_t thread;
    if (pthread_create(&thread, &small, idle, &threads[i]) != 0) return 1;
  }
  // Until a thread has its own name, a reader sees the parent's.
  pthread_barrier_wait(&named);
  FILE *file = fopen(pidfile, "w");
  if (!file || fprintf(file, "%d", getpid()) < 0 || fclose(file) != 0) return 1;
  for (;;) {
    if (listener < 0) pause();
    else answer(accept(listener, NULL, NULL), vcpus);
  }
}
