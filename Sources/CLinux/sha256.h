#ifndef SHA256_H
#define SHA256_H

#include <stddef.h>

/// The SHA-256 of some bytes in hexadecimal, with a zero behind it. Allocates nothing.
void clinux_sha256(const unsigned char *bytes, size_t length, char hexadecimal[65]);

#endif
