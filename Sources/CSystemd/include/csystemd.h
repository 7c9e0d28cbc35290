// The part of libsystemd that Berth uses, which is loaded by the first call of it.
//
// The library brings six others, and to load them all takes longer than most phases take; yet only
// a domain that changes units needs them. The functions are libsystemd's own by name and meaning.
// Where the library is missing, those that tell errors return -ELIBACC.

#ifndef CSYSTEMD_H
#define CSYSTEMD_H

// First what sd-bus.h includes: what comes from the C library must not become hidden with it.
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

// Hidden: the library looks its own functions up by name too, and is to find its own.
#pragma GCC visibility push(hidden)
#include <systemd/sd-bus.h>
#pragma GCC visibility pop

#endif
