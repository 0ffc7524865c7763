/**
 * @file
 * The hash of the libraries, for the programs.
 */
#ifndef EXAMPLES_COMMON_HASH_H
#define EXAMPLES_COMMON_HASH_H

#include "lib/common/hash.h"

#endif
