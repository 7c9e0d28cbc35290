// The part of libsystemd that Berth uses, which is loaded by the first call of it.
//
// The library brings six others, and loading them takes as long as a small phase takes; yet most
// calls have nothing to say to systemd. The functions are libsystemd's own by name and meaning.
// Where the library is missing, those that tell errors return -ELIBACC.

#ifndef CSYSTEMD_H
#define CSYSTEMD_H

#include <systemd/sd-bus.h>
#include <systemd/sd-journal.h>

#endif
