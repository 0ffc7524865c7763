/**
 * @file
 * The two markers in front of public declarations. Nothing here is for users.
 */
#ifndef LSTM_EXPORT_H
#define LSTM_EXPORT_H

#if defined(__GNUC__)
/** A symbol that the shared library exports. */
#define LSTM_API __attribute__((visibility("default")))
/** A return value that must be used. */
#define LSTM_NODISCARD __attribute__((warn_unused_result))
#else
#define LSTM_API
#define LSTM_NODISCARD
#endif

#endif
