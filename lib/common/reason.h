/**
 * @file
 * Why a file cannot be opened or written, in words that name what the system does not.
 */
#ifndef COMMON_REASON_H
#define COMMON_REASON_H

#include "lib/common/names.h"

/** Size of the text of a reason. */
enum { COMMON_REASON_SIZE = 400 };

/**
 * Describes why a path cannot be opened: the text of an errno or, where that does not
 * tell what is wrong, an empty name or a symbolic link to nothing.
 *
 * @param text [COMMON_REASON_SIZE] room for the reason
 * @param error an errno
 * @return the reason
 */
const char *common_reason(char *text, const char *path, int error);

/** The same for a path that cannot be written: also whether the file or its folder is
 *  protected. */
const char *common_write_reason(char *text, const char *path, int error);

#endif
