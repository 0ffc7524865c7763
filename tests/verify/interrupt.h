/**
 * @file
 * Signals that end the program, kept until it has removed what it made.
 */
#ifndef TESTS_VERIFY_INTERRUPT_H
#define TESTS_VERIFY_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>

/**
 * Keeps SIGINT, SIGTERM, SIGHUP, SIGQUIT and SIGPIPE from ending the program, unless
 * they are ignored. All but SIGPIPE, which belongs to a call, arrive only in ppoll()
 * with the mask of interrupt_mask().
 */
void interrupt_keep(void);

/** The signals that were blocked before interrupt_keep(). */
const sigset_t *interrupt_mask(void);

/** Whether one has arrived. */
bool interrupt_arrived(void);

/** Ends the program by the signal that has arrived, if any. */
void interrupt_obey(void);

#endif
