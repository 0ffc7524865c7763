/**
 * @file
 * Faults of calls that a program makes; see shim.c.
 */
#ifndef TESTS_FAULTS_SHIM_H
#define TESTS_FAULTS_SHIM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** Classes of calls, and their names in the same order. */
typedef enum fault_class {
    FAULT_MEMORY,
    FAULT_OPEN,
    FAULT_READ,
    FAULT_WRITE,
    FAULT_SYNC,
    FAULT_CLOSE,
    FAULT_RENAME,
    FAULT_UNLINK,
    FAULT_STAT,
    FAULT_OWNER,
    FAULT_TRUNCATE,
    FAULT_MAP,
    FAULT_THREAD,
    FAULT_RANDOM,
    FAULT_CLASSES
} fault_class;
#define FAULT_NAMES                                                                    \
    "memory", "open", "read", "write", "sync", "close", "rename", "unlink", "stat",    \
        "owner", "truncate", "map", "thread", "random"

/** What happened, in this layout in the file. */
typedef struct fault_report {
    /** Number of calls of each class, and of those that failed or were short. */
    uint64_t counts[FAULT_CLASSES], failed;
    /** The first call that failed. */
    char name[32];
} fault_report;

/** Counts a call; whether it has to fail or to be short. */
bool fault_hits(fault_class class, const char *name);

/** Counts a call; whether it has to fail, with errno set. */
bool fault_fails(fault_class class, const char *name);

/** The errno of failing calls; 0: they are short. */
int fault_error(void);

/** The function with this name in the libraries after this one. */
void *fault_real(const char *name);

/** Gives standard input and output functions of this library. */
void fault_streams(void);

/** Operations that change files, for the record of a run; see shim_record.c. */
typedef enum fault_operation {
    FAULT_OPENED,
    FAULT_WRITTEN,
    FAULT_SYNCED,
    FAULT_RENAMED,
    FAULT_UNLINKED,
    FAULT_RESIZED
} fault_operation;

/** Appends to the file that FAULTS_RECORD names, from now on. */
void fault_record_start(void);

/** Records the opening of a file that may have been created or emptied. */
void fault_record_open(int file, const char *path, int flags);

/** Records bytes that were written, at an offset or, with -1, at the position. */
void fault_record_write(int file, const void *data, ssize_t size, off_t offset);

/** Records another operation: its file or -1, its paths or NULL, a new size. */
void fault_record(fault_operation operation, int file, const char *path,
                  const char *other, off_t size);

#endif
