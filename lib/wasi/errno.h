/**
 * @file
 * The numbers of errors that WASI does not have.
 */
#ifndef LSTM_WASI_ERRNO_H
#define LSTM_WASI_ERRNO_H

#include_next <errno.h>

#ifndef ENODATA
#define ENODATA ENOMSG
#endif

#endif
