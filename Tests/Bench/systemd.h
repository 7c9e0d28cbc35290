// What the floor asks of systemd, where it is built with that.

/// A timer stands by for a domain that never arrives.
void systemd_expect(void);

/// A service stands by for the end of a domain's scope, instead of the timer.
void systemd_watch(const char *scope);

/// Nobody stands by any more.
void systemd_dismiss(void);
