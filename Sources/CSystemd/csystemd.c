#include "csystemd.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>

// Never closed: the library stays for as long as the process, as if it had been linked.
static void *find(const char *name) {
  static void *library;
  if (!library) library = dlopen("libsystemd.so.0", RTLD_LAZY | RTLD_LOCAL);
  return library ? dlsym(library, name) : NULL;
}

// Defines a function as that of the library with the same name, or as returning `missing`.
//
// Hidden, as the library looks its own functions up by name, too, and is to find its own.
#define FORWARD(result, missing, name, parameters, arguments)   \
  __attribute__((visibility("hidden"))) result name parameters {\
    static __typeof__(&name) loaded;                            \
    if (!loaded) loaded = (__typeof__(&name))find(#name);       \
    if (!loaded) return missing;                                \
    return loaded arguments;                                    \
  }

#define CALL(name, parameters, arguments) FORWARD(int, -ELIBACC, name, parameters, arguments)

CALL(sd_bus_new, (sd_bus **bus), (bus))
CALL(sd_bus_open_system, (sd_bus **bus), (bus))
CALL(sd_bus_set_address, (sd_bus *bus, const char *address), (bus, address))
CALL(sd_bus_start, (sd_bus *bus), (bus))
CALL(sd_bus_is_open, (sd_bus *bus), (bus))
CALL(sd_bus_is_ready, (sd_bus *bus), (bus))
CALL(sd_bus_process, (sd_bus *bus, sd_bus_message **message), (bus, message))
CALL(sd_bus_wait, (sd_bus *bus, uint64_t microseconds), (bus, microseconds))
CALL(sd_bus_set_method_call_timeout, (sd_bus *bus, uint64_t microseconds), (bus, microseconds))
CALL(sd_bus_call,
     (sd_bus *bus, sd_bus_message *message, uint64_t microseconds, sd_bus_error *error,
      sd_bus_message **reply),
     (bus, message, microseconds, error, reply))
CALL(sd_bus_match_signal,
     (sd_bus *bus, sd_bus_slot **slot, const char *sender, const char *path,
      const char *interface, const char *member, sd_bus_message_handler_t handler, void *context),
     (bus, slot, sender, path, interface, member, handler, context))
CALL(sd_bus_message_new_method_call,
     (sd_bus *bus, sd_bus_message **message, const char *destination, const char *path,
      const char *interface, const char *member),
     (bus, message, destination, path, interface, member))
CALL(sd_bus_message_append_basic, (sd_bus_message *message, char type, const void *value),
     (message, type, value))
CALL(sd_bus_message_append_array,
     (sd_bus_message *message, char type, const void *values, size_t size),
     (message, type, values, size))
CALL(sd_bus_message_open_container, (sd_bus_message *message, char type, const char *contents),
     (message, type, contents))
CALL(sd_bus_message_close_container, (sd_bus_message *message), (message))
CALL(sd_bus_message_read_basic, (sd_bus_message *message, char type, void *value),
     (message, type, value))
CALL(sd_bus_message_read_array,
     (sd_bus_message *message, char type, const void **values, size_t *size),
     (message, type, values, size))
CALL(sd_bus_message_enter_container, (sd_bus_message *message, char type, const char *contents),
     (message, type, contents))
CALL(sd_bus_message_exit_container, (sd_bus_message *message), (message))

FORWARD(sd_bus *, NULL, sd_bus_close_unref, (sd_bus *bus), (bus))
FORWARD(sd_bus_message *, NULL, sd_bus_message_ref, (sd_bus_message *message), (message))
FORWARD(sd_bus_message *, NULL, sd_bus_message_unref, (sd_bus_message *message), (message))
FORWARD(void, , sd_bus_error_free, (sd_bus_error *error), (error))

CALL(sd_journal_open, (sd_journal **journal, int flags), (journal, flags))
CALL(sd_journal_open_directory, (sd_journal **journal, const char *path, int flags),
     (journal, path, flags))
CALL(sd_journal_add_match, (sd_journal *journal, const void *match, size_t size),
     (journal, match, size))
CALL(sd_journal_seek_tail, (sd_journal *journal), (journal))
CALL(sd_journal_previous, (sd_journal *journal), (journal))
CALL(sd_journal_get_data,
     (sd_journal *journal, const char *field, const void **value, size_t *size),
     (journal, field, value, size))
CALL(sd_journal_get_realtime_usec, (sd_journal *journal, uint64_t *microseconds),
     (journal, microseconds))
CALL(sd_journal_set_data_threshold, (sd_journal *journal, size_t size), (journal, size))

FORWARD(void, , sd_journal_close, (sd_journal *journal), (journal))
