// The least that each phase of the benchmark's domain costs: a C program that is called like the
// hook and makes the reads and writes that the phase cannot do without.
//
// usage: floor NAME OPERATION SUB-OPERATION EXTRA <DOMAIN.xml      (as libvirt calls a hook)
//        floor status
//
// It decides nothing: pages, node and threads are the benchmark's own (64 pages of 2 MiB on node
// 0; vCPUs and iothread on the last CPU, the rest on CPU 0; SCHED_FIFO 1). It reads each file
// once, saves its ledger before the first write to the host and after the last one, as whoever
// may be killed in between has to, and grows the pool in a child that it could leave behind. Its
// ledger is a struct about as large as Berth's text. The XML and the
// policy are read and not parsed.
//
// Built with WITH_SYSTEMD it is the second floor: it asks systemd for what Berth asks of it, too.

#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef WITH_SYSTEMD
#include "systemd.h"
enum { asks_systemd = 1 };
#else
enum { asks_systemd = 0 };
static void systemd_expect(void) {}
static void systemd_watch(const char *scope) { (void)scope; }
static void systemd_dismiss(void) {}
#endif

enum { pages = 64, priority = 1, most_threads = 16 };

static const char pool[] = "/sys/devices/system/node/node0/hugepages/hugepages-2048kB";
static const char state[] = "/run/berth-floor";

static char text[1 << 16];

/// A file's text, in one buffer for all; empty where there is no such file.
static const char *slurp(const char *path) {
  ssize_t length = 0, count = 0;
  int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : 0;
  if (fd >= 0) {
    while ((count = read(fd, text + length, sizeof text - 1 - length)) > 0) length += count;
    if (fd > 0) close(fd);
  }
  text[length] = 0;
  return text;
}

static const char *slurp_in(const char *directory, const char *name) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  return slurp(path);
}

static long number_in(const char *directory, const char *name) {
  return atol(slurp_in(directory, name));
}

static void each_name(const char *directory, const char *prefix, void (*visit)(const char *path)) {
  DIR *names = opendir(directory);
  struct dirent *entry;
  while (names && (entry = readdir(names))) {
    if (entry->d_name[0] == '.' || strncmp(entry->d_name, prefix, strlen(prefix)) != 0) continue;
    char path[512];
    snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
    visit(path);
  }
  if (names) closedir(names);
}

static void visit_node_pool(const char *path) {
  number_in(path, "nr_hugepages");
  number_in(path, "free_hugepages");
  number_in(path, "surplus_hugepages");
}

static void visit_host_pool(const char *path) {
  number_in(path, "free_hugepages");
  number_in(path, "resv_hugepages");
}

static void visit_node(const char *path) {
  if (path[strlen(path) - 1] > '9') return;
  slurp_in(path, "cpulist");
  slurp_in(path, "meminfo");
  char pools[512];
  snprintf(pools, sizeof pools, "%s/hugepages", path);
  each_name(pools, "hugepages-", visit_node_pool);
}

static void read_cpus(void) {
  slurp("/proc/sys/kernel/osrelease");
  slurp("/sys/devices/system/cpu/online");
  slurp("/sys/devices/system/cpu/possible");
  for (long cpu = 0; cpu < sysconf(_SC_NPROCESSORS_ONLN); cpu++) {
    char path[128];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%ld/topology/thread_siblings_list", cpu);
    slurp(path);
  }
}

static void read_memory(void) {
  slurp("/proc/meminfo");
  each_name("/sys/kernel/mm/hugepages", "hugepages-", visit_host_pool);
  each_name("/sys/devices/system/node", "node", visit_node);
  access("/sys/module/zfs", F_OK);
  access("/proc/spl", F_OK);
}

static long persistent_pages(void) {
  return number_in(pool, "nr_hugepages") - number_in(pool, "surplus_hugepages");
}

// The ledger

struct thread {
  int tid, policy, priority;
  enum { other, iothread, vcpu } role;
  cpu_set_t cpus;
};

static struct ledger {
  long pages_before, pages_taken;
  int pid, count;
  struct thread threads[most_threads];
} ledger;

static int folder = -1;

static int load(void) {
  int fd = openat(folder, "ledger", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return 0;
  if (read(fd, &ledger, sizeof ledger) != sizeof ledger) errx(1, "the ledger is short");
  close(fd);
  slurp("/proc/sys/kernel/random/boot_id");
  return 1;
}

static void save(void) {
  int fd = openat(folder, "ledger.new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (write(fd, &ledger, sizeof ledger) != sizeof ledger || fsync(fd) < 0) err(1, "ledger.new");
  close(fd);
  if (renameat(folder, "ledger.new", folder, "ledger") < 0 || fsync(folder) < 0) err(1, "ledger");
}

static void open_folder(void) { folder = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC); }

static void lock(void) {
  mkdir(state, 0700);
  if (folder < 0) open_folder();
  int fd = openat(folder, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (flock(fd, LOCK_EX) < 0 || dprintf(fd, "%d\n", getpid()) < 0) err(1, "lock");
}

// The phases

/// Writes where the writer could be killed or left behind, and reads back.
static void resize_pool(long count) {
  int report[2];
  if (pipe2(report, O_CLOEXEC) < 0) err(1, "pipe2");
  pid_t child = fork();
  if (child == 0) {
    char path[128], value[24];
    snprintf(path, sizeof path, "%s/nr_hugepages", pool);
    close_range(0, 2, 0);
    // O_TRUNC means nothing to a kernel file; of a made host's it takes the old text away.
    int fd = open(path, O_WRONLY | O_TRUNC);
    long done = write(fd, value, snprintf(value, sizeof value, "%ld", count));
    _exit(write(report[1], &done, sizeof done) == sizeof done ? 0 : 1);
  }
  struct pollfd entry = {.fd = report[0], .events = POLLIN};
  long done;
  if (poll(&entry, 1, 30000) != 1 || read(report[0], &done, sizeof done) != sizeof done) _exit(1);
  waitpid(child, NULL, 0);
  if (persistent_pages() != count) errx(1, "the pool did not become %ld pages", count);
}

static void prepare(void) {
  slurp("/proc/self/stat");
  lock();
  read_cpus();
  read_memory();
  slurp("/proc/sys/kernel/sched_rt_runtime_us");
  slurp("/proc/sys/kernel/random/boot_id");
  ledger.pages_before = persistent_pages();
  save();
  resize_pool(ledger.pages_before + pages);
  ledger.pages_taken = pages;
  save();
  if (asks_systemd) systemd_expect();
}

static void start(void) {
  if (!load()) errx(1, "prepare comes first");
  read_cpus();
  read_memory();
}

static void visit_thread(const char *path) {
  if (ledger.count == most_threads) errx(1, "too many threads");
  struct thread *thread = &ledger.threads[ledger.count++];
  struct sched_param param;
  thread->tid = atoi(strrchr(path, '/') + 1);
  slurp_in(path, "comm");
  thread->role = !strncmp(text, "CPU ", 4) ? vcpu : !strncmp(text, "IO ", 3) ? iothread : other;
  slurp_in(path, "stat");
  if (thread->role == vcpu) slurp_in(path, "cgroup");
  sched_getaffinity(thread->tid, sizeof thread->cpus, &thread->cpus);
  thread->policy = sched_getscheduler(thread->tid);
  sched_getparam(thread->tid, &param);
  thread->priority = param.sched_priority;
}

/// The last CPU that this process may run on.
static int last_cpu(void) {
  cpu_set_t own;
  int last = CPU_SETSIZE - 1;
  sched_getaffinity(0, sizeof own, &own);
  while (last > 0 && !CPU_ISSET(last, &own)) last--;
  return last;
}

/// The unit of systemd's scope that a process is in, from the text of its `cgroup`; empty for none.
static const char *scope_in(char *groups) {
  char *end = strstr(groups, ".scope");
  if (!end) return "";
  end[strlen(".scope")] = 0;
  char *slash = strrchr(groups, '/');
  return slash ? slash + 1 : groups;
}

static void started(void) {
  if (!load()) errx(1, "prepare comes first");
  lock();
  read_cpus();
  ledger.pid = atoi(slurp("/run/libvirt/qemu/bench.pid"));
  char process[64], tasks[80];
  snprintf(process, sizeof process, "/proc/%d", ledger.pid);
  snprintf(tasks, sizeof tasks, "%s/task", process);
  slurp_in(process, "stat");
  slurp_in(process, "cmdline");
  char scope[256] = "";
  slurp_in(process, "cgroup");
  if (asks_systemd) snprintf(scope, sizeof scope, "%.200s", scope_in(text));
  each_name(tasks, "", visit_thread);
  slurp("/proc/sys/kernel/random/boot_id");
  save();
  int last = last_cpu();
  for (int i = 0; i < ledger.count; i++) {
    struct thread *thread = &ledger.threads[i];
    struct sched_param param = {.sched_priority = priority};
    cpu_set_t cpus, standing;
    CPU_ZERO(&cpus);
    CPU_SET(thread->role == other ? 0 : last, &cpus);
    if (sched_setaffinity(thread->tid, sizeof cpus, &cpus) < 0) err(1, "sched_setaffinity");
    sched_getaffinity(thread->tid, sizeof standing, &standing);
    if (thread->role != vcpu) continue;
    if (sched_setscheduler(thread->tid, SCHED_FIFO | SCHED_RESET_ON_FORK, &param) < 0)
      err(1, "sched_setscheduler");
    sched_getscheduler(thread->tid);
    sched_getparam(thread->tid, &param);
  }
  save();
  if (*scope) systemd_watch(scope);
}

/// The threads are gone by now; each is looked for.
static void release(void) {
  if (!load()) return;
  lock();
  for (int i = 0; i < ledger.count; i++) {
    char path[80];
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", ledger.pid, ledger.threads[i].tid);
    if (*slurp(path)) errx(1, "thread %d is still there", ledger.threads[i].tid);
  }
  long standing = persistent_pages();
  ledger.count = 0;
  save();
  resize_pool(standing - ledger.pages_taken);
  unlinkat(folder, "ledger", 0);
  fsync(folder);
  if (asks_systemd) systemd_dismiss();
}

static void status(void) {
  open_folder();
  if (!load()) return;
  printf("pages %ld, were %ld\n", persistent_pages(), ledger.pages_before);
  for (int i = 0; i < ledger.count; i++) {
    char path[80];
    cpu_set_t cpus;
    struct thread *thread = &ledger.threads[i];
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", ledger.pid, thread->tid);
    slurp(path);
    sched_getaffinity(thread->tid, sizeof cpus, &cpus);
    printf("thread %d: %d CPUs, policy %d\n", thread->tid, CPU_COUNT(&cpus),
           sched_getscheduler(thread->tid));
  }
}

int main(int argc, char **argv) {
  if (argc == 2 && !strcmp(argv[1], "status")) return status(), 0;
  if (argc != 5 || geteuid() != 0) return 0;
  static const struct {
    const char *operation;
    void (*play)(void);
  } phases[] = {{"prepare", prepare}, {"start", start}, {"started", started}, {"release", release}};
  for (unsigned i = 0; i < sizeof phases / sizeof *phases; i++) {
    if (strcmp(argv[2], phases[i].operation) != 0) continue;
    int asks = strstr(slurp("-"), "<hugepages>") != NULL;
    slurp("/etc/berth/berth.toml");
    open_folder();
    if (asks) phases[i].play();
    return 0;
  }
  return 0;
}
