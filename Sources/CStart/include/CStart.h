// What Swift's run-time does before `main`, quieted; see start.c. There is nothing here to call.

#ifndef CSTART_H
#define CSTART_H

#endif
