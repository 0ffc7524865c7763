/**
 * @file
 * Signals that end a run: SIGINT (Ctrl-C), SIGTERM and SIGHUP.
 */
#ifndef EXAMPLES_TRAIN_SIGNALS_H
#define EXAMPLES_TRAIN_SIGNALS_H

#include <stdbool.h>

/**
 * From now on the first signal sets signals_stop, and the second one ends the program
 * at once. A signal that the program inherits as ignored, as under nohup, stays
 * ignored.
 */
void signals_handle(void);

/** Notes that a signal has ended another process of the run. */
void signals_note_other(void);

/** True after the first signal. */
extern volatile bool signals_stop;

/** The exit status of a run that a signal ended, 128 and its number; 0 without one. */
int signals_status(void);

/** Name of the signal that ended the run; NULL without one. */
const char *signals_name(void);

#endif
