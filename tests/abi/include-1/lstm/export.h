#ifndef LSTM_EXPORT_H
#define LSTM_EXPORT_H
#if defined(__GNUC__)
#define LSTM_API __attribute__((visibility("default")))
#define LSTM_NODISCARD __attribute__((warn_unused_result))
#else
#define LSTM_API
#define LSTM_NODISCARD
#endif
#endif
