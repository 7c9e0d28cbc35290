// The calls of systemd's manager that a phase cannot do without, where units are to stand by for a
// domain that leaves without a word: the same calls as Berth makes, by libsystemd, which is loaded by
// the first of them.

#include "systemd.h"

#include <dlfcn.h>
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef struct sd_bus sd_bus;
typedef struct sd_bus_message sd_bus_message;
typedef struct {
  const char *name, *message;
  int is_static;
} sd_bus_error;
typedef int (*handler)(sd_bus_message *message, void *userdata, sd_bus_error *error);

static const char manager[] = "org.freedesktop.systemd1";
static const char path[] = "/org/freedesktop/systemd1";
static const char interface[] = "org.freedesktop.systemd1.Manager";
static const char unit_interface[] = "org.freedesktop.systemd1.Unit";

static sd_bus *bus;
static char ended_job[128];

// libsystemd's functions, by their names.
static int (*bus_new)(sd_bus **bus);
static int (*bus_set_address)(sd_bus *bus, const char *address);
static int (*bus_start)(sd_bus *bus);
static int (*bus_process)(sd_bus *bus, sd_bus_message **message);
static int (*bus_wait)(sd_bus *bus, uint64_t microseconds);
static int (*bus_match_signal)(
    sd_bus *bus, void **slot, const char *sender, const char *path, const char *interface,
    const char *member, handler callback, void *userdata);
static int (*bus_call_method)(
    sd_bus *bus, const char *destination, const char *path, const char *interface,
    const char *member, sd_bus_error *error, sd_bus_message **reply, const char *types, ...);
static int (*message_read)(sd_bus_message *message, const char *types, ...);

static void load(void) {
  void *library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
  if (!library) errx(1, "%s", dlerror());
  const struct {
    void *function;
    const char *name;
  } functions[] = {
      {&bus_new, "sd_bus_new"},
      {&bus_set_address, "sd_bus_set_address"},
      {&bus_start, "sd_bus_start"},
      {&bus_process, "sd_bus_process"},
      {&bus_wait, "sd_bus_wait"},
      {&bus_match_signal, "sd_bus_match_signal"},
      {&bus_call_method, "sd_bus_call_method"},
      {&message_read, "sd_bus_message_read"},
  };
  for (unsigned i = 0; i < sizeof functions / sizeof *functions; i++) {
    void *found = dlsym(library, functions[i].name);
    if (!found) errx(1, "libsystemd has no %s", functions[i].name);
    memcpy(functions[i].function, &found, sizeof found);
  }
}

static void check(int result, const char *what) {
  if (result < 0) errx(1, "%s: %s", what, strerror(-result));
}

static void connect_once(void) {
  if (bus) return;
  load();
  check(bus_new(&bus), "sd_bus_new");
  check(bus_set_address(bus, "unix:path=/run/systemd/private"), "sd_bus_set_address");
  check(bus_start(bus), "sd_bus_start");
}

static int note_end(sd_bus_message *message, void *userdata, sd_bus_error *error) {
  (void)userdata, (void)error;
  uint32_t number;
  const char *job;
  if (message_read(message, "uo", &number, &job) >= 0)
    snprintf(ended_job, sizeof ended_job, "%s", job);
  return 0;
}

static void subscribe(void) {
  check(
      bus_match_signal(bus, NULL, NULL, path, interface, "JobRemoved", note_end, NULL),
      "JobRemoved");
  check(bus_call_method(bus, manager, path, interface, "Subscribe", NULL, NULL, NULL), "Subscribe");
}

static void wait_for(sd_bus_message *reply) {
  const char *job;
  check(message_read(reply, "o", &job), "a job");
  while (strcmp(job, ended_job) != 0) {
    int done = bus_process(bus, NULL);
    check(done, "sd_bus_process");
    if (done == 0) check(bus_wait(bus, 5000000), "sd_bus_wait");
  }
}

/// A unit that is not there is stopped already.
static void stop(const char *unit) {
  bus_call_method(bus, manager, path, interface, "StopUnit", NULL, NULL, "ss", unit, "replace");
}

void systemd_expect(void) {
  connect_once();
  stop("floor-arrival.timer");
  subscribe();
  sd_bus_message *reply;
  check(
      bus_call_method(
          bus, manager, path, interface, "StartTransientUnit", NULL, &reply,
          "ssa(sv)a(sa(sv))", "floor-arrival.timer", "fail", 6,
          "Description", "s", "Give back what bench left if it never starts",
          "CollectMode", "s", "inactive-or-failed",
          "DefaultDependencies", "b", 1,
          "TimersMonotonic", "a(st)", 1, "OnActiveSec", (uint64_t)660000000,
          "AccuracyUSec", "t", (uint64_t)1000000,
          "RemainAfterElapse", "b", 0,
          1, "floor-arrival.service", 6,
          "Description", "s", "Give back what bench left if it never starts",
          "Type", "s", "oneshot",
          "RemainAfterExit", "b", 0,
          "CollectMode", "s", "inactive-or-failed",
          "DefaultDependencies", "b", 1,
          "ExecStart", "a(sasb)", 1, "/bin/true", 2, "/bin/true", "reconcile", 0),
      "StartTransientUnit");
  wait_for(reply);
}

void systemd_watch(const char *scope) {
  connect_once();
  sd_bus_message *reply;
  const char *object, *text;
  check(
      bus_call_method(
          bus, manager, path, interface, "LoadUnit", NULL, &reply, "s", "floor-guard.service"),
      "LoadUnit");
  check(message_read(reply, "o", &object), "LoadUnit");
  static const char *const states[] = {"LoadState", "ActiveState"};
  for (int i = 0; i < 2; i++) {
    sd_bus_message *state;
    check(
        bus_call_method(
            bus, manager, object, "org.freedesktop.DBus.Properties", "Get", NULL, &state, "ss",
            unit_interface, states[i]),
        states[i]);
    check(message_read(state, "v", "s", &text), states[i]);
  }
  subscribe();
  check(
      bus_call_method(
          bus, manager, path, interface, "StartTransientUnit", NULL, &reply,
          "ssa(sv)a(sa(sv))", "floor-guard.service", "fail", 10,
          "Description", "s", "Give back what bench leaves",
          "Type", "s", "oneshot",
          "RemainAfterExit", "b", 1,
          "CollectMode", "s", "inactive-or-failed",
          "DefaultDependencies", "b", 0,
          "BindsTo", "as", 1, scope,
          "After", "as", 1, scope,
          "ExecStart", "a(sasb)", 1, "/bin/true", 1, "/bin/true", 0,
          "ExecStopPost", "a(sasb)", 1, "/bin/true", 2, "/bin/true", "reconcile", 0,
          "TimeoutStopUSec", "t", (uint64_t)120000000, 0),
      "StartTransientUnit");
  wait_for(reply);
  stop("floor-arrival.timer");
}

void systemd_dismiss(void) {
  connect_once();
  stop("floor-arrival.timer");
  stop("floor-guard.service");
  stop("floor-follow.timer");
}
